/** Segments that are not flat, stack widths, single steps, alignment: what tbFlags specialise code for. */
import { describe, expect, it } from "vitest";
import { ENV } from "@mimus/tcg";
import { FLAG, HF, OFF, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { RunningCpu, type RunOptions } from "./running-cpu.ts";

const CODE = 0x1000;
const [AX, CX, , BX, SP] = [0, 1, 2, 3, 4];

interface Segment {
  readonly n: number;
  readonly base?: number;
  readonly limit?: number;
  readonly attr?: number;
}

function run(
  options: RunOptions,
  code: number[],
  segments: readonly Segment[],
  regs: Record<number, bigint>,
): RunningCpu {
  const cpu = new RunningCpu(options);
  for (const { n, base, limit, attr } of segments) {
    const at = segOffset(n);
    if (base !== undefined) cpu.cpu.set(at + SEG_FIELD.base, base, 0);
    if (limit !== undefined) cpu.cpu.setLo(at + SEG_FIELD.limit, limit);
    if (attr !== undefined) cpu.cpu.setLo(at + SEG_FIELD.attr, attr);
  }
  cpu.cpu.updateFlags();
  cpu.poke(CODE, [...code, 0xcc]);
  cpu.setReg(SP!, 0x8000n);
  for (const [n, v] of Object.entries(regs)) cpu.setReg(Number(n), v);
  cpu.pc = BigInt(CODE);
  cpu.run(100);
  return cpu;
}

const DATA = 0xc09300;
const down = DATA | 0x400;

describe("segments", () => {
  it("a base is added, and wraps at 32 bits", () => {
    // mov [ebx], eax
    const cpu = run({ mode: 32 }, [0x89, 0x03], [{ n: SEG.ds, base: 0x20000 }], {
      [AX!]: 7n,
      [BX!]: 0xfff0_0000n,
    });
    expect(cpu.cpu.vector).toBe(14);
    const good = run({ mode: 32 }, [0x89, 0x03], [{ n: SEG.ds, base: 0x20000 }], { [AX!]: 7n, [BX!]: 0xffff_1000n });
    expect([good.cpu.vector, good.ram[0x11000]]).toEqual([3, 7]);
  });
  it.each([
    ["the last bytes", 0x4ffcn, 3],
    ["a byte behind the limit", 0x4ffdn, 13],
    ["far behind the limit", 0xffff_ffffn, 13],
  ] as const)("of 4 bytes, %s", (_name, at, vector) => {
    const cpu = run({ mode: 32 }, [0x8b, 0x03], [{ n: SEG.ds, limit: 0x4fff }], { [BX!]: at });
    expect([cpu.cpu.vector, vector === 13 ? cpu.cpu.code : -1]).toEqual([vector, vector === 13 ? 0 : -1]);
  });
  it.each([
    ["at the limit of an expand-down segment", 0x4fffn, 13],
    ["above it", 0x5000n, 3],
  ] as const)("%s", (_name, at, vector) => {
    expect(run({ mode: 32 }, [0x8b, 0x03], [{ n: SEG.ds, limit: 0x4fff, attr: down }], { [BX!]: at }).cpu.vector).toBe(
      vector,
    );
  });
  it("the stack's violations are #SS(0), and leave the stack pointer", () => {
    const cpu = run({ mode: 32 }, [0x50], [{ n: SEG.ss, limit: 0x7000 }], {});
    expect([cpu.cpu.vector, cpu.cpu.code, cpu.reg(SP!)]).toEqual([12, 0, 0x8000n]);
  });
  it("writes need a writable segment, reads of a null one fault", () => {
    const readOnly = [{ n: SEG.ds, attr: 0xc09000 | 0x100 }];
    expect(run({ mode: 32 }, [0x89, 0x03], readOnly, { [BX!]: 0x9000n }).cpu.vector).toBe(13);
    expect(run({ mode: 32 }, [0x8b, 0x03], readOnly, { [BX!]: 0x9000n }).cpu.vector).toBe(3);
    expect(run({ mode: 32 }, [0x8b, 0x03], [{ n: SEG.ds, attr: 0 }], { [BX!]: 0x9000n }).cpu.vector).toBe(13);
    // FS is looked at by each access: mov eax, fs:[ebx]
    expect(run({ mode: 32 }, [0x64, 0x8b, 0x03], [{ n: SEG.fs, attr: 0 }], { [BX!]: 0x9000n }).cpu.vector).toBe(13);
  });
  it("in 64-bit code the bases of FS and GS alone count", () => {
    const segments = [
      { n: SEG.ds, base: 0x10000, limit: 0 },
      { n: SEG.gs, base: 0x10000, limit: 0 },
    ];
    const cpu = run({ mode: 64 }, [0x65, 0x89, 0x03, 0x8b, 0x0b], segments, { [AX!]: 0x55n, [BX!]: 0x200n });
    expect([cpu.cpu.vector, cpu.ram[0x10200], cpu.reg(CX!)]).toEqual([3, 0x55, 0n]);
  });
  it("in 16-bit code offsets wrap, and words at the end of the segment fault", () => {
    // mov ax, [bx+si]: BX + SI wraps to 0xffff
    const cpu = run({ mode: 16 }, [0x8b, 0x00], [], { [BX!]: 0xffffn, 6: 0n });
    expect(cpu.cpu.vector).toBe(13);
    const wrapped = run({ mode: 16 }, [0x8b, 0x00], [], { [BX!]: 0xffffn, 6: 0x9001n });
    expect(wrapped.cpu.vector).toBe(3);
  });
});

describe("the stack", () => {
  it("of 16 bits wraps and leaves the upper half of ESP", () => {
    const cpu = run({ mode: 32 }, [0x50], [{ n: SEG.ss, attr: 0x9300, limit: 0xffff }], {
      [AX!]: 0x11223344n,
      [SP!]: 0x12340000n,
    });
    expect([cpu.cpu.vector, cpu.reg(SP!), cpu.ram[0xfffc]]).toEqual([3, 0x1234fffcn, 0x44]);
  });
  it("POP to memory through the stack pointer sees it after the pop", () => {
    // push 0x42; push rbx; pop [rsp+8]: the 0x42 is overwritten by RBX two slots up
    const cpu = run({ mode: 64 }, [0x6a, 0x42, 0x53, 0x8f, 0x44, 0x24, 0x08], [], { [BX!]: 0x77n });
    expect([cpu.cpu.vector, cpu.reg(SP!), cpu.ram[0x8000]]).toEqual([3, 0x7ff8n, 0x77]);
  });
  it("a PUSH or CALL that faults has changed nothing", () => {
    for (const code of [[0x50], [0xe8, 0, 1, 0, 0], [0xc8, 0x10, 0, 0]]) {
      const cpu = run({ mode: 64 }, code, [], { [SP!]: 0x20_0000n + 4n, 5: 0x1234n });
      expect([cpu.cpu.vector, cpu.reg(SP!), cpu.reg(5), cpu.pc]).toEqual([14, 0x20_0004n, 0x1234n, BigInt(CODE)]);
    }
  });
  it("ENTER and LEAVE with nested frames", () => {
    // enter 16, 2; leave
    const cpu = run({ mode: 32 }, [0xc8, 0x10, 0x00, 0x02, 0xc9], [], { 5: 0x7000n });
    expect([cpu.cpu.vector, cpu.reg(SP!), cpu.reg(5)]).toEqual([3, 0x8000n, 0x7000n]);
  });
});

describe("single steps", () => {
  it("end in #DB behind each instruction, with BS in DR6", () => {
    const cpu = new RunningCpu({ mode: 32 });
    cpu.poke(CODE, [0x40, 0x40, 0xcc]);
    cpu.pc = BigInt(CODE);
    cpu.cpu.eflags = FLAG.tf;
    cpu.cpu.updateFlags();
    expect([cpu.run(10), cpu.reg(AX!), cpu.pc]).toEqual([1, 1n, BigInt(CODE + 1)]);
    expect(cpu.cpu.lo(OFF.dr6) & 0x4000).toBe(0x4000);
    expect([cpu.run(10), cpu.reg(AX!), cpu.pc]).toEqual([1, 2n, BigInt(CODE + 2)]);
  });
  it("the shadow of STI lasts for one instruction", () => {
    const cpu = new RunningCpu({ mode: 32 });
    cpu.poke(CODE, [0x40, 0x40, 0xcc]);
    cpu.pc = BigInt(CODE);
    cpu.cpu.setLo(ENV.tbFlags, cpu.cpu.lo(ENV.tbFlags) | HF.shadow);
    expect([cpu.run(1), cpu.reg(AX!)]).toEqual([-1, 1n]);
    expect(cpu.cpu.lo(ENV.tbFlags) & HF.shadow).toBe(0);
  });
});

describe("alignment", () => {
  it.each([
    [0x9001n, 17],
    [0x9004n, 3],
  ] as const)("is checked in ring 3 with EFLAGS.AC and CR0.AM, at %i", (at, vector) => {
    const cpu = new RunningCpu({ mode: 32, cpl: 3 });
    cpu.cpu.setLo(OFF.cr0, 1 | 0x40000);
    cpu.cpu.eflags = FLAG.ac;
    cpu.cpu.updateFlags();
    cpu.poke(CODE, [0x8b, 0x03, 0xcc]);
    cpu.setReg(BX!, at);
    cpu.pc = BigInt(CODE);
    expect([cpu.run(10), vector === 17 ? cpu.cpu.code : 0]).toEqual([vector, 0]);
  });
});
