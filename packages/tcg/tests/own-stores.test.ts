/** Code that changes itself under an instruction set that sees its own stores at once (`Target.seesOwnStores`). */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, toy, ToyMachine } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
};

/** The immediate of an instruction is its low half: a store of 16 bits replaces it. */
const LOOP = [
  asm("addi", 1, 1, 1), // 1000
  asm("sth", 1, 10, 8), // to 1008
  asm("addi", 5, 5, 7), // 1008: the immediate is r1 by now
  asm("bne", 1, 2, -3), // 100c
  asm("halt"),
];

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    const make = (own: boolean): ToyMachine => {
      const m = new ToyMachine(options, { ...toy, seesOwnStores: own });
      m.cpu.setR(10, 0x1000n);
      m.cpu.setR(2, 200n);
      return m;
    };

    test("the next instruction is what was stored", () => {
      const m = make(true);
      m.program(0x1000, ...LOOP);
      m.cpu.pc = 0x1000;
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.r(5)).toBe((200n * 201n) / 2n);
      expect(m.vcpu.executed).toBe(200 * 4 + 1);
    });

    test("else it may be what was there when the block was translated", () => {
      const m = make(false);
      m.program(0x1000, ...LOOP);
      m.cpu.pc = 0x1000;
      expect(m.vcpu.run(100_000)).toBe("halted");
      expect(m.cpu.r(5)).not.toBe((200n * 201n) / 2n);
    });

    test("a store over the border of two pages, into the code behind it", () => {
      const m = make(true);
      m.program(
        0xff8,
        asm("addi", 1, 1, 1),
        asm("st", 3, 11, 0),
        ...[5, 5, 5].map((n) => asm("addi", 5, 5, n)),
        asm("halt"),
      );
      m.cpu.setR(11, 0xffen);
      // Two bytes of the store itself, one instruction, and the immediate of the next.
      const own = BigInt(asm("st", 3, 11, 0) >>> 16);
      m.cpu.setR(3, (11n << 48n) | (BigInt(asm("addi", 5, 5, 9)) << 16n) | own);
      m.cpu.pc = 0xff8;
      expect(m.vcpu.run(100)).toBe("halted");
      expect(m.cpu.r(5)).toBe(9n + 11n + 5n);
      expect(m.vcpu.executed).toBe(6);
    });

    test("an atomic operation on code is done once", () => {
      const m = make(true);
      m.program(0x1000, asm("amoadd", 1, 10, 2), asm("addi", 5, 5, 7), asm("halt"));
      m.cpu.setR(10, 0x1004n);
      m.cpu.setR(2, 3n);
      m.cpu.pc = 0x1000;
      expect(m.vcpu.run(100)).toBe("halted");
      expect(m.cpu.r(5)).toBe(10n);
      expect(m.vcpu.executed).toBe(3);
    });
  });
}
