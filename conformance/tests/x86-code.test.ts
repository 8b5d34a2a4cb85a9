/** x86 instructions against this computer's processor, and random code. More of both: conformance/README.md. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OFF, SEG, SEG_FIELD, segOffset } from "@mimus/target-x86";
import { ENV } from "@mimus/tcg";
import { afterAll, describe, expect, it } from "vitest";
import { generate } from "../vectors/oracle/generate-x86.ts";
import { readVectors } from "../vectors/readers.ts";
import { report } from "../vectors/report.ts";
import { FlatX86 } from "../vectors/adapters/x86-machine.ts";
import { compareWithObjdump, hasObjdump } from "../x86/objdump.ts";
import { runStrings } from "../x86/strings.ts";

const directory = mkdtempSync(join(tmpdir(), "mimus-x86-"));
afterAll(() => rmSync(directory, { recursive: true }));
const program = join(directory, "x86-step");

/** Compiles the stepper; why there is none, otherwise "". */
function unavailable(): string {
  if (process.platform !== "linux" || process.arch !== "x64") return "this is no x86-64 Linux";
  const source = fileURLToPath(new URL("../vectors/oracle/x86-step.c", import.meta.url));
  const { error, status, stderr } = spawnSync("gcc", ["-O1", "-o", program, source]);
  if (error) return "gcc is not installed";
  if (status !== 0) return `gcc: ${stderr.toString().split("\n")[0]}`;
  const run = spawnSync(program, [], { input: Buffer.alloc(0x10000) });
  return run.status === 0 ? "" : "ptrace is not allowed here";
}

describe("single instructions, against this processor", () => {
  const why = unavailable();
  if (why !== "") console.log(`skipped: ${why}`);
  it.skipIf(why !== "").each([64, 32] as const)("%i-bit user mode", { timeout: 120_000 }, async (mode) => {
    const text = generate({ program, mode, perRow: 1, seed: Number(process.env.MIMUS_SEED ?? 1) });
    const result = await report(readVectors(text));
    expect(Object.fromEntries(result.classes)).toEqual({});
    expect(result.equal).toBeGreaterThan(600);
  });
});

describe("the disassembler, against objdump", () => {
  const there = hasObjdump();
  if (!there) console.log("skipped: objdump is not installed");
  it.skipIf(!there).each([16, 32, 64] as const)("%i-bit code", { timeout: 60_000 }, (mode) => {
    const { instructions, lengths, texts } = compareWithObjdump(mode, 4000, 1, join(directory, `code${mode}`));
    expect(instructions).toBeGreaterThan(2000);
    expect(lengths).toEqual([]);
    expect(texts.length / instructions, texts.slice(0, 20).join("\n")).toBeLessThan(0.02);
  });
});

describe.each([
  [32, "real"],
  [32, "kernel16"],
  [32, "user16"],
  [32, "kernel32"],
  [32, "user32"],
  [64, "kernel64"],
  [64, "user64"],
  [64, "user32"],
] as const)("random code on %i-bit registers, %s", (word, mode) => {
  it("ends in an exception or a result, the same on each back end", { timeout: 60_000 }, () => {
    const { failures, ends } = runStrings({ word, mode, strings: 50, backends: ["interp", "region", "cold"], seed: 1 });
    expect(failures).toEqual([]);
    expect(ends.size).toBeGreaterThan(2);
  });
});

describe.each(["interp", "wasm", "region", "auto"] as const)("code that begins at the end of RAM, %s", (backend) => {
  it("is read from the bus behind it, each time, and does not outlive what it begins with", () => {
    const m = new FlatX86(32, { backend, hotThreshold: 1, exact: true });
    m.ram.addRam(0x10_0000, 0x1_0000);
    m.setMode("real");
    m.cpu.set(segOffset(SEG.cs) + SEG_FIELD.base, 0x10_0000, 0);
    m.cpu.setLo(segOffset(SEG.cs) + SEG_FIELD.limit, -1);
    // MOV EAX, then ADD EAX with an immediate that nobody answers for: 0.
    for (const first of [0xb8, 0x05]) {
      m.ram.poke(0x10_fffe, Uint8Array.of(0x66, first));
      for (let n = 0; n < 3; n++) {
        m.setRegister(0, 7n);
        m.cpu.set(OFF.pc, 0x10_fffe, 0);
        m.cpu.stateReplaced();
        m.cpu.setLo(ENV.halted, 0);
        m.vcpu.run(1);
        expect(m.getRegister(0)).toBe(first === 0xb8 ? 0n : 7n);
      }
    }
  });
});
