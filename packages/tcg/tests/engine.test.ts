import { describe, expect, test } from "vitest";
import { ENV } from "../src/index.ts";
import type { BackEnd } from "../src/index.ts";
import { asm, MMIO, ToyMachine, VECTOR } from "./toy.ts";

const backends: BackEnd[] = ["interp", "wasm", "auto", "region"];

const cases = [...backends.map((backend) => ({ backend, shared: false })), { backend: "auto", shared: true } as const];

for (const { backend, shared } of cases) {
  describe.skipIf(shared && typeof SharedArrayBuffer === "undefined")(
    shared ? `${backend}, on shared memory` : backend,
    () => {
      const make = (options = {}): ToyMachine =>
        new ToyMachine({ backend, hotThreshold: 2, batch: 1, ...options }, undefined, shared);

      /** r1 = sum of 1..r2, then halt. */
      const sum = [
        asm("addi", 1, 0, 0), //
        asm("addi", 3, 0, 0),
        asm("addi", 3, 3, 1),
        asm("add", 1, 1, 3),
        asm("bne", 3, 2, -2),
        asm("halt"),
      ];

      test("a loop runs, chained, and counts its instructions", () => {
        const m = make();
        m.program(0x1000, ...sum);
        m.cpu.pc = 0x1000;
        m.cpu.setR(2, 1000n);
        expect(m.vcpu.run(1_000_000)).toBe("halted");
        expect(m.cpu.r(1)).toBe(500500n);
        expect(m.vcpu.executed).toBe(2 + 3000 + 1);
        expect(m.tcg.stats().lookups).toBeLessThan(10);
      });

      test("an exact budget stops at the instruction, and going on gives the same result", () => {
        const whole = make({ exact: true });
        const m = make({ exact: true });
        for (const it of [whole, m]) {
          it.program(0x1000, ...sum);
          it.cpu.pc = 0x1000;
          it.cpu.setR(2, 50n);
        }
        expect(whole.vcpu.run(1000)).toBe("halted");
        let total = 0;
        for (let n = 1; m.vcpu.run(n) === "budget"; n = (n % 7) + 1) {
          total += n;
          expect(m.vcpu.executed).toBe(total);
        }
        expect(m.cpu.r(1)).toBe(1275n);
        expect(m.vcpu.executed).toBe(whole.vcpu.executed);
      });

      test("an inexact budget makes progress and never runs over by more than a block, or the copies of a loop", () => {
        const m = make();
        m.program(0x1000, ...sum);
        m.cpu.pc = 0x1000;
        m.cpu.setR(2, 50n);
        let runs = 0;
        while (m.vcpu.run(1) === "budget") runs++;
        expect(runs).toBeGreaterThan(backend === "region" ? 10 : 40);
        expect(m.cpu.r(1)).toBe(1275n);
      });

      test("loads and stores of each width, within and across pages, aligned or not", () => {
        const m = make();
        m.program(
        0x1000,
        asm("st", 2, 1, 0), asm("ld", 3, 1, 0), asm("ldw", 4, 1, 0), asm("ldb", 5, 1, 1),
        asm("stb", 2, 1, 16), asm("sth", 2, 1, 25), asm("halt"),
      ); // prettier-ignore
        for (const at of [0x2000, 0x2001, 0x2ffc, 0x2ff9]) {
          m.cpu.pc = 0x1000;
          m.cpu.setR(1, BigInt(at));
          m.cpu.setR(2, 0x1122_3344_8566_7788n);
          m.setU64(at + 24, 0n);
          expect(m.vcpu.run(100)).toBe("halted");
          m.vcpu.cpu; // eslint-disable-line
          expect(m.u64(at)).toBe(0x1122_3344_8566_7788n);
          expect(m.cpu.r(3)).toBe(0x1122_3344_8566_7788n);
          expect(m.cpu.r(4)).toBe(0xffff_ffff_8566_7788n);
          expect(m.cpu.r(5)).toBe(0x77n);
          expect(m.u64(at + 16) & 0xffn).toBe(0x88n);
          expect(m.u64(at + 24)).toBe(0x77_8800n);
          m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        }
      });

      test("an access across two pages that map apart touches both; a fault in the second changes nothing", () => {
        const m = make();
        m.program(0x1000, asm("st", 2, 1, 0), asm("halt"));
        m.program(VECTOR, asm("halt"));
        m.cpu.map.set(3, 9);
        m.cpu.pc = 0x1000;
        m.cpu.setR(1, 0x2ffcn);
        m.cpu.setR(2, 0x1122_3344_5566_7788n);
        m.vcpu.run(100);
        expect(m.u64(0x2ff8) >> 32n).toBe(0x5566_7788n);
        expect(m.u64(0x9000) & 0xffff_ffffn).toBe(0x1122_3344n);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.map.set(3, -1);
        m.vcpu.flushTlb(-1);
        m.cpu.pc = 0x1000;
        m.cpu.setR(2, 0n);
        m.vcpu.run(100);
        expect(m.cpu.faults).toEqual(["2@1000"]);
        expect(m.cpu.tval).toBe(0x3000);
        expect(m.u64(0x2ff8) >> 32n).toBe(0x5566_7788n);
      });

      test("a fault in the middle of a block is precise", () => {
        const m = make();
        m.program(
        0x1000,
        asm("addi", 1, 0, 7), asm("addi", 2, 0, 5), asm("ld", 1, 3, 0), asm("addi", 2, 0, 9), asm("halt"),
      ); // prettier-ignore
        m.program(VECTOR, asm("halt"));
        m.cpu.map.set(0x50, -1);
        m.cpu.setR(3, 0x5_0000n);
        m.cpu.pc = 0x1000;
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.cpu.faults).toEqual(["1@1008"]);
        expect(m.cpu.r(1)).toBe(7n);
        expect(m.cpu.r(2)).toBe(5n);
        expect(m.vcpu.executed).toBe(2 + 1 + 1);
      });

      test("a helper raises, takes and gives 64-bit values", () => {
        const m = make();
        m.program(0x1000, asm("twice", 1, 2), asm("sys", 0, 0, 42), asm("halt"));
        m.program(VECTOR, asm("halt"));
        m.cpu.setR(2, 0x8000_0000_4000_0001n);
        m.cpu.pc = 0x1000;
        m.vcpu.run(100);
        expect(m.cpu.r(1)).toBe(0x8000_0002n);
        expect(m.cpu.faults).toEqual(["42@1004"]);
      });

      test("MMIO goes to the bus; unassigned memory to the target", () => {
        const m = make();
        m.program(
        0x1000,
        asm("ldw", 1, 2, 4), asm("stb", 1, 2, 1), asm("ld", 3, 2, 8), asm("st", 3, 2, 16), asm("ld", 4, 5, 0),
      ); // prettier-ignore
        m.program(VECTOR, asm("halt"));
        m.cpu.setR(2, BigInt(MMIO));
        m.cpu.setR(5, BigInt(MMIO + 0x5000));
        m.cpu.pc = 0x1000;
        m.vcpu.run(100);
        expect(m.log.slice(0, 6)).toEqual(["r4@4", "w1@1=78", "r4@8", "r4@c", "w4@10=12345678", "w4@14=12345678"]);
        expect(m.cpu.r(3)).toBe(0x1234_5678_1234_5678n);
        expect(m.cpu.faults).toEqual(["4@1010"]);
      });

      test("code that is overwritten is translated again", () => {
        const m = make();
        // Patches the target of the jump, first from its own page, then from another.
        m.program(0x1000, asm("addi", 1, 1, 1), asm("jr", 0, 9));
        m.program(0x1100, asm("stb", 4, 5, 0), asm("jr", 0, 8));
        m.cpu.setR(8, 0x1000n);
        m.cpu.setR(5, 0x1000n);
        m.cpu.setR(4, 16n);
        m.program(0x3000, asm("halt"));
        m.cpu.setR(9, 0x1100n);
        m.cpu.pc = 0x1000;
        m.vcpu.run(3);
        expect(m.cpu.r(1)).toBe(1n);
        m.cpu.setR(9, 0x3000n);
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.cpu.r(1)).toBe(17n);
        expect(m.tcg.stats().invalidations).toBeGreaterThan(0);
      });

      test("writes by others drop translations, and the page is no longer watched", () => {
        const m = make();
        m.program(0x1000, asm("addi", 1, 1, 1), asm("halt"));
        m.cpu.pc = 0x1000;
        m.vcpu.run(10);
        expect([...m.watched]).toEqual([m.ram + 0x1000]);
        m.program(0x1000, asm("addi", 1, 1, 100));
        m.codeWritten(m.ram + 0x1000, 4);
        expect([...m.watched]).toEqual([]);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.pc = 0x1000;
        m.vcpu.run(10);
        expect(m.cpu.r(1)).toBe(101n);
      });

      test("the same code at two virtual addresses, and a remapped page", () => {
        const m = make();
        m.program(0x4000, asm("addi", 1, 1, 1), asm("halt"));
        m.program(0x5000, asm("addi", 1, 1, 16), asm("halt"));
        const go = (pc: number): bigint => {
          m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
          m.cpu.setR(1, 0n);
          m.cpu.pc = pc;
          m.vcpu.run(10);
          return m.cpu.r(1);
        };
        m.cpu.map.set(0x20, 4);
        m.cpu.map.set(0x21, 4);
        expect([go(0x20000), go(0x21000)]).toEqual([1n, 1n]);
        m.cpu.map.set(0x20, 5);
        m.vcpu.flushTlbPage(0x20000, 0);
        expect([go(0x20000), go(0x21000)]).toEqual([16n, 1n]);
        m.cpu.map.set(0x21, 5);
        m.vcpu.flushTlb(-1);
        expect(go(0x21000)).toBe(16n);
      });

      test("a page within a large mapping flushes the whole of it", () => {
        const m = make();
        m.cpu.large = (page) => (page < 0x80 ? 18 : 12);
        m.program(0x1000, asm("ld", 1, 2, 0), asm("halt"));
        m.setU64(0x9000, 9n);
        m.setU64(0x8000, 8n);
        m.cpu.setR(2, 0x9000n);
        m.cpu.pc = 0x1000;
        m.vcpu.run(10);
        expect(m.cpu.r(1)).toBe(9n);
        m.cpu.map.set(9, 8);
        m.vcpu.flushTlbPage(0x4000, 0);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.pc = 0x1000;
        m.vcpu.run(10);
        expect(m.cpu.r(1)).toBe(8n);
      });

      test("instructions run across a page boundary; a fetch fault in the second page comes when it is reached", () => {
        const m = make();
        m.program(0x1ffc, asm("addi", 1, 1, 1));
        m.program(0x2000, asm("addi", 1, 1, 2), asm("halt"));
        m.program(VECTOR, asm("halt"));
        m.cpu.pc = 0x1ffc;
        m.vcpu.run(10);
        expect(m.cpu.r(1)).toBe(3n);
        m.cpu.map.set(2, -1);
        m.vcpu.flushTlb(-1);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.pc = 0x1ffc;
        m.vcpu.run(10);
        expect(m.cpu.r(1)).toBe(4n);
        expect(m.cpu.faults).toEqual(["3@2000"]);
      });

      test("an interrupt is taken at a block's start, when a device asks for it within a run", () => {
        const m = make();
        m.program(0x1000, asm("st", 1, 2, 0), asm("addi", 1, 1, 1), asm("jmp", 0, 0, 0));
        m.program(VECTOR, asm("halt"));
        m.cpu.setR(2, BigInt(MMIO));
        m.onMmio = (offset) => {
          if (offset !== 4) return;
          m.cpu.pending = true;
          m.tcg.kick(m.cpu.env);
        };
        m.cpu.pc = 0x1000;
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.cpu.faults).toEqual(["99@1008"]);
        expect(m.cpu.r(1)).toBe(1n);
        expect(m.vcpu.executed).toBeLessThan(10);
      });

      test("a masked interrupt waits until the code unmasks it", () => {
        const m = make();
        m.program(0x1000, asm("mask", 0, 0, 1), asm("addi", 1, 1, 1), asm("mask", 0, 0, 0), asm("halt"));
        m.program(VECTOR, asm("halt"));
        m.cpu.pending = false;
        m.cpu.pc = 0x1000;
        m.vcpu.run(1);
        m.cpu.pending = true;
        m.vcpu.run(100);
        expect(m.cpu.faults).toEqual(["99@100c"]);
        expect(m.cpu.r(1)).toBe(1n);
      });

      test("kick leaves the run loop and loses no instruction of the count", () => {
        const m = make();
        m.program(0x1000, asm("st", 1, 2, 0), asm("addi", 1, 1, 1), asm("bne", 1, 3, -2), asm("halt"));
        m.cpu.setR(2, BigInt(MMIO));
        m.cpu.setR(3, 10n);
        let kicks = 0;
        m.onMmio = (offset) => {
          if (offset === 0) m.vcpu.kick();
        };
        m.cpu.pc = 0x1000;
        while (m.vcpu.run(1000) === "kick") kicks++;
        // A loop in a region may do its copies before it looks.
        if (backend === "region") expect(kicks).toBeGreaterThan(2);
        else expect(kicks).toBe(10);
        expect(m.vcpu.executed).toBe(31);
      });

      test("a guest that pauses again and again gives the thread back long before its budget is used up", () => {
        const m = make();
        m.program(0x1000, asm("pause"), asm("addi", 1, 1, 1), asm("jmp", 0, 0, -2));
        m.cpu.pc = 0x1000;
        expect(m.vcpu.run(1_000_000)).toBe("kick");
        expect(m.vcpu.executed).toBeLessThan(1000);
        const rounds = m.cpu.r(1);
        expect(m.vcpu.run(1_000_000)).toBe("kick");
        expect(m.cpu.r(1)).toBeGreaterThan(rounds);
      });

      test("thousands of pages are found again without a walk", () => {
        const m = make();
        const pages = 12000;
        // r1 = sum of a byte of each page; the second round finds all translations.
        m.program(
          0x1000,
          asm("ldb", 4, 2, 0),
          asm("add", 1, 1, 4),
          asm("add", 2, 2, 5),
          asm("bne", 2, 3, -3),
          asm("halt"),
        );
        for (let n = 0; n < 16; n++) m.setU64(0x10000 + n * 4096, BigInt(n * 3));
        for (let page = 0x100; page < 0x100 + pages; page++) m.cpu.map.set(page, 0x10 + (page & 15));
        let sum = 0n;
        for (let page = 0; page < pages; page++) sum += m.u64(0x10000 + ((page & 15) << 12)) & 0xffn;
        const round = (): void => {
          m.tcg.i32[(m.cpu.env + ENV.halted) >>> 2] = 0;
          m.cpu.pc = 0x1000;
          m.cpu.setR(1, 0n);
          m.cpu.setR(2, 0x100000n);
          m.cpu.setR(3, BigInt(0x100000 + pages * 4096));
          m.cpu.setR(5, 4096n);
          while (m.vcpu.run(1_000_000) !== "halted");
          expect(m.cpu.r(1)).toBe(sum);
        };
        round();
        const { walks } = m.cpu;
        round();
        expect(m.cpu.walks - walks).toBeLessThan(pages / 2);
        // A flush forgets them all.
        m.tcg.flushTlb(m.cpu.env, -1);
        round();
        expect(m.cpu.walks - walks).toBeGreaterThan(pages - 1);
      });

      test("halted until there is work", () => {
        const m = make();
        m.program(0x1000, asm("halt"), asm("addi", 1, 1, 1), asm("halt"));
        m.program(VECTOR, asm("eret"));
        m.cpu.pc = 0x1000;
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.cpu.r(1)).toBe(0n);
        m.cpu.pending = true;
        expect(m.vcpu.run(100)).toBe("halted");
        expect(m.cpu.r(1)).toBe(1n);
      });

      test("atomics return the old value extended", () => {
        const m = make();
        m.program(0x1000, asm("amoadd", 1, 2, 3), asm("cas", 4, 5, 6), asm("cas", 7, 5, 6), asm("halt"));
        m.setU64(0x2000, 0x1_8000_0000n);
        m.setU64(0x2008, 5n);
        m.cpu.setR(2, 0x2000n);
        m.cpu.setR(3, 3n);
        m.cpu.setR(4, 4n);
        m.cpu.setR(7, 5n);
        m.cpu.setR(5, 0x2008n);
        m.cpu.setR(6, 77n);
        m.cpu.pc = 0x1000;
        m.vcpu.run(100);
        expect(m.cpu.r(1)).toBe(0xffff_ffff_8000_0000n);
        expect(m.u64(0x2000)).toBe(0x1_8000_0003n);
        expect(m.cpu.r(4)).toBe(5n);
        expect(m.cpu.r(7)).toBe(5n);
        expect(m.u64(0x2008)).toBe(77n);
      });

      test("a full arena is flushed and the guest goes on", () => {
        // Each new block would make the region around it again.
        const m = make({ tbSize: 1 << 18, region: { maxInsns: 8 } });
        // A long chain of one-instruction blocks: jmp +1, over and over, in several pages.
        const words: number[] = [];
        for (let i = 0; i < 5000; i++) words.push(asm("jmp", 0, 0, 1));
        m.program(0x1_0000, ...words, asm("addi", 1, 1, 1), asm("halt"));
        for (let round = 1; round <= 2; round++) {
          m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
          m.cpu.pc = 0x1_0000;
          expect(m.vcpu.run(1_000_000)).toBe("halted");
          expect(m.cpu.r(1)).toBe(BigInt(round));
        }
        expect(m.tcg.stats().flushes).toBeGreaterThan(0);
      }, 60_000);

      test("a block that spans two pages, and jumps between pages, go through the jump cache", () => {
        const m = make();
        // r1 counts; the loop goes 0x1ffc -> 0x3000 -> 0x1ffc.
        m.program(0x1ffc, asm("addi", 1, 1, 1));
        m.program(0x2000, asm("bne", 1, 2, 0x400), asm("halt"));
        m.program(0x3000, asm("jmp", 0, 0, -0x401));
        m.cpu.setR(2, 500n);
        m.cpu.pc = 0x1ffc;
        expect(m.vcpu.run(10_000)).toBe("halted");
        expect(m.cpu.r(1)).toBe(500n);
        expect(m.tcg.stats().lookups).toBeLessThan(30);
        // What the jump cache knew must not outlive a page's mapping.
        m.program(0x9000, asm("halt"));
        m.cpu.map.set(3, 9);
        m.vcpu.flushTlbPage(0x3000, 0);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.setR(1, 0n);
        m.cpu.pc = 0x1ffc;
        expect(m.vcpu.run(10_000)).toBe("halted");
        expect(m.cpu.r(1)).toBe(1n);
      });

      test("a jump to any address, even one that no code can have, misses in an empty jump cache", () => {
        const m = make();
        m.program(0x1000, asm("jr", 0, 2), asm("halt"));
        m.program(VECTOR, asm("halt"));
        for (const at of [-1n, 0n, 2n, -2n, 0xffff_ffffn]) {
          m.cpu.map.set(Number((at >> 12n) & 0xfffffn), -1);
          m.vcpu.flushTlb(-1);
          m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
          m.cpu.faults.length = 0;
          m.cpu.setR(2, BigInt.asUintN(64, at));
          m.cpu.pc = 0x1000;
          expect(m.vcpu.run(100)).toBe("halted");
          expect(m.cpu.faults).toEqual([`3@${BigInt.asUintN(32, at).toString(16)}`]);
        }
      });

      test("breakpoints stop before the instruction, and stepping goes one by one", () => {
        const m = make();
        m.program(0x1000, ...sum);
        m.cpu.pc = 0x1000;
        m.cpu.setR(2, 3n);
        m.tcg.setBreakpoints([0x100cn]);
        for (let i = 1; i <= 3; i++) {
          expect(m.vcpu.run(1000)).toBe("debug");
          expect(m.cpu.pc).toBe(0x100c);
          expect(m.cpu.r(3)).toBe(BigInt(i));
        }
        expect(m.vcpu.run(1000)).toBe("halted");
        m.tcg.setBreakpoints([]);
        m.tcg.i32[(m.cpu.env + 24) >>> 2] = 0;
        m.cpu.pc = 0x1000;
        expect(m.vcpu.step()).toBe("debug");
        expect(m.cpu.pc).toBe(0x1004);
      });

      test("tracing shows guest code, IR and each block, and statistics count", () => {
        const seen: Record<string, string[]> = { inAsm: [], op: [], opOpt: [], exec: [] };
        const m = make({
          trace: {
            inAsm: (text: string) => seen["inAsm"]!.push(text),
            op: (text: string) => seen["op"]!.push(text),
            opOpt: (text: string) => seen["opOpt"]!.push(text),
            exec: (pc: number) => seen["exec"]!.push(pc.toString(16)),
          },
        });
        m.program(0x1000, ...sum);
        m.cpu.pc = 0x1000;
        m.cpu.setR(2, 4n);
        expect(m.vcpu.run(1000)).toBe("halted");
        expect(m.cpu.r(1)).toBe(10n);
        expect(seen["exec"]).toEqual(["1000", "1008", "1008", "1008", "1014"]);
        expect(seen["inAsm"]![0]).toContain("0x100c:  add r1, r1");
        expect(seen["op"]![0]).toContain("brcond");
        expect(seen["opOpt"]!.length).toBeGreaterThan(backend === "auto" ? 0 : 2);
        const stats = m.tcg.stats();
        expect(stats).toMatchObject({ blocks: 3, guestInsns: 5 + 3 + 1, flushes: 0, uncompilable: 0 });
        expect(stats.exits.halt).toBe(1);
        expect(stats.arenaBytes).toBeGreaterThan(3 * 48);
        expect(m.vcpu.executed).toBe(2 + 3 * 4 + 1);
      });

      test("traced stores leave the same hash whatever the block sizes", () => {
        const hash = (maxInsns: number): bigint => {
          const m = make({ traceStores: true, maxInsns });
          m.program(0x1000, asm("addi", 1, 1, 8), asm("st", 1, 1, 0x3000), asm("bne", 1, 2, -2), asm("halt"));
          m.cpu.setR(2, 80n);
          m.cpu.pc = 0x1000;
          m.vcpu.run(1000);
          const view = new DataView(m.memory.buffer);
          expect(view.getBigUint64(m.cpu.env + 72, true)).toBe(10n);
          return view.getBigUint64(m.cpu.env + 64, true);
        };
        expect(hash(64)).toBe(hash(1));
      });
    },
  );
}
