/** A sample of the ISA suite; the whole of it is `conformance/isa/run.ts`. */
import { describe, expect, it } from "vitest";
import { makeCase, makeEncoding, subjects, type Subject } from "../isa/cases.ts";
import { compareRecords } from "../isa/compare.ts";
import { INTERP } from "../isa/flow-sides.ts";
import { LocalRunner } from "../isa/local.ts";
import { oracleVersion } from "../isa/oracle.ts";
import { buildProgram, RECORD, RECORDS } from "../isa/program.ts";
import { Random } from "../isa/random.ts";
import { runStrings } from "../isa/strings.ts";
import { runSuite } from "../isa/suite.ts";

describe.each([64, 32] as const)("RV%i instructions, against qemu-user", (xlen) => {
  const version = oracleVersion(xlen);
  if (!version) console.log(`skipped: qemu-riscv${xlen}-static is not installed`);
  it.skipIf(!version)("every instruction, 10 random cases, on all back ends", { timeout: 120_000 }, async () => {
    const differences: string[] = [];
    const cases = 10 * subjects(xlen).length;
    const counts = await runSuite({
      xlen,
      cases,
      backends: ["interp", "wasm", "region"],
      seed: 1,
      report: (d, backend) => void differences.push(`${backend}: ${d.text}`),
    });
    expect(differences).toEqual([]);
    expect([...counts.values()].reduce((n, c) => n + c.cases, 0)).toBe(cases);
  });
});

it("a wrong result is seen: one bit changed in each record", () => {
  const list = subjects(64).filter((s) => s.entry.name === "add");
  const random = new Random(1);
  const cases = Array.from({ length: 100 }, () => makeCase(random, makeEncoding(random, list[0] as Subject, 31)));
  const program = buildProgram(64, 31, cases);
  const ours = new LocalRunner(64, INTERP, RECORDS + 101 * RECORD.size).run(program);
  const other = Buffer.from(ours);
  const at = (i: number): number => i * RECORD.size + 8 + ((i * 8) % 240);
  for (let i = 0; i < 100; i++) other[at(i)] = (other[at(i)] ?? 0) ^ 1;
  expect(compareRecords(64, cases, program, ours, ours)).toEqual([]);
  expect(compareRecords(64, cases, program, ours, other)).toHaveLength(100);
});

describe.each([64, 32] as const)("RV%i random code", (xlen) => {
  it.each(["M", "S", "U"] as const)("in %s-mode ends in an exception or a result", { timeout: 60_000 }, (mode) => {
    const { failures, ends } = runStrings({
      xlen,
      mode,
      strings: 200,
      backends: ["interp", "wasm", "region"],
      seed: 1,
    });
    expect(failures).toEqual([]);
    expect(ends.size).toBeGreaterThan(3);
  });
});
