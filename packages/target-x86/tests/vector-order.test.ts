/** What the translator knows of numbers: that both operands are one, and that flags are those of a comparison. */
import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { FLAG, OFF, xmmOffset } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const BASE = 0x10000;
const DI = 7;
const BACK_ENDS: readonly BackEnd[] = ["interp", "wasm", "region"];
/** Bits of f64: zeros, denormal, least normal and their neighbours, those whose squares are that, numbers, infinite, NaN. */
const NUMBERS = [
  0x0n, 0x8000000000000000n, 0x1n, 0x8000000000000001n, 0xfffffffffffffn, 0x10000000000000n, 0x8010000000000001n, 0x1fffffffffffffn,
  0x20000000000000n, 0x2fffffffffffffn, 0x30000000000000n, 0x1ff8000000000000n, 0x2000000000000000n, 0x2006a09e667f3bcdn, 0x2010000000000001n,
  0x3ff0000000000000n, 0xbff8000000000000n, 0x3fb999999999999an, 0x5fe0000000000000n, 0x5ff0000000000000n, 0x7fdfffffffffffffn,
  0x7fe0000000000000n, 0x7fefffffffffffffn, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff0000000000001n, 0x7ff8000000000000n,
]; // prettier-ignore
/** The same of f32, in the low half. */
const SINGLES = [
  0x0n, 0x80000000n, 0x1n, 0x7fffffn, 0x800000n, 0xffffffn, 0x1000000n, 0x17fffffn, 0x1800000n, 0x20000000n, 0x1fffffffn, 0x203504f3n,
  0x3f800000n, 0xbfc00000n, 0x3dcccccdn, 0x5f000000n, 0x5f800000n, 0x7effffffn, 0x7f000000n, 0x7f7fffffn, 0x7f800000n, 0x7f800001n,
]; // prettier-ignore

function cpuOf(backend: BackEnd, ...code: number[]): RunningCpu {
  const cpu = new RunningCpu({ mode: 64, base: BASE, size: 0x10000, backend, options: { hotThreshold: 1 } });
  cpu.cpu.setLo(OFF.cr4, 0x200);
  cpu.setReg(DI, BigInt(BASE + 0x8000));
  cpu.poke(BASE, [...code, 0xcc]);
  return cpu;
}

function run(cpu: RunningCpu, mxcsr: number, ...numbers: bigint[]): void {
  cpu.cpu.setLo(OFF.mxcsr, mxcsr);
  cpu.cpu.updateFlags();
  for (const [n, bits] of numbers.entries()) setXmm(cpu, n, bits);
  cpu.pc = BigInt(BASE);
  expect(cpu.run(1000)).toBe(3);
}

function setXmm(cpu: RunningCpu, n: number, bits: bigint): void {
  cpu.cpu.set(xmmOffset(n), Number(bits & 0xffffffffn), Number(bits >> 32n));
}

/** CF, PF, ZF of a comparison. */
function compared(x: bigint, y: bigint): number {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, x);
  view.setBigUint64(8, y);
  const [a, b] = [view.getFloat64(0), view.getFloat64(8)];
  return a > b ? 0 : a < b ? FLAG.cf : a === b ? FLAG.zf : FLAG.cf | FLAG.pf | FLAG.zf;
}

/** B, Z, BE, P: the conditions that a comparison of numbers is for, and their inverses. */
const MASKS = [
  [0x92, FLAG.cf],
  [0x94, FLAG.zf],
  [0x96, FLAG.cf | FLAG.zf],
  [0x9a, FLAG.pf],
] as const;

describe.each(BACK_ENDS)("%s", (backend) => {
  it.each([
    ["MULSD", 0xf2, 0x59, NUMBERS],
    ["ADDSD", 0xf2, 0x58, NUMBERS],
    ["SUBSD", 0xf2, 0x5c, NUMBERS],
    ["DIVSD", 0xf2, 0x5e, NUMBERS],
    ["MULSS", 0xf3, 0x59, SINGLES],
    ["ADDSS", 0xf3, 0x58, SINGLES],
  ])("%s of one register does what it does of two with the same number", (_name, prefix, opcode, numbers) => {
    const cpus = [0xc0, 0xc1].map((modrm) => cpuOf(backend, prefix, 0x0f, opcode, modrm));
    for (const bits of numbers)
      for (const mxcsr of [0x1f80, 0x1fa0]) {
        const done = cpus.map((cpu) => {
          run(cpu, mxcsr, bits, bits);
          return [cpu.cpu.bits64(xmmOffset(0)), cpu.cpu.lo(OFF.mxcsr)];
        });
        expect(done[0], `${bits.toString(16)}, MXCSR ${mxcsr.toString(16)}`).toEqual(done[1]);
      }
  });

  it.each([
    ["as they are", [], 0, 0],
    ["with CF changed: CMC", [0xf5], 0, FLAG.cf],
    ["with CF set: STC", [0xf9], FLAG.cf, 0],
  ])("conditions of COMISD's flags, %s", (_name, between, or, xor) => {
    const codes = MASKS.flatMap(([opcode]) => [opcode, opcode + 1]);
    const sets = codes.flatMap((opcode, n) => [0x0f, opcode, 0x47, n]);
    const cpu = cpuOf(backend, 0x66, 0x0f, 0x2f, 0xc1, ...between, ...sets, 0x48, 0x8b, 0x07);
    for (const x of NUMBERS)
      for (const y of [x, 0n, 0x3ff0000000000000n, 0x7ff8000000000000n]) {
        run(cpu, 0x1fa0, x, y);
        const flags = (compared(x, y) | or) ^ xor;
        const expected = MASKS.flatMap(([, mask]) => [(flags & mask) !== 0 ? 1 : 0, (flags & mask) !== 0 ? 0 : 1]);
        const found = codes.map((_, n) => Number((cpu.reg(0) >> BigInt(8 * n)) & 255n));
        expect(found, `${x.toString(16)} with ${y.toString(16)}`).toEqual(expected);
      }
  });
});
