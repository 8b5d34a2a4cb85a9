/** The privileged architecture as running code sees it: translated code, its TLB and the CPU state together. */
import { ENV, type BackEnd } from "@mimus/tcg";
import { describe, expect, it } from "vitest";
import { EXC } from "../src/constants.ts";
import type { Xlen } from "../src/state.ts";
import { DATA, HANDLER, RAM, RunningHart, type RunOptions } from "./running-hart.ts";

const V = 1n, R = 2n, W = 4n, X = 8n, U = 16n, A = 64n, D = 128n; // prettier-ignore
const RWX = V | R | W | X | A | D;
const pte = (address: number, flags: bigint): bigint => ((BigInt(address) >> 12n) << 10n) | flags;
const TABLES = RAM + 0x20000;

/** Sv39: the first GiB-page entry leads to 2 MiB tables, those to `pages`; RAM itself is a gigapage for S. */
function paged(h: RunningHart, pages: readonly (readonly [va: number, flags: bigint, pa: number])[], ram = RWX): void {
  const put = (at: number, value: bigint): void => h.ram.setBigUint64(at - RAM, value, true);
  put(TABLES + 8 * 2, pte(RAM, ram));
  put(TABLES, pte(TABLES + 0x1000, V));
  put(TABLES + 0x1000, pte(TABLES + 0x2000, V));
  for (const [va, flags, pa] of pages) put(TABLES + 0x2000 + 8 * (va >> 12), pte(pa, flags));
  h.hart.csrs.write(0x180, (8n << 60n) | (BigInt(TABLES) >> 12n));
}

describe.each<BackEnd>(["interp", "wasm"])("on %s", (backend) => {
  const hart = (options: RunOptions = {}): RunningHart => new RunningHart({ backend, ...options });

  describe("modes", () => {
    it.each([64, 32] as Xlen[])("RV%i: M to S to U and back by delegation", (xlen) => {
      const h = hart({ xlen });
      const trap = h.run(`
        li t0, 0x100
        csrw medeleg, t0        # ecall from U goes to S
        la t0, in_s
        csrw mepc, t0
        li t0, 0x1800
        csrc mstatus, t0
        li t0, 0x800
        csrs mstatus, t0
        mret
      in_s:
        la t0, from_u
        csrw stvec, t0
        la t0, in_u
        csrw sepc, t0
        li t0, 0x100
        csrc sstatus, t0
        sret
      in_u:
        li a0, 7
        ecall
      from_u:
        csrr a1, scause
        csrr a2, sepc
        ecall`);
      expect(trap.cause).toBe(EXC.ECALL_S);
      expect([h.x(10), h.x(11)]).toEqual([7n, 8n]);
      expect(trap.epc - h.x(12)).toBe(12n);
    });

    it("a CSR write that opens an interrupt is followed by it at once", () => {
      const h = hart();
      h.hart.setIrq(7, true);
      h.run(`
        la t0, handler
        csrw mtvec, t0
        li t0, 0x80
        csrw mie, t0
        li a0, 1
        csrsi mstatus, 8
      next:
        li a0, 2
      handler:
        csrr a1, mcause
        csrr a2, mepc
        la a3, next
        csrw mie, zero
        li t0, ${HANDLER}
        csrw mtvec, t0
        ecall`);
      expect([h.x(10), h.x(11)]).toEqual([1n, (1n << 63n) | 7n]);
      expect(h.x(12)).toBe(h.x(13));
    });

    it("wfi halts until the line rises, then goes on behind it", () => {
      const h = hart();
      const source = "li t0, 0x80\ncsrw mie, t0\nwfi\nli a0, 3\necall";
      expect(() => h.run(source)).toThrow(/halted/);
      expect(h.x(10)).toBe(0n);
      h.hart.setIrq(7, true);
      h.vcpu.run(100);
      expect([h.x(10), h.hart.lo(ENV.halted)]).toEqual([3n, 0]);
    });

    it("counts instructions exactly", () => {
      const h = hart();
      h.hart.counters.setExecuted(() => h.vcpu.executed);
      h.run(
        "csrr a0, minstret\nnop\nnop\nnop\ncsrr a1, minstret\nli t0, 100\ncsrw minstret, t0\ncsrr a2, minstret\ncsrr a3, minstret\necall",
      );
      expect([h.x(11) - h.x(10), h.x(12), h.x(13)]).toEqual([4n, 100n, 101n]);
    });
  });

  describe("translation", () => {
    const S = { priv: 1 } as const;
    it("loads, stores and runs through the tables", () => {
      const h = hart(S);
      paged(h, [[0x5000, RWX, DATA]]);
      h.run("li t0, 0x5008\nli t1, 0x73\nsw t1, 0(t0)\nlw a0, 0(t0)\njr t0");
      expect([h.x(10), h.csr(0x341), h.csr(0x342)]).toEqual([0x73n, 0x5008n, 9n]);
      expect(h.ram.getUint32(DATA + 8 - RAM, true)).toBe(0x73);
    });

    it.each([
      ["load", "ld a0, 8(t0)", 0n, 13],
      ["store", "sd a0, 8(t0)", V | R | A, 15],
      ["amo", "amoadd.d a0, a0, (t0)", V | R | A, 15],
      ["fetch", "jr t0", V | R | W | A | D, 12],
      ["load of a user page", "ld a0, 8(t0)", RWX | U, 13],
    ])("%s: fault at the exact instruction and address", (_name, insn, flags, cause) => {
      const h = hart(S);
      paged(h, [[0x5000, flags, DATA]]);
      const trap = h.run(`li t0, 0x5000\nli a0, 1\nli a1, 1\n${insn}\nli a1, 2`);
      const offset = /8\(t0\)/.test(insn) ? 8n : 0n;
      expect(trap).toEqual({ cause, epc: cause === 12 ? 0x5000n : BigInt(RAM + 12), tval: 0x5000n + offset });
      expect(h.x(11)).toBe(1n);
    });

    it("an access across pages reports the page that failed, and stores nothing", () => {
      const h = hart(S);
      paged(h, [[0x5000, RWX, DATA]]);
      expect(h.run("li t0, 0x5ffc\nli t1, -1\nsd t1, 0(t0)")).toMatchObject({ cause: 15, tval: 0x6000n });
      expect(h.ram.getUint32(DATA + 0xffc - RAM, true)).toBe(0);
    });

    it("an old translation lasts until sfence.vma at the latest", () => {
      const h = hart(S);
      paged(h, [[0x5000, RWX, DATA]]);
      h.ram.setUint32(DATA - RAM, 1, true);
      h.ram.setUint32(DATA + 0x1000 - RAM, 2, true);
      h.run(`
        li t0, 0x5000
        lw a0, 0(t0)
        li t1, ${TABLES + 0x2000 + 8 * 5}
        li t2, ${pte(DATA + 0x1000, RWX)}
        sd t2, 0(t1)
        sfence.vma t0, zero
        lw a1, 0(t0)
        ecall`);
      expect([h.x(10), h.x(11)]).toEqual([1n, 2n]);
    });

    it("SUM opens user pages while it is set", () => {
      const h = hart(S);
      paged(h, [[0x5000, RWX | U, DATA]]);
      h.ram.setUint32(DATA - RAM, 9, true);
      const trap = h.run(
        "li t0, 0x5000\nli t1, 0x40000\ncsrs sstatus, t1\nlw a0, 0(t0)\ncsrc sstatus, t1\nlw a1, 0(t0)",
      );
      expect([h.x(10), trap.cause]).toEqual([9n, 13]);
    });

    it("MPRV lends M-mode the eyes of MPP, for data only", () => {
      const h = hart();
      paged(h, [[0x5000, RWX | U, DATA]]);
      h.ram.setUint32(DATA - RAM, 9, true);
      const trap = h.run(
        "li t1, 0x1800\ncsrc mstatus, t1\nli t0, 0x5000\nli t1, 0x20000\ncsrs mstatus, t1\nlw a0, 0(t0)\nli t0, 0x7000\nlw a1, 0(t0)",
      );
      expect([h.x(10), trap.cause, trap.tval]).toEqual([9n, 13, 0x7000n]);
    });

    it("a store sets D, after a load that set A only", () => {
      const h = hart(S);
      paged(h, [[0x5000, V | R | W, DATA]]);
      const leaf = TABLES + 0x2000 + 8 * 5;
      h.run(`li t0, 0x5000\nli t1, ${leaf}\nlw a0, 0(t0)\nld a1, 0(t1)\nsw a0, 0(t0)\nld a2, 0(t1)\necall`);
      expect([h.x(11) & 0xffn, h.x(12) & 0xffn]).toEqual([V | R | W | A, V | R | W | A | D]);
    });

    it("global mappings outlast a change of the address space, others do not; sfence.vma of all ends both", () => {
      const h = hart(S);
      const G = 32n;
      paged(h, [[0x5000, RWX | G, DATA], [0x6000, RWX, DATA]]); // prettier-ignore
      h.ram.setUint32(DATA - RAM, 1, true);
      h.ram.setUint32(DATA + 0x1000 - RAM, 2, true);
      const leaf = TABLES + 0x2000;
      const load = (x: string, y: string): string => `li t0, 0x5000\nlw ${x}, 0(t0)\nli t0, 0x6000\nlw ${y}, 0(t0)\n`;
      h.run(`
        ${load("a0", "a1")}
        li t1, ${pte(DATA + 0x1000, RWX | G)}
        li t2, ${leaf + 8 * 5}
        sd t1, 0(t2)
        li t1, ${pte(DATA + 0x1000, RWX)}
        li t2, ${leaf + 8 * 6}
        sd t1, 0(t2)
        li t1, ${(8n << 60n) | (1n << 44n) | (BigInt(TABLES) >> 12n)}
        csrw satp, t1
        ${load("a2", "a3")}
        li t1, 1
        sfence.vma zero, t1
        ${load("a4", "a5")}
        sfence.vma
        ${load("a6", "a7")}
        ecall`);
      expect([10, 11, 12, 13, 14, 15, 16, 17].map((n) => Number(h.x(n)))).toEqual([1, 1, 1, 2, 1, 2, 2, 2]);
    });

    it("satp with another table changes what is seen", () => {
      const h = hart(S);
      paged(h, [[0x5000, RWX, DATA]]);
      h.ram.setUint32(DATA - RAM, 9, true);
      // The second root maps RAM only.
      h.ram.setBigUint64(TABLES + 0x4000 + 16 - RAM, pte(RAM, RWX), true);
      const trap = h.run(
        `li t0, 0x5000\nlw a0, 0(t0)\nli t1, ${(8n << 60n) | (BigInt(TABLES + 0x4000) >> 12n)}\ncsrw satp, t1\nlw a1, 0(t0)`,
      );
      expect([h.x(10), trap.cause]).toEqual([9n, 13]);
    });
  });

  describe("protection", () => {
    it("holds for four bytes in a page", () => {
      const h = hart({ priv: 1 });
      h.hart.csrs.write(0x3b0, BigInt(DATA + 0x10) / 4n);
      h.hart.csrs.write(0x3b1, (1n << 54n) - 1n);
      h.hart.csrs.write(0x3a0, 0x1f11n);
      const trap = h.run(`li t0, ${DATA}\nsw t0, 0xc(t0)\nlw a0, 0x10(t0)\nsw t0, 0x14(t0)\nli a1, 1\nsw t0, 0x10(t0)`);
      expect([trap.cause, trap.tval, h.x(11)]).toEqual([7, BigInt(DATA + 0x10), 1n]);
      expect(h.ram.getUint32(DATA + 0x14 - RAM, true)).toBe(DATA);
    });
    it("nowhere to fetch from is an access fault", () => {
      expect(hart().run("li t0, 0x1000\njr t0")).toEqual({ cause: 1, epc: 0x1000n, tval: 0x1000n });
    });
  });
});
