import { ENV } from "@mimus/tcg";
import { describe, expect, it } from "vitest";
import { RunningCpu } from "../../../tests/running-cpu.ts";
import { HF, OFF } from "../../state.ts";

const CODE = 0x1000;
const DATA = 0x8000;
const NE = 0x20;

interface Setup {
  readonly mode?: 16 | 32 | 64;
  readonly cr0?: number;
  readonly data?: readonly number[];
}

/** A CPU with the bytes of a program, and data at 8000h; the x87 is as FNINIT leaves it. */
function cpu(program: string, { mode = 32, cr0 = 1 | NE, data = [] }: Setup = {}): RunningCpu {
  const c = new RunningCpu({ mode });
  const bytes = program
    .split(/\s+/)
    .filter(Boolean)
    .map((b) => Number.parseInt(b, 16));
  c.poke(CODE, bytes);
  const image = new Uint8Array(8 * data.length);
  data.forEach((x, n) => new DataView(image.buffer).setFloat64(8 * n, x, true));
  c.poke(DATA, image);
  c.cpu.setLo(OFF.cr0, mode === 16 ? cr0 & ~1 : cr0);
  c.cpu.setLo(OFF.fpuCw, 0x37f);
  for (let n = 0; n < 8; n++) c.cpu.engine.u8[c.cpu.env + OFF.fpuEmpty + n] = 1;
  c.cpu.updateFlags();
  c.setReg(3, BigInt(DATA));
  c.pc = BigInt(CODE);
  return c;
}
const u16 = (c: RunningCpu, at: number): number => c.ram[at]! | (c.ram[at + 1]! << 8);
const u32 = (c: RunningCpu, at: number): number => (u16(c, at) | (u16(c, at + 2) << 16)) >>> 0;
/** One instruction after the other. @returns the vector of an exception, -1 none */
function steps(c: RunningCpu, count: number): number {
  let vector = -1;
  for (let n = 0; n < count && vector < 0; n++) vector = c.run(1);
  return vector;
}
const f64 = (c: RunningCpu, at: number): number => new DataView(c.ram.buffer, c.ram.byteOffset).getFloat64(at, true);

describe("x87", () => {
  it.each([16, 32, 64] as const)("adds in %i-bit code", (mode) => {
    // fld qword [bx]; fadd qword [bx+8]; fstp qword [bx+16]; with 16-bit addresses bx is rm 7.
    const rm = mode === 16 ? ["07", "47", "5f"] : ["03", "43", "5b"];
    const c = cpu(`dd ${rm[0]} dc ${rm[1]} 08 dd ${rm[2]} 10`, { mode, data: [1.5, 2.25] });
    expect(c.run(3)).toBe(-1);
    expect([f64(c, DATA + 16), c.cpu.lo(OFF.fpuTop)]).toEqual([3.75, 0]);
    expect([c.cpu.lo(OFF.fpuIp), c.cpu.lo(OFF.fpuDp), c.cpu.lo(OFF.fpuOpcode)]).toEqual([
      CODE + 5,
      DATA + 16,
      0x500 | Number.parseInt(rm[2]!, 16),
    ]);
  });

  it("is not there while another task's state is in it, or software stands in for it", () => {
    expect(cpu("d9 e8", { cr0: 1 | 8 }).run(1)).toBe(7);
    expect(cpu("d9 e8", { cr0: 1 | 4 }).run(1)).toBe(7);
    expect(cpu("9b", { cr0: 1 | 8 }).run(1)).toBe(-1);
    expect(cpu("9b", { cr0: 1 | 8 | 2 }).run(1)).toBe(7);
    expect(cpu("9b", { cr0: 1 | 4 | 2 }).run(1)).toBe(-1);
  });

  it("tells of an unmasked exception at the next instruction that waits", () => {
    // fldcw [ebx]; fld1; fldz; fdivp; fnstsw ax; fwait
    const program = "d9 2b d9 e8 d9 ee de f9 df e0 9b";
    const c = cpu(program);
    c.poke(DATA, [0x7b, 0x03]);
    expect(steps(c, 6)).toBe(16);
    expect([c.pc, Number(c.reg(0)) & 0x80ff]).toEqual([BigInt(CODE + 10), 0x8084]);
    expect(c.cpu.lo(OFF.fpuTop)).toBe(6);
  });

  it("asserts FERR# instead while NE is clear, until port F0h says that it is ignored", () => {
    const c = cpu("d9 2b d9 e8 d9 ee de f9 9b 9b 90 db e2", { cr0: 1 });
    c.poke(DATA, [0x7b, 0x03]);
    const seen: boolean[] = [];
    c.cpu.setSignals({ ferr: (level) => seen.push(level) });
    expect(steps(c, 6)).toBe(-1);
    expect(seen).toEqual([true]);
    c.cpu.setIrq(6, true);
    expect([steps(c, 2), seen]).toEqual([-1, [true, false]]);
  });

  it("knows in its blocks whether exceptions are masked", () => {
    const c = cpu("d9 2b 90 db e3 90");
    c.poke(DATA, [0x40, 0x03]);
    steps(c, 2);
    expect(c.cpu.lo(ENV.tbFlags) & HF.x87Fast).toBe(0);
    steps(c, 2);
    expect(c.cpu.lo(ENV.tbFlags) & HF.x87Fast).toBe(HF.x87Fast);
  });

  it("leaves everything as it was when a store faults", () => {
    const c = cpu("d9 e8 dd 1d 00 00 00 f0");
    expect(c.run(2)).toBe(14);
    expect([c.cpu.lo(OFF.fpuTop), c.cpu.lo(OFF.fpuSw), c.pc]).toEqual([7, 0, BigInt(CODE + 2)]);
    expect(c.cpu.lo(OFF.fpuIp)).toBe(CODE);
  });

  it("stores its environment in four layouts", () => {
    // fld dword [ebx+40h]; fnstenv [ebx]
    const wide = cpu("d9 43 40 d9 33");
    wide.run(2);
    const words = Array.from({ length: 7 }, (_, n) => u32(wide, DATA + 4 * n));
    expect(words).toEqual([0xffff_037f, 0xffff_3800, 0xffff_7fff, CODE, 0x0143_0010, DATA + 0x40, 0xffff_0020]);
    const narrow = cpu("d9 43 40 66 d9 33");
    narrow.run(2);
    expect(Array.from({ length: 7 }, (_, n) => u16(narrow, DATA + 2 * n))).toEqual([
      0x37f, 0x3800, 0x7fff, CODE, 0x10, DATA + 0x40, 0x20,
    ]); // prettier-ignore
    const real = cpu("d9 47 40 d9 37", { mode: 16 });
    real.run(2);
    expect(Array.from({ length: 7 }, (_, n) => u16(real, DATA + 2 * n))).toEqual([
      0x37f, 0x3800, 0x7fff, CODE, 0x147, DATA + 0x40, 0,
    ]); // prettier-ignore
  });

  it("saves and restores all of it", () => {
    // fld1; fldpi; fldl2e; fnsave [ebx]; frstor [ebx]; fstp qword [ebx+80h]; fstp qword [ebx+88h]
    const c = cpu("d9 e8 d9 eb d9 ea dd 33 dd 23 dd 9b 80 00 00 00 dd 9b 88 00 00 00");
    c.run(4);
    expect([c.cpu.lo(OFF.fpuTop), c.cpu.lo(OFF.fpuCw), c.cpu.lo(OFF.fpuIp)]).toEqual([0, 0x37f, 0]);
    c.run(3);
    expect([f64(c, DATA + 0x80), f64(c, DATA + 0x88)]).toEqual([Math.LOG2E, Math.PI]);
    expect(c.cpu.lo(OFF.fpuTop)).toBe(7);
  });

  it("compares into EFLAGS, and moves by them", () => {
    // fldz; fld1; fcomi st0,st1; fcmovbe st0,st1; fcmovnbe st0,st1; fstp qword [ebx]
    const c = cpu("d9 ee d9 e8 db f1 da d1 db d1 dd 1b");
    expect(c.run(6)).toBe(-1);
    expect(f64(c, DATA)).toBe(0);
  });
});
