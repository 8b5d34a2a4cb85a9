/** Operations on the low half of a register: on the host they are done on words, where that gives the same. */
import { expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, ToyMachine } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  region: { backend: "region" },
};
const VALUE = 0x1234_5678_9abc_def1n;

const PLACE = 0x3000;

for (const [name, options] of Object.entries(WAYS))
  test(`${name}: a word shifted by any number of bits`, () => {
    const shifts = Array.from({ length: 64 }, (_, by) => by);
    const m = new ToyMachine(options);
    m.program(0x1000, ...shifts.flatMap((by) => [asm("slw", 2, 1, by), asm("st", 2, 3, 8 * by)]), asm("halt"));
    m.cpu.setR(1, VALUE);
    m.cpu.setR(3, BigInt(PLACE));
    m.cpu.pc = 0x1000;
    expect(m.vcpu.run(1000)).toBe("halted");
    for (const by of shifts)
      expect(BigInt.asIntN(64, m.u64(PLACE + 8 * by)), `by ${by}`).toBe(BigInt.asIntN(32, VALUE << BigInt(by)));
  });
