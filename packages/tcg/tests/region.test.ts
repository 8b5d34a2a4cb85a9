/** Regions under what may happen to hot code: breakpoints, steps, kicks, interrupts, faults, writes to code, other mappings, eviction. */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "../src/index.ts";
import { asm, MMIO, ToyMachine, VECTOR } from "./toy.ts";

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  wasm: { backend: "wasm" },
  auto: { backend: "auto", hotThreshold: 2, batch: 1, region: { threshold: 3 } },
  region: { backend: "region" },
  stress: { backend: "region", region: { stress: 4 } },
};

/** Loop of several blocks: r1 += 1 for each of r2 turns, r5 += 2 for those with an odd r1; then halt. */
const LOOP = [
  asm("addi", 1, 1, 1), // 1000
  asm("and1", 4, 1, 0),
  asm("bne", 4, 6, 2), // odd: to 1010
  asm("jmp", 0, 0, 2), // 100c
  asm("addi", 5, 5, 2), // 1010
  asm("bne", 1, 2, -5), // 1014
  asm("halt"),
];

for (const [name, options] of Object.entries(WAYS)) {
  describe(name, () => {
    const make = (more: TcgOptions = {}): ToyMachine => new ToyMachine({ ...options, ...more });
    const unhalt = (m: ToyMachine): void => void (m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0);
    const loop = (turns: bigint, more: TcgOptions = {}): ToyMachine => {
      const m = make(more);
      m.program(0x1000, ...LOOP);
      m.cpu.setR(2, turns);
      m.cpu.pc = 0x1000;
      return m;
    };

    test("regions are made where they are asked for", () => {
      const m = loop(5000n);
      expect(m.vcpu.run(1_000_000)).toBe("halted");
      expect([m.cpu.r(1), m.cpu.r(5)]).toEqual([5000n, 5000n]);
      expect(m.vcpu.executed).toBe(5000 * 5 + 1);
      const { regions, uncompilable } = m.tcg.stats();
      expect(regions > 0).toBe(["auto", "region", "stress"].includes(name));
      expect(uncompilable).toBe(0);
    });

    test.each([0x1000n, 0x1008n, 0x1010n, 0x1014n])("a breakpoint at %i in a hot loop", (at) => {
      const m = loop(3000n);
      m.vcpu.run(10_000);
      const before = m.cpu.r(1);
      m.tcg.setBreakpoints([at]);
      const seen: bigint[] = [];
      for (let i = 0; i < 6; i++) {
        expect(m.vcpu.run(100_000)).toBe("debug");
        expect(BigInt(m.cpu.pc)).toBe(at);
        seen.push(m.cpu.r(1));
      }
      const step = at === 0x1010n ? 2n : 1n;
      for (let i = 1; i < 6; i++) expect(seen[i]! - seen[i - 1]!).toBe(step);
      expect(seen[0]! - before).toBeLessThanOrEqual(2n);
      m.tcg.setBreakpoints([]);
      expect(m.vcpu.run(1_000_000)).toBe("halted");
      expect([m.cpu.r(1), m.cpu.r(5)]).toEqual([3000n, 3000n]);
      expect(m.vcpu.executed).toBe(3000 * 5 + 1);
    });

    test("single steps out of a hot loop, and back into it", () => {
      const m = loop(3000n);
      m.vcpu.run(9_000);
      const turns: number[] = [];
      for (let i = 0; i < 20; i++) {
        turns.push(m.cpu.pc);
        expect(m.vcpu.step()).toBe("debug");
      }
      const order = [0x1000, 0x1004, 0x1008, 0x100c, 0x1010, 0x1014];
      for (let i = 1; i < 20; i++) expect(order.indexOf(turns[i]!)).not.toBe(order.indexOf(turns[i - 1]!));
      expect(m.vcpu.run(1_000_000)).toBe("halted");
      expect([m.cpu.r(1), m.cpu.r(5)]).toEqual([3000n, 3000n]);
      expect(m.vcpu.executed).toBe(3000 * 5 + 1);
    });

    test("exact budgets of any size end at their instruction", () => {
      const m = loop(700n, { exact: true });
      const twin = new ToyMachine({ backend: "interp", exact: true });
      twin.program(0x1000, ...LOOP);
      twin.cpu.setR(2, 700n);
      twin.cpu.pc = 0x1000;
      let n = 1;
      for (;;) {
        const reason = m.vcpu.run(n);
        expect(twin.vcpu.run(n)).toBe(reason);
        expect([m.cpu.pc, m.cpu.r(1), m.cpu.r(5), m.vcpu.executed]).toEqual([
          twin.cpu.pc, twin.cpu.r(1), twin.cpu.r(5), twin.vcpu.executed,
        ]); // prettier-ignore
        if (reason === "halted") break;
        n = ((n * 7 + 3) % 41) + 1;
      }
    });

    test("a loop with two entries ends at its budget too", () => {
      const m = make();
      // 1000: r3 odd or even decides where the loop 1010 ⇄ 1018 is entered; nothing ends it.
      m.program(
        0x1000,
        asm("addi", 3, 3, 1), asm("and1", 4, 3, 0), asm("bne", 4, 6, 4), asm("jmp", 0, 0, 1),
        asm("addi", 1, 1, 1), asm("jmp", 0, 0, 1), asm("addi", 5, 5, 1), asm("bne", 5, 7, -3), asm("jmp", 0, 0, -8),
      ); // prettier-ignore
      m.cpu.setR(7, 40n);
      m.cpu.pc = 0x1000;
      for (let i = 0; i < 50; i++) {
        expect(m.vcpu.run(100)).toBe("budget");
        if (i % 5 === 0) m.cpu.setR(5, 0n);
      }
      expect(m.vcpu.executed).toBeGreaterThan(2000);
      expect(m.vcpu.executed).toBeLessThan(6000);
    });

    test("a device that asks for a kick, or an interrupt, in a hot loop", () => {
      const m = make();
      m.program(
        0x1000,
        asm("addi", 1, 1, 1), asm("and1", 4, 1, 0), asm("bne", 4, 6, 2), asm("st", 1, 8, 0),
        asm("bne", 1, 2, -4), asm("halt"),
      ); // prettier-ignore
      m.program(VECTOR, asm("addi", 9, 9, 1), asm("eret"));
      m.cpu.setR(2, 4001n);
      m.cpu.setR(8, BigInt(MMIO));
      let kicks = 0;
      m.onMmio = (offset, value) => {
        if (offset !== 0) return;
        if (value % 10 === 0) {
          m.cpu.pending = true;
          m.tcg.kick(m.cpu.env);
        }
        if (value % 100 === 0) m.vcpu.kick();
      };
      m.cpu.pc = 0x1000;
      while (m.vcpu.run(50_000) === "kick") kicks++;
      expect(m.cpu.r(1)).toBe(4001n);
      expect(m.cpu.r(9)).toBe(400n);
      expect(kicks).toBe(40);
      // Each is taken where a block begins behind the store: a region looks once in the rounds that are unrolled into one,
      // the last of which may have been the loop's last.
      for (const fault of m.cpu.faults) expect(["99@1010", "99@1000", "99@1014"]).toContain(fault);
      expect(m.cpu.faults.filter((f) => f === "99@1014").length).toBeLessThanOrEqual(1);
    });

    test("a fault in a hot loop is precise: registers, place and count", () => {
      const m = make();
      // Reads at r1 * 16 + 8, until there is nothing mapped.
      m.program(
        0x1000,
        asm("addi", 1, 1, 1), asm("mul", 3, 1, 8), asm("bne", 3, 6, 1), asm("addi", 5, 5, 3), asm("ld", 4, 3, 8),
        asm("addi", 5, 5, 1), asm("bne", 1, 2, -6), asm("halt"),
      ); // prettier-ignore
      m.program(VECTOR, asm("addi", 9, 9, 1), asm("halt"));
      m.cpu.setR(2, 300n);
      m.cpu.setR(8, 16n);
      m.cpu.map.set(3, -1);
      m.cpu.pc = 0x1000;
      for (const from of [0n, 500n, 700n]) {
        m.cpu.setR(1, from);
        m.cpu.setR(2, from + 100n);
        m.cpu.pc = 0x1000;
        m.cpu.setR(5, 0n);
        unhalt(m);
        m.vcpu.run(100_000);
        const stop = m.cpu.r(9) > 0n;
        if (from === 700n) {
          expect(stop).toBe(true);
          expect([m.cpu.epc, m.cpu.cause, m.cpu.tval]).toEqual([0x1010, 1, 0x3008]);
          expect(m.cpu.r(1)).toBe(0x300n);
          expect(m.cpu.r(5)).toBe((m.cpu.r(1) - 700n) * 4n - 1n);
        } else expect(stop).toBe(false);
      }
    });

    test("writes by others to a hot loop, and by the loop to itself", () => {
      const m = loop(2000n);
      m.vcpu.run(5000);
      const at = m.cpu.r(1);
      m.program(0x1010, asm("addi", 5, 5, 20));
      m.codeWritten(m.ram + 0x1010, 4);
      expect(m.vcpu.run(1_000_000)).toBe("halted");
      const odd = Number((at + 1n) / 2n);
      const rest = 1000 - odd;
      expect(Math.abs(Number(m.cpu.r(5)) - (odd * 2 + rest * 20))).toBeLessThanOrEqual(20);
      // The operand of the instruction at 1100 is what the loop counts; a fence comes behind the write.
      const self = make();
      self.program(
        0x1100,
        asm("addi", 5, 5, 0), asm("stb", 1, 10, 0), asm("fence"), asm("addi", 1, 1, 1), asm("bne", 1, 2, -4), asm("halt"),
      ); // prettier-ignore
      self.cpu.setR(10, 0x1100n);
      self.cpu.setR(2, 100n);
      self.cpu.pc = 0x1100;
      expect(self.vcpu.run(100_000)).toBe("halted");
      expect(self.cpu.r(5)).toBe((98n * 99n) / 2n);
    });

    test("the other page of a hot loop becomes another one: one page flushed, or all", () => {
      const m = make();
      // The loop goes 0x1ff8 → (page 2) → 0x1ff8; page 2 is 0x5000 or 0x6000.
      m.program(0x1ff8, asm("addi", 1, 1, 1), asm("jmp", 0, 0, 1));
      for (const [at, by] of [
        [0x5000, 1],
        [0x6000, 100],
      ] as const)
        // prettier-ignore
        m.program(at, asm("addi", 5, 5, by), asm("bne", 1, 2, -3), asm("halt"));
      m.cpu.map.set(2, 5);
      let expected = 0n;
      m.cpu.pc = 0x1ff8;
      for (let round = 1; round <= 12; round++) {
        m.cpu.setR(2, BigInt(round * 300));
        unhalt(m);
        m.cpu.pc = 0x1ff8;
        expect(m.vcpu.run(100_000)).toBe("halted");
        expected += round % 2 === 1 ? 300n : 30_000n;
        expect(m.cpu.r(5)).toBe(expected);
        m.cpu.map.set(2, round % 2 === 1 ? 6 : 5);
        if (round % 3 === 0) m.vcpu.flushTlb(-1);
        else m.vcpu.flushTlbPage(0x2000, 0);
      }
    });

    test("calls and returns: nested, recursive beyond any limit, to elsewhere", () => {
      const m = make();
      // r14 is the stack, r15 the link. f(r1): r1 == 0 ? : push r15; r1--; f; r5++; pop; return
      m.program(
        0x1000,
        asm("call", 15, 0, 2), asm("halt"),
        asm("bne", 1, 0, 2), asm("ret", 0, 15), asm("st", 15, 14, 0), asm("addi", 14, 14, 8), asm("addi", 1, 1, -1),
        asm("call", 15, 0, -5), asm("addi", 5, 5, 1), asm("addi", 14, 14, -8), asm("ld", 15, 14, 0), asm("ret", 0, 15),
      ); // prettier-ignore
      for (const depth of [3n, 50n, 3000n, 10_000n]) {
        m.cpu.setR(14, 0x2_0000n);
        m.cpu.setR(1, depth);
        m.cpu.setR(5, 0n);
        m.cpu.pc = 0x1000;
        unhalt(m);
        for (let i = 0; i < 1000 && m.vcpu.run(777) === "budget"; i++);
        expect([m.cpu.r(5), m.cpu.r(1), m.cpu.r(14)]).toEqual([depth, 0n, 0x2_0000n]);
      }
    });

    test("a function that returns two words further than it was called from", () => {
      const m = make();
      m.program(
        0x1000,
        asm("call", 15, 0, 8), asm("addi", 5, 5, 1000), asm("addi", 5, 5, 100), asm("addi", 1, 1, 1),
        asm("bne", 1, 2, -4), asm("halt"),
      ); // prettier-ignore
      // While r1 < r3 it returns to where it was called from.
      m.program(
        0x1020,
        asm("addi", 5, 5, 1),
        asm("slt", 7, 1, 3),
        asm("bne", 7, 6, 2),
        asm("addi", 15, 15, 8),
        asm("ret", 0, 15),
      );
      m.cpu.setR(2, 500n);
      m.cpu.setR(3, 400n);
      m.cpu.pc = 0x1000;
      expect(m.vcpu.run(100_000)).toBe("halted");
      const near = 400n;
      expect(m.cpu.r(5)).toBe(500n + near * 1100n);
    });

    test("code without end stays below the cap, and results are right", () => {
      const codeCap = 24 * 1024;
      const m = make({ region: { ...options.region, codeCap, maxInsns: 30 } });
      // A ring of 80 pieces; each turn goes through all of them, and an outer loop goes round.
      const pieces = 80;
      for (let i = 0; i < pieces; i++) {
        const last = i === pieces - 1;
        m.program(
          0x1_0000 + 32 * i,
          asm("addi", 1, 1, i),
          asm("bne", 3, 4, 2),
          asm("addi", 5, 5, 1),
          asm("jmp", 0, 0, last ? 5 : 5),
        );
      }
      m.program(0x1_0000 + 32 * pieces, asm("addi", 6, 6, 1), asm("bne", 6, 2, 2), asm("halt"), asm("jr", 0, 10));
      m.cpu.setR(10, 0x1_0000n);
      m.cpu.setR(2, 30n);
      m.cpu.setR(3, 1n);
      m.cpu.pc = 0x1_0000;
      expect(m.vcpu.run(10_000_000)).toBe("halted");
      expect(m.cpu.r(1)).toBe(BigInt(30 * ((pieces * (pieces - 1)) / 2)));
      const { evictions, codeBytes } = m.tcg.stats();
      if (name === "interp" || name === "wasm") return;
      expect(evictions).toBeGreaterThan(0);
      // The module that exceeds it is made first.
      expect(codeBytes).toBeLessThanOrEqual(codeCap + 8192);
    }, 60_000);
  });
}
