/** SYSENTER and SYSEXIT between flat 32-bit segments, in blocks and by the helpers. */
import { ENV } from "@mimus/tcg";
import { describe, expect, it } from "vitest";
import { FLAG, OFF, REG, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const [USER, KERNEL, BACK] = [0x1000, 0x2000, 0x3000];

function start(word: 32 | 64, backend: "interp" | "wasm", flags: number): RunningCpu {
  const r = new RunningCpu({ mode: 32, word, backend, cpl: 3 });
  const { cpu } = r;
  cpu.setLo(OFF.sysenterCs, 0x100);
  cpu.set(OFF.sysenterEsp, 0x8000, 0x55);
  cpu.set(OFF.sysenterEip, KERNEL, 0x55);
  cpu.eflags = FLAG.if | flags;
  cpu.updateFlags();
  r.poke(USER, [0x31, 0xc0, 0xf9, 0x0f, 0x34]); // xor eax,eax; stc; sysenter
  r.pc = BigInt(USER);
  return r;
}

function seen({ cpu }: RunningCpu) {
  const kept = cpu.lo(ENV.tbFlags);
  cpu.updateFlags();
  const segment = (n: number) =>
    [SEG_FIELD.selector, SEG_FIELD.base, SEG_FIELD.limit, SEG_FIELD.attr].map(
      (field) => cpu.lo(segOffset(n) + field) >>> 0,
    );
  return {
    derived: kept === cpu.lo(ENV.tbFlags),
    cpl: cpu.cpl,
    cs: segment(SEG.cs),
    ss: segment(SEG.ss),
    esp: cpu.reg(REG.sp),
    pc: cpu.bits64(OFF.pc),
    eflags: cpu.eflags & ~FLAG.ac,
  };
}

describe.each([32, 64] as const)("%i-bit CPU", (word) => {
  // AC makes the helpers do it.
  it.each([
    ["interp", 0],
    ["interp", FLAG.ac],
    ["wasm", 0],
    ["wasm", FLAG.iopl],
  ] as const)("%s, flags %i", (backend, flags) => {
    const r = start(word, backend, flags);
    r.poke(KERNEL, [0xcc]);
    expect(r.run(10)).toBe(3);
    expect(seen(r)).toEqual({
      derived: true,
      cpl: 0,
      cs: [0x100, 0, 0xffff_ffff, 0xcf9b00],
      ss: [0x108, 0, 0xffff_ffff, 0xcf9300],
      esp: 0x8000n,
      pc: BigInt(KERNEL),
      eflags: (flags & ~FLAG.ac) | 2 | FLAG.zf | FLAG.pf | FLAG.cf,
    });
    r.poke(KERNEL, [0xb9, 0, 0x70, 0, 0, 0xba, 0, 0x30, 0, 0, 0x0f, 0x35]); // mov ecx,7000h; mov edx,3000h; sysexit
    r.poke(BACK, [0xcc]);
    r.pc = BigInt(KERNEL);
    expect(r.run(10)).toBe(3);
    expect(seen(r)).toEqual({
      derived: true,
      cpl: 3,
      cs: [0x113, 0, 0xffff_ffff, 0xcffb00],
      ss: [0x11b, 0, 0xffff_ffff, 0xcff300],
      esp: 0x7000n,
      pc: BigInt(BACK),
      eflags: (flags & ~FLAG.ac) | 2 | FLAG.zf | FLAG.pf | FLAG.cf,
    });
  });
  it("a selector of 0 raises #GP(0)", () => {
    const r = start(word, "interp", 0);
    r.cpu.setLo(OFF.sysenterCs, 0x10003);
    expect([r.run(10), r.cpu.code, r.pc, r.cpu.cpl]).toEqual([13, 0, BigInt(USER) + 3n, 3]);
  });
});
