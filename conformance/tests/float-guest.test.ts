import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { FloatGuest, instructionsFor } from "../float/guest.ts";
import { riscvFile } from "../float/run.ts";
import { parseTestfloat } from "../float/testfloat.ts";

const groups = parseTestfloat(gunzipSync(readFileSync(riscvFile)).toString("latin1"));

// With clear flags, and with inexact already set: then the host computes.
it.each(["interp", "wasm", "region"] as const)(
  "every TestFloat case of F and D as an instruction: %s",
  { timeout: 240_000 },
  (backend) => {
    const guest = new FloatGuest(backend);
    const differences: string[] = [];
    const names = new Set<string>();
    let cases = 0;
    for (const group of groups)
      for (const instruction of instructionsFor(group.fn, group.mode))
        for (const before of [0, 1]) {
          names.add(instruction.name);
          cases += group.cases.length;
          differences.push(...guest.run(group, instruction, before));
        }
    expect(differences.slice(0, 10)).toEqual([]);
    expect([names.size, cases]).toEqual([42, 106_660]);
  },
);

it("a wrong result is seen", () => {
  const group = groups.find(({ fn, mode }) => fn === "f64_mulAdd" && mode === "rne")!;
  const [fmadd, fmsub] = instructionsFor(group.fn, group.mode);
  const guest = new FloatGuest("wasm");
  expect(guest.run(group, fmadd!, 1)).toEqual([]);
  expect(guest.run(group, { ...fmsub!, negated: [] }, 1).length).toBeGreaterThan(group.cases.length / 3);
});
