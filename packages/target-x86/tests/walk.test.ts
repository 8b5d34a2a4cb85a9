/** The page walk in WebAssembly does what the one in src/mmu/walk.ts does, or nothing. */
import { ENV, FILL, fillList, forMemory, TLB_ENTRIES, TLB_ENTRY_SIZE } from "@mimus/tcg";
import { expect, it } from "vitest";
import { bytes } from "../src/generated/integer-wasm.ts";
import { ALL_INDEXES, HF, MMU, MMU_INDEXES, OFF } from "../src/state.ts";
import { CR0, CR4, EFER, PTE } from "../src/system/bits.ts";
import { SYS } from "../src/system/state.ts";
import { WholeMachine } from "./whole-machine.ts";

type Fill = (env: number, address: bigint, access: number, mmu: number, log2: number) => number;

/** Numbers from 0 to below `n`, the same in each run. */
function randoms(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const PAGES = 8;
/** Where tables and pages are: the low MiB. */
const TABLES = 0x10_0000;

class Subject {
  readonly m = new WholeMachine({ size: 4 << 20 });
  readonly fill: Fill;

  constructor() {
    const { memory } = this.m.machine;
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(forMemory(bytes, memory) as Uint8Array<ArrayBuffer>),
      {
        env: { memory: memory as WebAssembly.Memory },
      },
    );
    this.fill = exports["fill_tlb"] as Fill;
  }

  /** Turns paging on, with tables at 1 MiB. */
  page(kind: "legacy" | "pae" | "long", cr0: number, cr4: number, nxe: boolean): void {
    const { cpu } = this.m;
    cpu.set(OFF.cr3, TABLES, 0);
    cpu.set(OFF.cr4, cr4 | (kind === "legacy" ? 0 : CR4.PAE), 0);
    cpu.set(OFF.efer, (kind === "long" ? EFER.LME | EFER.LMA : 0) | (nxe ? EFER.NXE : 0), 0);
    cpu.set(OFF.cr0, CR0.PE | CR0.PG | 0x10 | cr0, 0);
    cpu.stateReplaced();
    // As in 64-bit code, whose addresses nobody has cut.
    cpu.setLo(ENV.tbFlags, (cpu.lo(ENV.tbFlags) & ~(3 << HF.codeShift)) | (2 << HF.codeShift));
  }

  entry(lo: number, mmu: number): number {
    return ENV.tlb + (mmu * TLB_ENTRIES + ((lo >>> 12) & (TLB_ENTRIES - 1))) * TLB_ENTRY_SIZE;
  }

  /** What the walk in TypeScript does, in words; the tables are as it leaves them. */
  slow(lo: number, hi: number, access: 0 | 1, mmu: number): string {
    const { cpu } = this.m;
    const out = { physical: 0, prot: 0, pageBits: 12, global: false };
    if (!cpu.translate(lo, hi, access, mmu, 1, out)) return this.raised();
    return `page ${(out.physical & ~0xfff).toString(16)} prot ${out.prot} bits ${out.pageBits} global ${out.global}`;
  }

  raised(): string {
    const { cpu } = this.m;
    const vector = cpu.lo(ENV.exception) - 1;
    cpu.setLo(ENV.exception, 0);
    const fault = vector === 14 ? `${cpu.bits64(SYS.faultAddress).toString(16)}` : "";
    return `exception ${vector} code ${cpu.lo(OFF.errorCode)} ${fault}`;
  }

  /** What the entry says that was just filled. */
  filled(lo: number, hi: number, mmu: number): string {
    const { cpu } = this.m;
    const at = this.entry(lo, mmu);
    let prot = 0;
    for (const n of [0, 1, 2]) {
      if (cpu.lo(at + 8 * n) === -1) continue;
      expect([cpu.lo(at + 8 * n), cpu.hi(at + 8 * n)]).toEqual([lo & ~0xfff, hi]);
      prot |= 1 << n;
    }
    const host = (cpu.lo(at + 24) + (lo & ~0xfff)) >>> 0;
    const list = fillList(MMU_INDEXES);
    expect(cpu.lo(ENV.fills)).toBe(1);
    const bits = (cpu.lo(list) >>> 24) + 12;
    expect(cpu.lo(list) & 0xffffff).toBe((at - ENV.tlb) / TLB_ENTRY_SIZE);
    const physical = host - this.m.ram.byteOffset;
    expect(cpu.lo(list + 4)).toBe(physical / 4096);
    return `page ${physical.toString(16)} prot ${prot} bits ${bits} global ${(cpu.lo(at + 28) & 1) === 1}`;
  }
}

/** Tables of random entries: present and plausible most of the time. */
function fillTables(m: WholeMachine, kind: "legacy" | "pae" | "long", random: (n: number) => number): void {
  const wide = kind !== "legacy";
  for (let at = TABLES; at < TABLES + PAGES * 4096; at += wide ? 8 : 4) {
    let low = PTE.P | PTE.A | (random(2) * PTE.W) | (random(2) * PTE.U) | (random(2) * PTE.D) | (random(2) * PTE.G);
    if (random(8) === 0) low = random(256);
    if (random(8) === 0) low |= PTE.PS;
    const target = random(4) === 0 ? random(0x400) * 4096 : TABLES + random(PAGES) * 4096;
    const page = (low & PTE.PS) !== 0 && random(4) > 0 ? 0 : target;
    m.view.setUint32(at, page | low, true);
    let high = random(4) === 0 ? 0x8000_0000 : 0;
    if (random(32) === 0) high |= 1 << random(31);
    if (wide) m.view.setUint32(at + 4, high, true);
  }
  if (kind !== "pae") return;
  // The entries at CR3 have neither rights nor flags.
  for (let at = TABLES; at < TABLES + 32; at += 8) {
    m.view.setUint32(at, (TABLES + random(PAGES) * 4096) | (random(4) > 0 ? PTE.P : 0), true);
    m.view.setUint32(at + 4, 0, true);
  }
}

it.each(["legacy", "pae", "long"] as const)("as the other walk: %s", (kind) => {
  const random = randoms(7);
  const s = new Subject();
  const { m, fill } = s;
  const { cpu } = m;
  const seen = new Map<number, number>();
  for (let turn = 0; turn < 3000; turn++) {
    const cr4 = [CR4.PSE, CR4.PGE, CR4.SMEP, CR4.SMAP].reduce((sum, bit) => sum | (random(2) * bit), 0);
    s.page(kind, random(2) * CR0.WP, cr4, random(2) === 1);
    if (turn % 20 === 0) fillTables(m, kind, random);
    // All RAM is shown to it.
    cpu.set(OFF.ramFirst, 0, m.ram.length / 4096);
    cpu.setLo(OFF.ramPlace, m.ram.byteOffset);
    const lo = random(2 ** 32) | 0;
    const hi = kind === "long" ? random(0x1_0000) - (random(2) === 0 ? 0x8000 : 0) : 0;
    const [access, mmu] = [random(2) as 0 | 1, random(3)];
    const before = m.ram.slice(TABLES, TABLES + PAGES * 4096);
    const result = fill(cpu.env, (BigInt(hi) << 32n) | BigInt(lo >>> 0), access, mmu, 0);
    seen.set(result, (seen.get(result) ?? 0) + 1);
    const after = m.ram.slice(TABLES, TABLES + PAGES * 4096);
    if (result === FILL.refused) {
      expect(cpu.lo(ENV.exception)).toBe(0);
      expect(after).toEqual(before);
      continue;
    }
    const quick = result === FILL.filled ? s.filled(lo, hi, mmu) : s.raised();
    cpu.engine.flushTlb(cpu.env, ALL_INDEXES);
    m.ram.set(before, TABLES);
    expect(quick).toBe(s.slow(lo, hi, access, mmu));
    expect(m.ram.slice(TABLES, TABLES + PAGES * 4096)).toEqual(after);
  }
  for (const result of Object.values(FILL)) expect(seen.get(result)).toBeGreaterThan(100);
});

/** Pages of 2 MiB at 0, the first of which is one of 4 KiB at 1 GiB, too. */
function mapped(): Subject {
  const s = new Subject();
  s.page("long", CR0.WP, CR4.PGE, false);
  const flags = PTE.P | PTE.W | PTE.A | PTE.D;
  const entry = (at: number, value: number): void => s.m.view.setUint32(TABLES + at, value, true);
  entry(0, (TABLES + 0x1000) | flags);
  entry(0x1000, (TABLES + 0x2000) | flags);
  entry(0x1008, (TABLES + 0x3000) | flags);
  entry(0x2000, flags | PTE.PS | PTE.G);
  entry(0x3000, (TABLES + 0x4000) | flags);
  entry(0x4000, 0x5000 | flags);
  // The first walk shows the RAM.
  s.slow(0x5000, 0, 0, MMU.kernel);
  return s;
}
const LARGE = 0x5000;
const SMALL = 0x4000_0000;

it("is told of RAM by the first walk, and no more once the bus has changed", () => {
  const s = mapped();
  expect(s.fill(s.m.cpu.env, BigInt(LARGE), 1, MMU.kernel, 2)).toBe(FILL.filled);
  s.m.cpu.setWindow("apic", { base: 0x1000, size: 4096, to: 2 ** 52, smm: false });
  expect(s.fill(s.m.cpu.env, BigInt(LARGE), 1, MMU.kernel, 2)).toBe(FILL.refused);
  s.slow(LARGE, 0, 0, MMU.kernel);
  expect(s.m.cpu.lo(OFF.ramFirst)).toBe(2);
  expect(s.fill(s.m.cpu.env, BigInt(LARGE), 1, MMU.kernel, 2)).toBe(FILL.filled);
});

it("what it filled is flushed", () => {
  const s = mapped();
  const { cpu } = s.m;
  const { env, engine } = cpu;
  const there = (at: number): boolean => cpu.lo(s.entry(at, MMU.kernel)) !== -1;
  const both = (): void => {
    for (const at of [LARGE, SMALL]) expect(s.fill(env, BigInt(at), 0, MMU.kernel, 2)).toBe(FILL.filled);
  };
  both();
  engine.flushTlb(env, 1 << MMU.user);
  expect([there(LARGE), there(SMALL)]).toEqual([true, true]);
  engine.flushTlb(env, ALL_INDEXES, true);
  expect([there(LARGE), there(SMALL)]).toEqual([true, false]);
  both();
  engine.flushTlbPage(env, SMALL, 0);
  expect([there(LARGE), there(SMALL)]).toEqual([true, false]);
  // Another page of the same 2 MiB.
  both();
  engine.flushTlbPage(env, 0x9000, 0);
  expect([there(LARGE), there(SMALL)]).toEqual([false, false]);
  both();
  engine.flushTlb(env, ALL_INDEXES);
  expect([there(LARGE), there(SMALL)]).toEqual([false, false]);
});

it("stores to code are looked at, whether the page was filled before or after it was translated", () => {
  const s = mapped();
  const { cpu } = s.m;
  const looked = (at: number): boolean => (cpu.lo(s.entry(at, MMU.kernel) + 8) & 0x800) !== 0;
  expect(s.fill(cpu.env, BigInt(LARGE), 1, MMU.kernel, 2)).toBe(FILL.filled);
  expect(looked(LARGE)).toBe(false);
  // HLT
  s.m.ram[0x5000] = 0xf4;
  cpu.set(OFF.pc, 0x5000, 0);
  cpu.setLo(OFF.cpl, 0);
  s.m.run(1);
  expect(looked(LARGE)).toBe(true);
  expect(s.fill(cpu.env, BigInt(SMALL), 1, MMU.kernel, 2)).toBe(FILL.filled);
  expect(looked(SMALL)).toBe(true);
});
