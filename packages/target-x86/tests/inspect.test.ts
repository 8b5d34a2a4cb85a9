/** How monitors look into a CPU: registers, page tables, memory, code, without a trace. */
import { describe, expect, it } from "vitest";
import { OFF, regOffset, SEG, SEG_FIELD, segOffset } from "../src/state.ts";
import { WholeMachine } from "./whole-machine.ts";

const [CR0_PG, CR4_PSE, CR4_PAE, EFER_LONG] = [0x8000_0001, 0x10, 0x20, 0x500];

function paged(cr4: number, efer: number, entries: readonly (readonly [at: number, low: number, high?: number])[]) {
  const m = new WholeMachine({ size: 8 << 20 });
  const { cpu } = m;
  for (const [at, low, high] of entries) {
    m.view.setUint32(at, low, true);
    if (high !== undefined) m.view.setUint32(at + 4, high, true);
  }
  cpu.setLo(OFF.cr0, CR0_PG | 0);
  cpu.setLo(OFF.cr4, cr4);
  cpu.set(OFF.cr3, 0x1000, 0);
  cpu.setLo(OFF.efer, efer);
  cpu.stateReplaced();
  return m;
}

describe("page tables", () => {
  it("without paging addresses are physical", () => {
    expect(new WholeMachine().cpu.debug.translate(0x12_3456n)).toBe(0x12_3456n);
  });
  it("32 bits, with pages of 4 KiB and 4 MiB", () => {
    const { cpu } = paged(CR4_PSE, 0, [
      [0x1000, 0x2003],
      [0x1004, 0x0040_6083], // bits 32 and 33 of the address are set
      [0x2004, 0x0001_2003],
    ]);
    const { translate } = cpu.debug;
    expect([0x1abcn, 0x40_1234n, 0n, 0x80_0000n].map(translate)).toEqual([
      0x1_2abcn,
      0x3_0040_1234n,
      undefined,
      undefined,
    ]);
  });
  it("PAE", () => {
    const { cpu } = paged(CR4_PAE, 0, [
      [0x1008, 0x2001, 0],
      [0x2000, 0x0020_0083, 5],
    ]);
    expect([0x4012_3456n, 0n].map(cpu.debug.translate)).toEqual([0x5_0032_3456n, undefined]);
  });
  it("4 levels, and addresses that cannot be", () => {
    const m = paged(CR4_PAE, EFER_LONG, [
      [0x1ff8, 0x2003, 0],
      [0x2000, 0x3003, 0],
      [0x3000, 0x4003, 0],
      [0x4000, 0x0001_0003, 0x8000_0000],
      [0x4008, 0x0002_0003, 0],
    ]);
    const { translate, read } = m.cpu.debug;
    const base = 0xffff_ff80_0000_0000n;
    expect([base + 5n, 0x0000_ff80_0000_0000n, base + 0x2000n].map(translate)).toEqual([
      0x1_0005n,
      undefined,
      undefined,
    ]);
    m.ram.set([1, 2], 0x1_0ffe);
    m.ram.set([3, 4], 0x2_0000);
    const bytes = new Uint8Array(4);
    expect([read(base + 0xffen, bytes), [...bytes]]).toEqual([true, [1, 2, 3, 4]]);
    expect(read(base + 0x1ffen, bytes)).toBe(false);
    // Nothing was marked as used.
    expect(m.view.getUint32(0x4000, true)).toBe(0x0001_0003);
  });
});

it("registers have their names of all widths", () => {
  const { cpu } = new WholeMachine();
  cpu.set(regOffset(0), 0x5566_7788, 0x1122_3344);
  cpu.setLo(segOffset(SEG.cs) + SEG_FIELD.selector, 0xf000);
  const { register } = cpu.debug;
  expect(["rax", "eax", "cs", "cs.limit", "cr0", "xyz", "cs.type"].map(register)).toEqual([
    0x1122_3344_5566_7788n,
    0x1122_3344_5566_7788n,
    0xf000n,
    0xffffn,
    cpu.bits64(OFF.cr0),
    undefined,
    undefined,
  ]);
});

it("code is shown as the CPU would run it", () => {
  const { cpu } = new WholeMachine();
  const bytes = Uint8Array.of(0xb8, 0x34, 0x12, 0x90, 0x90, 0x90);
  expect(cpu.debug.disassemble(0n, bytes)).toEqual({ text: "mov $0x1234,%ax", length: 3 });
  cpu.setLo(OFF.cr0, 1);
  cpu.setLo(segOffset(SEG.cs) + SEG_FIELD.attr, 0xc09b00);
  cpu.stateReplaced();
  expect(cpu.debug.disassemble(0n, bytes)).toEqual({ text: "mov $0x90901234,%eax", length: 5 });
});
