/** When vector instructions may be used, what they raise, and how their state is saved. What they compute: conformance/tests/x86-vector.test.ts. */
import { describe, expect, it } from "vitest";
import type { BackEnd } from "@mimus/tcg";
import { HF, OFF, xmmOffset, ymmhOffset } from "../src/state.ts";
import { RunningCpu } from "./running-cpu.ts";

const BASE = 0x10000;
const DATA = BASE + 0x8000;
const DI = 7;
const BACK_ENDS: readonly BackEnd[] = ["interp", "wasm", "region"];
const CR4 = { osfxsr: 0x200, osxmmexcpt: 0x400, osxsave: 0x40000 };

function cpuOf(backend: BackEnd = "interp", cr4 = CR4.osfxsr | CR4.osxmmexcpt | CR4.osxsave, cr0 = 1): RunningCpu {
  const cpu = new RunningCpu({ mode: 64, base: BASE, size: 0x10000, backend, options: { hotThreshold: 1 } });
  cpu.cpu.setLo(OFF.cr4, cr4);
  cpu.cpu.setLo(OFF.cr0, cr0);
  cpu.cpu.setLo(OFF.xcr0, 7);
  cpu.cpu.setLo(OFF.mxcsr, 0x1f80);
  cpu.cpu.updateFlags();
  cpu.setReg(DI, BigInt(DATA));
  return cpu;
}

/** Runs code that INT3 ends. @returns the vector of the exception */
function run(cpu: RunningCpu, ...code: number[]): number {
  cpu.poke(BASE, [...code, 0xcc]);
  cpu.pc = BigInt(BASE);
  return cpu.run(1000);
}
const INT3 = 3;

const ADDPS = [0x0f, 0x58, 0xc1];
const ADDPS_MEMORY = [0x0f, 0x58, 0x47, 0x08]; // addps 8(%rdi), %xmm0
const MOVUPS_MEMORY = [0x0f, 0x10, 0x47, 0x08];
const VADDPS_MEMORY = [0xc5, 0xf8, 0x58, 0x47, 0x08];
const VMOVAPS_MEMORY = [0xc5, 0xfc, 0x28, 0x47, 0x10]; // 32 bytes at 16(%rdi)
const PADDB_MMX = [0x0f, 0xfc, 0xc1];
const DIVSD = [0xf2, 0x0f, 0x5e, 0xc1];

describe("leave to use vector registers", () => {
  it.each([
    ["no OSFXSR: #UD", ADDPS, CR4.osxsave, 1, 6],
    ["CR0.EM: #UD", ADDPS, CR4.osfxsr, 5, 6],
    ["CR0.TS: #NM", ADDPS, CR4.osfxsr, 9, 7],
    ["MMX without OSFXSR", PADDB_MMX, 0, 1, INT3],
    ["MMX with CR0.TS: #NM", PADDB_MMX, 0, 9, 7],
    ["MMX with CR0.EM: #UD", PADDB_MMX, 0, 5, 6],
    ["VEX without OSXSAVE: #UD", VADDPS_MEMORY, CR4.osfxsr, 1, 6],
    ["VEX with CR0.TS: #NM", VADDPS_MEMORY, CR4.osxsave, 9, 7],
    ["VEX does not ask for OSFXSR", VADDPS_MEMORY, CR4.osxsave, 1, INT3],
  ])("%s", (_name, code, cr4, cr0, vector) => {
    expect(run(cpuOf("interp", cr4, cr0), ...code)).toBe(vector);
  });

  it("asks XCR0, too", () => {
    const cpu = cpuOf();
    cpu.cpu.setLo(OFF.xcr0, 3);
    cpu.cpu.updateFlags();
    expect(run(cpu, ...VADDPS_MEMORY)).toBe(6);
  });

  it("MMX waits for an exception of the x87", () => {
    const cpu = cpuOf();
    cpu.cpu.setLo(OFF.cr0, 0x21);
    cpu.cpu.setLo(OFF.fpuCw, 0x37e);
    cpu.cpu.setLo(OFF.fpuSw, 0x8081);
    cpu.cpu.updateFlags();
    expect(run(cpu, ...PADDB_MMX)).toBe(16);
  });
});

describe.each(BACK_ENDS)("alignment, %s", (backend) => {
  it.each([
    ["legacy operands are aligned", ADDPS_MEMORY, 13],
    ["MOVUPS need not be", MOVUPS_MEMORY, INT3],
    ["VEX need not be", VADDPS_MEMORY, INT3],
    ["VMOVAPS: to 32 bytes", VMOVAPS_MEMORY, 13],
  ])("%s", (_name, code, vector) => {
    const cpu = cpuOf(backend);
    expect(run(cpu, ...code)).toBe(vector);
    if (vector === 13) expect(cpu.cpu.code).toBe(0);
  });
});

describe.each(BACK_ENDS)("MXCSR, %s", (backend) => {
  const one = (cpu: RunningCpu, n: number, hi: number): void => cpu.cpu.set(xmmOffset(n), 0, hi);

  it("a division by zero that is not masked is #XM, or #UD without OSXMMEXCPT", () => {
    for (const [cr4, vector] of [
      [CR4.osfxsr | CR4.osxmmexcpt, 19],
      [CR4.osfxsr, 6],
    ] as const) {
      const cpu = cpuOf(backend, cr4);
      cpu.cpu.setLo(OFF.mxcsr, 0x1d80);
      cpu.cpu.updateFlags();
      one(cpu, 0, 0x3ff00000);
      one(cpu, 1, 0);
      expect(run(cpu, ...DIVSD)).toBe(vector);
      expect(cpu.pc).toBe(BigInt(BASE));
      expect(cpu.cpu.hi(xmmOffset(0))).toBe(0x3ff00000);
      expect(cpu.cpu.lo(OFF.mxcsr)).toBe(0x1d84);
    }
  });

  it("the first inexact result makes the host's arithmetic do", () => {
    const cpu = cpuOf(backend);
    one(cpu, 0, 0x3ff00000);
    one(cpu, 1, 0x40080000);
    expect(cpu.cpu.lo(20) & HF.mxcsrInexact).toBe(0);
    expect(run(cpu, ...DIVSD, ...DIVSD)).toBe(INT3);
    expect(cpu.cpu.lo(20) & HF.mxcsrInexact).not.toBe(0);
    expect(cpu.cpu.lo(OFF.mxcsr)).toBe(0x1fa0);
    expect(cpu.cpu.bits64(xmmOffset(0))).toBe(0x3fbc71c71c71c71cn);
  });

  it("a kernel is the same code for programs that have rounded and that have not; what it computes is known to be inexact when it is", () => {
    const cpu = cpuOf(backend);
    cpu.cpu.setLo(OFF.mxcsr, 0x1fa0);
    const flagsAt = (cpl: number): number => {
      cpu.cpu.setLo(OFF.cpl, cpl);
      cpu.cpu.updateFlags();
      return cpu.cpu.lo(20) & (HF.mxcsrFast | HF.mxcsrInexact);
    };
    expect([3, 0].map(flagsAt)).toEqual([HF.mxcsrFast | HF.mxcsrInexact, HF.mxcsrFast]);
    one(cpu, 0, 0x3ff00000);
    one(cpu, 1, 0x40080000);
    expect(run(cpu, ...DIVSD, ...DIVSD)).toBe(INT3);
    expect(cpu.cpu.lo(20) & HF.mxcsrInexact).not.toBe(0);
    expect(cpu.cpu.bits64(xmmOffset(0))).toBe(0x3fbc71c71c71c71cn);
  });

  it.each([
    ["ADDSD", [0xf2, 0x0f, 0x58, 0xc1], 1.5, 2.25, 3.75, 2 ** -60],
    ["SUBSD", [0xf2, 0x0f, 0x5c, 0xc1], 1.5, 2.25, -0.75, 2 ** -60],
    ["SUBSD of equal ones", [0xf2, 0x0f, 0x5c, 0xc1], 2.25, 2.25, 0, 2 ** -60],
    ["MULSD", [0xf2, 0x0f, 0x59, 0xc1], 1.5, 2.25, 3.375, 1 / 3],
    ["DIVSD", DIVSD, 3, 8, 0.375, 7],
    ["SQRTSD", [0xf2, 0x0f, 0x51, 0xc1], 7, 2.25, 1.5, 2],
    ["CVTSD2SS, CVTSS2SD", [0xf2, 0x0f, 0x5a, 0xc1, 0xf3, 0x0f, 0x5a, 0xc0], 0, 2.25, 2.25, 0.1],
    ["ADDPD", [0x66, 0x0f, 0x58, 0xc1], 1.5, 2.25, 3.75, 2 ** -60],
    ["MULPD", [0x66, 0x0f, 0x59, 0xc1], 1.5, 2.25, 3.375, 1 / 3],
  ])("%s: exact results do not set PE, others do", (_name, code, x, y, r, inexact) => {
    for (const second of [y, inexact]) {
      const cpu = cpuOf(backend);
      const bits = new DataView(new ArrayBuffer(8));
      for (const [n, v] of [x, second].entries()) {
        bits.setFloat64(0, v);
        cpu.cpu.set(xmmOffset(n), bits.getInt32(4), bits.getInt32(0));
      }
      expect(run(cpu, ...code)).toBe(INT3);
      expect(cpu.cpu.lo(OFF.mxcsr)).toBe(second === y ? 0x1f80 : 0x1fa0);
      expect(cpu.cpu.lo(20) & HF.mxcsrInexact).toBe(second === y ? 0 : HF.mxcsrInexact);
      if (second !== y) continue;
      bits.setBigInt64(0, cpu.cpu.bits64(xmmOffset(0)));
      expect(bits.getFloat64(0)).toBe(r);
    }
  });

  it("flags that are due come in later, too: a denormal operand, a quiet result", () => {
    const cpu = cpuOf(backend);
    cpu.cpu.setLo(OFF.mxcsr, 0x1fa0);
    cpu.cpu.updateFlags();
    cpu.cpu.set(xmmOffset(0), 1, 0);
    one(cpu, 1, 0x3ff00000);
    expect(run(cpu, ...DIVSD, ...DIVSD)).toBe(INT3);
    expect(cpu.cpu.lo(OFF.mxcsr)).toBe(0x1fa2);
    expect(cpu.cpu.bits64(xmmOffset(0))).toBe(1n);
  });

  it("LDMXCSR refuses reserved bits; what it loads holds at the next instruction", () => {
    const cpu = cpuOf(backend);
    cpu.poke(DATA, [0, 0, 1, 0]);
    expect(run(cpu, 0x0f, 0xae, 0x17)).toBe(13);
    cpu.poke(DATA, [0xa0, 0x7f, 0, 0]); // towards zero
    one(cpu, 0, 0x40000000);
    one(cpu, 1, 0x40080000);
    expect(run(cpu, 0x0f, 0xae, 0x17, ...DIVSD)).toBe(INT3);
    expect(cpu.cpu.bits64(xmmOffset(0))).toBe(0x3fe5555555555555n);
  });
});

describe("areas of state", () => {
  const fill = (cpu: RunningCpu): void => {
    for (let n = 0; n < 16; n++)
      for (let k = 0; k < 16; k += 8) {
        cpu.cpu.set(xmmOffset(n) + k, n * 0x1010101 + k, n + 1);
        cpu.cpu.set(ymmhOffset(n) + k, n * 0x2020202 + k, n + 2);
      }
    cpu.cpu.setLo(OFF.fpuCw, 0x27f);
    cpu.cpu.setLo(OFF.fpuTop, 5);
    cpu.cpu.setLo(OFF.mxcsr, 0x3fa0);
  };
  const registers = (cpu: RunningCpu): Uint8Array => cpu.cpu.engine.u8.slice(cpu.cpu.env + 1024, cpu.cpu.env + 1536);
  const xor = [0x31, 0xd2]; // xor %edx, %edx
  const mask = (n: number): number[] => [0xb8, n, 0, 0, 0];

  it("FXSAVE and FXRSTOR", () => {
    const cpu = cpuOf();
    fill(cpu);
    const before = registers(cpu).slice(0, 256);
    expect(run(cpu, 0x0f, 0xae, 0x07)).toBe(INT3);
    const image = cpu.ram.subarray(DATA - BASE, DATA - BASE + 512);
    expect([image[0], image[1], image[3]! >> 3, image[24], image[25], image[28]]).toEqual([
      0x7f, 0x02, 5, 0xa0, 0x3f, 0xff,
    ]);
    expect(image.slice(160, 416)).toEqual(before);
    cpu.cpu.engine.u8.fill(0, cpu.cpu.env + 1024, cpu.cpu.env + 1280);
    cpu.cpu.setLo(OFF.mxcsr, 0x1f80);
    cpu.cpu.setLo(OFF.fpuTop, 0);
    expect(run(cpu, 0x0f, 0xae, 0x0f)).toBe(INT3);
    expect(registers(cpu).slice(0, 256)).toEqual(before);
    expect([cpu.cpu.lo(OFF.mxcsr), cpu.cpu.lo(OFF.fpuTop), cpu.cpu.lo(OFF.fpuCw)]).toEqual([0x3fa0, 5, 0x27f]);
  });

  it("FXSAVE: 16 bytes, XSAVE: 64 bytes aligned", () => {
    expect(run(cpuOf(), 0x0f, 0xae, 0x47, 0x08)).toBe(13);
    expect(run(cpuOf(), ...xor, ...mask(7), 0x0f, 0xae, 0x67, 0x10)).toBe(13);
  });

  it.each([
    ["XSAVE", [0x0f, 0xae, 0x27], 0],
    ["XSAVEOPT", [0x0f, 0xae, 0x37], 0],
    ["XSAVEC", [0x0f, 0xc7, 0x27], 7],
  ])("%s and XRSTOR", (_name, save, compacted) => {
    const cpu = cpuOf();
    fill(cpu);
    const before = registers(cpu);
    cpu.poke(DATA, new Uint8Array(1024));
    expect(run(cpu, ...xor, ...mask(7), ...save)).toBe(INT3);
    const header = cpu.ram.subarray(DATA - BASE + 512, DATA - BASE + 528);
    expect([header[0], header[8], header[15]]).toEqual([7, compacted, compacted === 0 ? 0 : 0x80]);
    cpu.cpu.engine.u8.fill(0, cpu.cpu.env + 1024, cpu.cpu.env + 1536);
    expect(run(cpu, ...xor, ...mask(7), 0x0f, 0xae, 0x2f)).toBe(INT3);
    expect(registers(cpu)).toEqual(before);
    // What is not asked for stays; what is asked for and not there is as after reset.
    cpu.poke(DATA + 512, [3]);
    expect(run(cpu, ...xor, ...mask(4), 0x0f, 0xae, 0x2f)).toBe(INT3);
    expect(registers(cpu).slice(0, 256)).toEqual(before.slice(0, 256));
    expect(registers(cpu).slice(256)).toEqual(new Uint8Array(256));
  });

  it("XRSTOR refuses headers that make no sense", () => {
    const cpu = cpuOf();
    for (const [at, byte] of [
      [512, 8],
      [520, 1],
      [535, 1],
    ] as const) {
      cpu.poke(DATA, new Uint8Array(1024));
      cpu.poke(DATA + at, [byte]);
      cpu.poke(DATA + 24, [0x80, 0x1f]);
      expect(run(cpu, ...xor, ...mask(7), 0x0f, 0xae, 0x2f), `byte ${at}`).toBe(13);
    }
  });
});
