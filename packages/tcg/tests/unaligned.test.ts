/** Accesses that are not aligned, where the instruction set says that programs make them (`Target.unaligned`). */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, toy, ToyMachine } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
};
const TURNS = 1000;
const STRIDE = 13;
const START = 0x2001;

/** Stores r1 at r3, and half of it behind that; loads what lies between, and adds it up in r5; r3 += 13. */
const LOOP = [
  asm("addi", 1, 1, 0x1357), // 1000
  asm("st", 1, 3, 0),
  asm("sth", 1, 3, 9),
  asm("ld", 4, 3, 3),
  asm("add", 5, 5, 4),
  asm("ldw", 4, 3, -2),
  asm("xor", 5, 5, 4),
  asm("addi", 3, 3, STRIDE),
  asm("bne", 3, 2, -8),
  asm("halt"),
];

/** The same, by bytes. */
function expected(): bigint {
  const memory = new DataView(new ArrayBuffer(0x10000));
  let [r1, r5] = [0n, 0n];
  for (let i = 0, at = START; i < TURNS; i++, at += STRIDE) {
    r1 += 0x1357n;
    memory.setBigUint64(at, r1, true);
    memory.setUint16(at + 9, Number(r1 & 0xffffn), true);
    r5 = BigInt.asUintN(64, r5 + memory.getBigUint64(at + 3, true));
    r5 = BigInt.asUintN(64, r5 ^ BigInt(memory.getInt32(at - 2, true)));
  }
  return r5;
}

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    for (const unaligned of [false, true]) {
      test(unaligned ? "take the fast path, but over borders of pages" : "are right on the slow path", () => {
        const m = new ToyMachine(options, { ...toy, unaligned });
        m.program(0x1000, ...LOOP);
        m.cpu.setR(3, BigInt(START));
        m.cpu.setR(2, BigInt(START + TURNS * STRIDE));
        m.cpu.pc = 0x1000;
        expect(m.vcpu.run(1_000_000)).toBe("halted");
        expect(m.cpu.r(5)).toBe(expected());
        const { slowLoads, slowStores } = m.tcg.stats();
        if (unaligned) expect(slowLoads + slowStores).toBeLessThan(80);
        else expect(Math.min(slowLoads, slowStores)).toBeGreaterThan(500);
      });
    }

    test("fault where the second page is missing, before anything is stored", () => {
      const m = new ToyMachine(options, { ...toy, unaligned: true });
      m.cpu.map.set(3, -1);
      m.program(0x1000, asm("addi", 1, 1, 1), asm("st", 1, 3, 0), asm("addi", 3, 3, 3), asm("jmp", 0, 0, -3));
      m.cpu.setR(3, 0x2f01n);
      m.cpu.pc = 0x1000;
      m.vcpu.run(1000);
      expect(m.cpu.faults[0]).toBe("2@1004");
      expect(m.cpu.r(3)).toBe(0x2ffan);
      expect(m.u64(0x2ff8) >> 56n).toBe(0n);
      expect(m.cpu.tval).toBe(0x3000);
    });
  });
}
