/** Stores to pages that hold translated code too: those beside it cost no call of JavaScript, those into it are seen. */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, toy, ToyMachine } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
};

/** Stores r1 at r10, r2 times. */
const LOOP = [asm("addi", 1, 1, 1), asm("st", 1, 10, 0), asm("bne", 1, 2, -2), asm("halt")];

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    const run = (unaligned: boolean, at: number): ToyMachine => {
      const m = new ToyMachine(options, { ...toy, unaligned, seesOwnStores: unaligned });
      m.program(0x1100, ...LOOP);
      m.cpu.setR(10, BigInt(at));
      m.cpu.setR(2, 1000n);
      m.cpu.pc = 0x1100;
      expect(m.vcpu.run(100_000)).toBe("halted");
      return m;
    };

    // Behind the code's line of 64 bytes, before it, at the page's ends, and (not aligned) up to its border.
    for (const [unaligned, at] of [
      [false, 0x1140],
      [true, 0x10f8],
      [true, 0x1000],
      [false, 0x1ff8],
      [true, 0x10f1],
    ] as const) {
      test(`stores at 0x${at.toString(16)} are done, without JavaScript`, () => {
        const m = run(unaligned, at);
        expect(m.vcpu.executed).toBe(3001);
        expect((m.u64(at & ~7) >> BigInt(8 * (at & 7))) & 0xffffn).toBe(1000n);
        expect(m.tcg.stats().slowStores).toBeLessThan(8);
        expect(m.tcg.stats().invalidations).toBe(0);
      });
    }

    test("a store whose last byte lies in the code's line is looked at", () => {
      // Its upper bytes are those of the first instruction, as they are.
      const m = new ToyMachine(options, { ...toy, unaligned: true, seesOwnStores: true });
      m.program(0x1100, asm("st", 1, 10, 0), asm("addi", 5, 5, 1), asm("halt"));
      m.cpu.setR(10, 0x10fcn);
      m.cpu.setR(1, BigInt(asm("st", 1, 10, 0) >>> 0) << 32n);
      m.cpu.pc = 0x1100;
      expect(m.vcpu.run(100)).toBe("halted");
      expect(m.cpu.r(5)).toBe(1n);
      expect(m.tcg.stats().invalidations).toBeGreaterThan(0);
    });

    test("when a page has lost its code, stores to it go the fast way again", () => {
      const m = new ToyMachine(options);
      m.program(0x3000, asm("jr", 0, 7));
      m.program(0x1000, asm("jr", 0, 8), ...LOOP);
      m.cpu.setR(7, 0x1004n);
      m.cpu.setR(8, 0x3000n);
      m.cpu.setR(10, 0x3000n);
      m.cpu.setR(2, 1000n);
      m.cpu.pc = 0x1000;
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.u64(0x3000)).toBe(1000n);
      expect(m.tcg.stats().slowStores).toBeLessThan(8);
    });
  });
}
