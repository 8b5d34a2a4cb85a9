/** Accesses through one base, of which the first looks for the page of all. */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, MMIO, toy, ToyMachine, VECTOR } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
};

const ROUNDS = 500;

/** Adds up two words behind r10 into r5, and stores the round into a third one. */
const LOOP = [
  asm("ld", 3, 10, 8),
  asm("ld", 4, 10, 0),
  asm("addi", 1, 1, 1),
  asm("st", 1, 10, 16),
  asm("add", 5, 5, 3),
  asm("add", 5, 5, 4),
  asm("bne", 1, 2, -6),
  asm("halt"),
];

function machine(options: TcgOptions, unaligned: boolean, base: number, program: readonly number[]): ToyMachine {
  const m = new ToyMachine(options, { ...toy, unaligned });
  m.program(0x1000, ...program);
  m.cpu.setR(10, BigInt(base));
  m.cpu.setR(2, BigInt(ROUNDS));
  m.cpu.pc = 0x1000;
  return m;
}

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    // Within a page; over its end between two of the accesses, or within one; at the last bytes that do not reach over it.
    test.each([
      [false, 0x3000],
      [false, 0x3fe8],
      [false, 0x3ff0],
      [false, 0x3ff8],
      [true, 0x3fe7],
      [true, 0x3fe9],
      [true, 0x3ff3],
      [true, 0x3ffc],
      [false, 0x3004],
    ])("unaligned %s, at %x", (unaligned, base) => {
      const m = machine(options, unaligned, base, LOOP);
      const { buffer } = m.memory;
      const at = (offset: number): number => m.ram + base + offset;
      const view = new DataView(buffer);
      view.setBigUint64(at(0), 3n, true);
      view.setBigUint64(at(8), 0x1_0000_0000n, true);
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.r(5)).toBe(BigInt(ROUNDS) * 0x1_0000_0003n);
      expect(view.getBigUint64(at(16), true)).toBe(BigInt(ROUNDS));
      // What does not lie in one page is not looked for again and again.
      expect(m.tcg.stats().exits.uncommon).toBeLessThan(ROUNDS / 4);
    });

    test("a page fault at an access in the middle is one of its instruction", () => {
      const m = machine(options, false, 0x3ff0, LOOP);
      m.cpu.map.set(4, -1);
      m.program(VECTOR, asm("halt"));
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.faults).toEqual(["2@100c"]);
      expect(m.cpu.r(1)).toBe(1n);
    });

    test("a page that may not be stored to is read, until the store", () => {
      const m = machine(options, false, 0x3000, LOOP);
      m.cpu.readOnly.add(3);
      m.program(VECTOR, asm("halt"));
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.faults).toEqual(["2@100c"]);
    });

    test("registers of a device are read as often as the program does it", () => {
      const m = machine(options, false, MMIO, LOOP);
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.log.filter((line) => line.startsWith("r")).length).toBe(4 * ROUNDS);
      expect(m.log.filter((line) => line.startsWith("w")).length).toBe(2 * ROUNDS);
    });

    test("an instruction that has read a register is not begun anew", () => {
      // What the copies store to lies in two pages; the loop is too long to be unrolled, so each reads through its base once.
      const filler = Array.from({ length: 12 }, () => asm("addi", 6, 6, 1));
      const copies = [asm("copy", 10, 11, 0), asm("copy", 10, 12, 8), asm("addi", 1, 1, 1)];
      const m = machine(options, false, 0x3ff8, [...copies, ...filler, asm("bne", 1, 2, -15), asm("halt")]);
      m.cpu.setR(11, BigInt(MMIO));
      m.cpu.setR(12, BigInt(MMIO));
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.log.length).toBe(4 * ROUNDS);
    });

    // Reads through r11, which stays, in a loop that is too long to be unrolled; r6 and r7 say whether it jumps over the reads.
    const around = [
      asm("addi", 1, 1, 1),
      asm("bne", 6, 7, 4),
      asm("ld", 3, 11, 0),
      asm("ld", 4, 11, 8),
      asm("add", 5, 5, 4),
    ];
    const carrying = [
      ...around,
      ...Array.from({ length: 12 }, () => asm("addi", 8, 8, 1)),
      asm("bne", 1, 2, -17),
      asm("halt"),
    ];
    test.each([0x3000, 0x3ff8])("a loop reads through a base that stays, at %x", (base) => {
      const m = machine(options, false, 0, carrying);
      m.cpu.setR(11, BigInt(base));
      m.setU64(base + 8, 3n);
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.r(5)).toBe(BigInt(3 * ROUNDS));
      expect(m.tcg.stats().exits.uncommon).toBeLessThan(ROUNDS / 4);
    });

    test("and where that is a device, as often as the program does it", () => {
      const m = machine(options, false, 0, carrying);
      m.cpu.setR(11, BigInt(MMIO));
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.log.length).toBe(4 * ROUNDS);
    });

    test("what a loop would read, but does not, is no fault", () => {
      const m = machine(options, false, 0, carrying);
      m.cpu.setR(11, 0x5000n);
      m.cpu.setR(6, 1n);
      m.cpu.map.set(5, -1);
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.faults).toEqual([]);
      expect(m.cpu.r(8)).toBe(BigInt(12 * ROUNDS));
    });

    test("a page that is mapped elsewhere between two runs of a loop is read there", () => {
      const m = machine(options, false, 0, carrying);
      m.cpu.setR(11, 0x3000n);
      m.setU64(0x3008, 1n);
      m.setU64(0x6008, 0x1_0000n);
      m.vcpu.run(2000);
      const before = m.cpu.r(5);
      m.cpu.map.set(3, 6);
      m.vcpu.tlb.flush(-1);
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.r(5)).toBe(before + (BigInt(ROUNDS) - before) * 0x1_0000n);
    });
  });
}
