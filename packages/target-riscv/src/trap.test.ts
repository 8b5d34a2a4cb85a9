import { describe, expect, test } from "vitest";
import { SmallHart } from "../tests/small-hart.ts";
import { OFF } from "./state.ts";
import { pendingInterrupt, wfi } from "./trap.ts";

const U = 0, S = 1, M = 3; // prettier-ignore
const SIE = 1n << 1n, MIE = 1n << 3n, SPIE = 1n << 5n, MPIE = 1n << 7n, SPP = 1n << 8n; // prettier-ignore
const TW = 1n << 21n; // prettier-ignore
const mpp = (priv: number): bigint => BigInt(priv) << 11n;

function at(priv: number, mstatus: bigint, xlen: 32 | 64 = 64): SmallHart {
  const h = new SmallHart(xlen);
  h.setCsr(0x305, 0x8000_1000n);
  h.setCsr(0x105, 0x8000_2000n);
  h.setCsr(0x300, mstatus);
  h.hart.set(OFF.pc, 0x8000_0400 | 0, 0);
  h.hart.setPriv(priv);
  h.take();
  return h;
}
const pc = (h: SmallHart): bigint => h.hart.bits64(OFF.pc);
const trap = (h: SmallHart, cause: number, lo = 0, hi = 0): void => {
  h.hart.raise(cause, lo, hi);
  expect(h.fault()).toBe(cause);
  h.hart.deliver(cause);
};

describe("exceptions", () => {
  test("go to M and record where, why and what", () => {
    const h = at(S, MIE | SIE);
    trap(h, 13, 0x1234, 0x56);
    expect([pc(h), h.hart.priv, h.csr(0x341), h.csr(0x342), h.csr(0x343)]).toEqual([
      0x8000_1000n, M, 0x8000_0400n, 13n, 0x56_0000_1234n,
    ]); // prettier-ignore
    expect(h.csr(0x300) & 0xffffn).toBe(mpp(S) | MPIE | SIE);
  });
  test("go to S when delegated, from S and U but not from M", () => {
    for (const [from, to] of [
      [U, S],
      [S, S],
      [M, M],
    ] as const) {
      const h = at(from, SIE);
      h.setCsr(0x302, 1n << 13n);
      trap(h, 13, 7);
      expect(h.hart.priv).toBe(to);
      expect(pc(h)).toBe(to === S ? 0x8000_2000n : 0x8000_1000n);
      if (to !== S) continue;
      expect([h.csr(0x141), h.csr(0x142), h.csr(0x143)]).toEqual([0x8000_0400n, 13n, 7n]);
      expect(h.csr(0x100) & 0x1ffn).toBe((from === S ? SPP : 0n) | SPIE);
    }
  });
  test("ignore vectored mode", () => {
    const h = at(U, 0n);
    h.setCsr(0x305, 0x8000_1001n);
    trap(h, 2);
    expect(pc(h)).toBe(0x8000_1000n);
  });
  test("a trap ends a reservation", () => {
    const h = at(U, 0n);
    h.hart.set(OFF.resAddr, 0x100, 0);
    trap(h, 2);
    expect(h.hart.bits64(OFF.resAddr)).toBe(0xffff_ffff_ffff_ffffn);
  });
});

describe("interrupts", () => {
  test("priority: MEI MSI MTI SEI SSI STI", () => {
    const h = at(M, MIE);
    h.setCsr(0x304, 0xaaan);
    const seen: number[] = [];
    let left = 0xaaa;
    h.hart.setLo(OFF.irqLines, left);
    for (let n = pendingInterrupt(h.hart); n >= 0; n = pendingInterrupt(h.hart)) {
      seen.push(n);
      left &= ~(1 << n);
      h.hart.setLo(OFF.irqLines, left);
    }
    expect(seen).toEqual([11, 3, 7, 9, 1, 5]);
  });
  test.each([
    // level, mstatus, taken for M, taken for S (delegated)
    [M, 0n, false, false],
    [M, MIE | SIE, true, false],
    [S, 0n, true, false],
    [S, SIE, true, true],
    [U, 0n, true, true],
  ])("at level %i with mstatus %d", (priv, mstatus, forM, forS) => {
    const machine = at(priv, mstatus);
    machine.setCsr(0x304, 0x80n);
    machine.hart.setIrq(7, true);
    expect(machine.hart.interrupt()).toBe(forM);
    const supervisor = at(priv, mstatus);
    supervisor.setCsr(0x303, 0x222n);
    supervisor.setCsr(0x304, 0x200n);
    supervisor.hart.setIrq(9, true);
    expect(supervisor.hart.interrupt()).toBe(forS);
    if (forS) expect([supervisor.hart.priv, supervisor.csr(0x142)]).toEqual([S, (1n << 63n) | 9n]);
  });
  test("one for M goes before a delegated one that ranks higher", () => {
    const h = at(U, 0n);
    h.setCsr(0x303, 0x200n);
    h.setCsr(0x304, 0x220n);
    h.setCsr(0x344, 0x20n);
    h.hart.setIrq(9, true);
    expect(pendingInterrupt(h.hart)).toBe(5);
  });
  test("are vectored, and have the top bit in the cause on both widths", () => {
    for (const xlen of [32, 64] as const) {
      const h = at(U, 0n, xlen);
      h.setCsr(0x305, 0x8000_1001n);
      h.setCsr(0x304, 0x80n);
      h.hart.setIrq(7, true);
      expect(h.hart.interrupt()).toBe(true);
      expect(pc(h)).toBe(0x8000_101cn);
      expect(h.csr(0x342)).toBe((1n << BigInt(xlen - 1)) | 7n);
      expect(h.csr(0x343)).toBe(0n);
    }
  });
  test("kick when they can be taken, not otherwise", () => {
    const h = at(M, 0n);
    h.setCsr(0x304, 0x80n);
    h.hart.setIrq(7, true);
    expect(h.take()).toEqual([]);
    h.setCsr(0x300, MIE);
    expect(h.take()).toEqual(["kick"]);
    h.hart.setIrq(7, false);
    expect(h.take()).toEqual([]);
  });
  test("a supervisor software interrupt is an edge that software clears", () => {
    const h = at(M, 0n);
    h.hart.setIrq(1, true);
    h.hart.setIrq(1, false);
    expect(h.csr(0x344)).toBe(2n);
    h.setCsr(0x344, 0n);
    expect(h.csr(0x344)).toBe(0n);
  });
});

describe("wfi", () => {
  const halted = (h: SmallHart): number => h.hart.lo(24);
  test("halts until an interrupt enabled in mie is pending, whatever mstatus says", () => {
    const h = at(M, 0n);
    h.setCsr(0x304, 0x80n);
    wfi(h.hart, 0x10500073);
    expect([halted(h), h.hart.hasWork()]).toEqual([1, false]);
    h.take();
    h.hart.setIrq(3, true);
    expect([h.hart.hasWork(), h.take()]).toEqual([false, []]);
    h.hart.setIrq(7, true);
    expect([h.hart.hasWork(), h.take()]).toEqual([true, ["kick"]]);
    expect(h.hart.interrupt()).toBe(false);
  });
  test("does not halt when there is one already", () => {
    const h = at(M, 0n);
    h.setCsr(0x304, 0x80n);
    h.hart.setIrq(7, true);
    wfi(h.hart, 0x10500073);
    expect(halted(h)).toBe(0);
  });
  test.each([
    [M, TW, true],
    [S, 0n, true],
    [S, TW, false],
    [U, 0n, false],
  ])("at level %i with mstatus %d: legal %s", (priv, mstatus, ok) => {
    const h = at(priv, mstatus);
    wfi(h.hart, 0x10500073);
    expect(h.fault()).toBe(ok ? undefined : 2);
    expect(halted(h)).toBe(ok ? 1 : 0);
  });
});
