/** The software TLB of one vCPU: its slow paths, fills and flushes. The fast path is in generated code. */
import { loadAcross, storeAcross, type Sides } from "./across-pages.ts";
import type { BlockCache } from "./blocks.ts";
import { ENV, FETCH, fillList, LOAD, STORE, STORE_TO_CODE, TLB_ENTRIES, TLB_ENTRY_SIZE } from "./contract.ts";
import type { Access, DevicePort, PhysicalBus, TargetCpu, TcgStats, Translation } from "./contract.ts";
import { BusAccess } from "./bus-access.ts";
import { DevicePages } from "./device-pages.ts";
import type { CodePages } from "./code-pages.ts";
import type { Views } from "./views.ts";
import { PROBE_STORE, TLB_CODE, TLB_INVALID, TLB_MMIO } from "./descriptor.ts";
import { IndexSet } from "./index-set.ts";
import { carry, LargePages, pageNumber } from "./large-pages.ts";
import { lockedOperation } from "./locked.ts";
import { StoredPages } from "./stored-pages.ts";

const PAGE = 0xfffff000 | 0;
/** Words of one entry: read tag, write tag, fetch tag (two words each), addend, and the last one. */
const WORDS = TLB_ENTRY_SIZE / 4;
const ADDEND = 6;
const LAST = 7;
/** Entries above which a flush fills the whole TLB instead of clearing one by one. */
const MANY = 2048;

/** Result of {@link SoftTlb.fetchPage} when the page is not RAM. */
export const NOT_RAM = -2;

export class SoftTlb {
  readonly #views: Views;
  readonly #i32: Int32Array;
  /** Word index of the first entry. */
  readonly #first: number;
  readonly #env: number;
  /** Word index of `ENV.fills`. */
  readonly #fills: number;
  readonly #bus: PhysicalBus;
  readonly #blocks: BlockCache;
  /** What other threads have translated; undefined where there are none. */
  readonly #others: CodePages | undefined;
  readonly #words: BigInt64Array | undefined;
  readonly #stats: TcgStats;
  readonly #indexes: number;
  readonly cpu: TargetCpu;
  /** Physical page of each entry. */
  readonly #physical: Float64Array;
  /** Entries whose page one device answers. */
  readonly #devices: DevicePages;
  /** Per mmu index: entries that may be filled, with translations of one address space and with those of all. */
  readonly #local: readonly IndexSet[];
  readonly #shared: readonly IndexSet[];
  /** Per mmu index. */
  readonly #large: readonly LargePages[];
  readonly #walk: Translation = { physical: 0, prot: 0, pageBits: 12, global: false };
  readonly #slowBus: BusAccess;
  readonly #storedTo: StoredPages;
  /** Stores into translated code are simply done: nothing runs that they could change, or it need not see them. */
  alone = true;

  constructor(
    views: Views, env: number, indexes: number, bus: PhysicalBus, blocks: BlockCache, cpu: TargetCpu, stats: TcgStats,
    others?: CodePages,
  ) {
    this.#views = views;
    this.#others = others;
    this.#words = views.words;
    this.#i32 = views.i32;
    this.#first = (env + ENV.tlb) >>> 2;
    this.#env = env;
    this.#fills = (env + ENV.fills) >>> 2;
    this.#indexes = indexes;
    this.#bus = bus;
    this.#slowBus = new BusAccess(bus, views.i32);
    this.#blocks = blocks;
    this.cpu = cpu;
    this.#stats = stats;
    this.#physical = new Float64Array(indexes * TLB_ENTRIES);
    this.#devices = new DevicePages(indexes * TLB_ENTRIES);
    this.#local = Array.from({ length: indexes }, () => new IndexSet(TLB_ENTRIES));
    this.#shared = Array.from({ length: indexes }, () => new IndexSet(TLB_ENTRIES));
    this.#large = Array.from({ length: indexes }, () => new LargePages());
    this.#storedTo = new StoredPages(views.u8.length);
    this.#fillInvalid(0, indexes);
  } // prettier-ignore

  /** Looks at the entries that the target filled: what is noted of each. */
  #takeFills(): void {
    const { i32 } = this.#views;
    const list = (this.#env + fillList(this.#indexes)) >>> 2;
    const count = i32[this.#fills]!;
    i32[this.#fills] = 0;
    this.#stats.tlbFills += count;
    for (let i = list; i < list + 2 * count; i += 2) {
      const n = i32[i]! & 0xffffff;
      const mmu = Math.floor(n / TLB_ENTRIES);
      const e = this.#first + n * WORDS;
      const sets = i32[e + LAST] === 1 ? this.#shared : this.#local;
      sets[mmu]!.add(n - mmu * TLB_ENTRIES);
      this.#physical[n] = (i32[i + 1]! >>> 0) * 4096;
      this.#devices.none(n);
      const stores = i32[e + 2]!;
      if ((stores & (TLB_INVALID | TLB_MMIO)) === 0) this.#storedTo.note(((stores & PAGE) + i32[e + ADDEND]!) >>> 0, n);
      const bits = i32[i]! >>> 24;
      if (bits > 0) this.#noteLarge(e, mmu, bits + 12);
    }
  }

  /** The page of an entry is part of a large mapping. One that has been flushed since is no more. */
  #noteLarge(e: number, mmu: number, bits: number): void {
    const { i32 } = this.#views;
    for (let tag = e; tag < e + ADDEND; tag += 2)
      if ((i32[tag]! & TLB_INVALID) === 0) return this.#large[mmu]!.note(pageNumber(i32[tag]!, i32[tag + 1]!), bits);
  }

  /** Index, in words, of the entry for an address. */
  #entry(lo: number, mmu: number): number {
    return (this.#env + ENV.tlb + (mmu * TLB_ENTRIES + ((lo >>> 12) & (TLB_ENTRIES - 1))) * TLB_ENTRY_SIZE) >>> 2;
  }

  #number(lo: number, mmu: number): number {
    return mmu * TLB_ENTRIES + ((lo >>> 12) & (TLB_ENTRIES - 1));
  }

  /** Whether the tag at `at` (word index) maps the page of an address. */
  #hit(at: number, lo: number, hi: number): boolean {
    const { i32 } = this.#views;
    const tag = i32[at]!;
    return ((tag ^ lo) & PAGE) === 0 && (tag & TLB_INVALID) === 0 && i32[at + 1] === hi;
  }

  /** Fills the entry for an address. @returns false when the target raised. */
  #fill(lo: number, hi: number, access: Access, mmu: number, size: number): boolean {
    if (this.#i32[this.#fills] !== 0) this.#takeFills();
    const walk = this.#walk;
    walk.pageBits = 12;
    walk.global = false;
    if (!this.cpu.translate(lo, hi, access, mmu, size, walk)) return false;
    this.#stats.tlbFills++;
    const { i32 } = this.#views;
    const e = this.#entry(lo, mmu);
    const n = this.#number(lo, mmu);
    (walk.global ? this.#shared : this.#local)[mmu]!.add(n - mmu * TLB_ENTRIES);
    // No mapping moves an address within its page; a remainder of doubles costs as much as the walk.
    const page = walk.physical - (lo & 4095);
    const range = this.#bus.lookup(page);
    const whole = range !== undefined && range.ramOffset >= 0 && page + 4096 <= range.base + range.size;
    const host = whole ? range.ramOffset + (page - range.base) : -1;
    const lowPart = lo & PAGE;
    // A mapping smaller than a page is good for this access only: its tags never hit.
    const once = walk.pageBits < 12 ? TLB_INVALID : 0;
    const slow = once | (whole ? 0 : TLB_MMIO);
    const { prot } = walk;
    const writeFlags = once | (!whole || range.readonly ? TLB_MMIO : this.#blocks.isCode(host) ? TLB_CODE : 0);
    if ((prot & 2) !== 0 && whole) this.#storedTo.note(host, n);
    this.#tag(e, prot & 1, lowPart | slow, hi);
    this.#tag(e + 2, prot & 2, lowPart | writeFlags, hi);
    this.#tag(e + 4, prot & 4, lowPart | slow, hi);
    i32[e + ADDEND] = (host - lowPart) | 0;
    this.#physical[n] = page;
    i32[e + LAST] = walk.global ? 1 : 0;
    this.#devices.note(n, page, range);
    if (walk.pageBits > 12) this.#large[mmu]!.note(pageNumber(lo, hi), walk.pageBits);
    return true;
  }

  #tag(at: number, allowed: number, lo: number, hi: number): void {
    const { i32 } = this.#views;
    i32[at] = allowed === 0 ? -1 : lo;
    i32[at + 1] = allowed === 0 ? -1 : hi;
  }

  /** Makes the tag for an access valid. @returns false when the target raised. */
  #ensure(lo: number, hi: number, access: Access, mmu: number, size: number): boolean {
    return this.#hit(this.#entry(lo, mmu) + 2 * access, lo, hi) || this.#fill(lo, hi, access, mmu, size);
  }

  /** Makes the tag for an access valid; the target may have raised. `oi`: log2 of the size | {@link PROBE_STORE} | mmu << 4. */
  readonly probe = (lo: number, hi: number, oi: number): boolean =>
    this.#ensure(lo, hi, (oi & PROBE_STORE) === 0 ? LOAD : STORE, oi >>> 4, 1 << (oi & 3));

  /** Place of a page in the machine memory for instruction fetches; -1: the target raised; {@link NOT_RAM}. */
  fetchPage(lo: number, hi: number, mmu: number): number {
    if (!this.#ensure(lo, hi, FETCH, mmu, 2)) return -1;
    const { i32 } = this.#views;
    const e = this.#entry(lo, mmu);
    if ((i32[e + 4]! & TLB_MMIO) !== 0) return NOT_RAM;
    return ((lo & PAGE) + i32[e + ADDEND]!) >>> 0;
  }

  /** Physical address of a byte whose page {@link fetchPage} found. */
  physical(lo: number, mmu: number): number {
    if (this.#i32[this.#fills] !== 0) this.#takeFills();
    return this.#physical[this.#number(lo, mmu)]! + (lo & 4095);
  }

  /** Who answers an aligned access, when the entry says that it is a device; `tag`: words to the tag of the access. */
  #port(lo: number, hi: number, size: number, mmu: number, tag: number): DevicePort | undefined {
    const i32 = this.#i32;
    const n = mmu * TLB_ENTRIES + ((lo >>> 12) & (TLB_ENTRIES - 1));
    const e = this.#first + n * WORDS + tag;
    if (i32[e] !== ((lo & PAGE) | TLB_MMIO) || i32[e + 1] !== hi) return undefined;
    return this.#devices.at(n, lo, size);
  }

  /** A load that the fast path refused; the value is left in `env.scratch`[0]. @returns false when it raised. */
  load(lo: number, hi: number, oi: number): boolean {
    this.#stats.slowLoads++;
    const size = 1 << (oi & 3);
    const mmu = oi >>> 4;
    const out = (this.#env + ENV.scratch) >>> 2;
    const port = this.#port(lo, hi, size, mmu, 0);
    if (port !== undefined) {
      this.#stats.mmio++;
      this.#devices.load(port, this.#number(lo, mmu), lo, size, this.#i32, out);
      return true;
    }
    const { i32 } = this.#views;
    if ((lo & 4095) + size > 4096) return this.#loadSplit(lo, hi, size, mmu);
    if (!this.#ensure(lo, hi, LOAD, mmu, size)) return false;
    const e = this.#entry(lo, mmu);
    if ((i32[e]! & TLB_MMIO) !== 0) {
      this.#stats.mmio++;
      const at = this.physical(lo, mmu);
      return !(this.#slowBus.load(at, size, out) && this.cpu.busFault(lo, hi, at, LOAD));
    }
    const host = (lo + i32[e + ADDEND]!) >>> 0;
    if ((host & (size - 1)) !== 0) return loadAcross(this.#views, out, { first: size, host, behind: 0 }, size);
    if (size === 8 && this.#words !== undefined) this.#words[out >>> 1] = this.#words[host >>> 3]!;
    else if (size === 8) {
      i32[out] = i32[host >>> 2]!;
      i32[out + 1] = i32[(host >>> 2) + 1]!;
    } else {
      i32[out] = size === 4 ? i32[host >>> 2]! : size === 2 ? this.#views.u16[host >>> 1]! : this.#views.u8[host]!;
      i32[out + 1] = 0;
    }
    return true;
  }

  /** The places of an access across a page boundary, whose pages are in the TLB; undefined unless all of it is plain RAM. */
  #sides(lo: number, next: number, mmu: number, access: Access): Sides | undefined {
    const { i32 } = this.#views;
    const [a, b] = [this.#entry(lo, mmu), this.#entry(next, mmu)];
    if (((i32[a + 2 * access]! | i32[b + 2 * access]!) & (TLB_CODE | TLB_MMIO | TLB_INVALID)) !== 0) return undefined;
    const host = (lo + i32[a + ADDEND]!) >>> 0;
    return { first: 4096 - (lo & 4095), host, behind: (next + i32[b + ADDEND]!) >>> 0 };
  }

  /** Across a page boundary: both pages are translated before anything is read. */
  #loadSplit(lo: number, hi: number, size: number, mmu: number): boolean {
    const next = ((lo & PAGE) + 4096) | 0;
    const nextHi = (hi + carry(lo)) | 0;
    if (!this.#ensure(lo, hi, LOAD, mmu, size) || !this.#ensure(next, nextHi, LOAD, mmu, size)) return false;
    const { i32 } = this.#views;
    const out = (this.#env + ENV.scratch) >>> 2;
    const sides = this.#sides(lo, next, mmu, LOAD);
    if (sides !== undefined) return loadAcross(this.#views, out, sides, size);
    let [low, high] = [0, 0];
    for (let i = 0; i < size; i++) {
      const at = (lo + i) | 0;
      if (!this.load(at, at >>> 0 < lo >>> 0 ? nextHi : hi, mmu << 4)) return false;
      const byte = i32[out]! & 0xff;
      if (i < 4) low |= byte << (8 * i);
      else high |= byte << (8 * (i - 4));
    }
    i32[out] = low;
    i32[out + 1] = high;
    return true;
  }

  /** A store that the fast path refused; the value is in `env.scratch`[0]. @returns false when it raised. */
  store(lo: number, hi: number, oi: number): boolean {
    this.#stats.slowStores++;
    const size = 1 << (oi & 3);
    const mmu = oi >>> 4;
    const port = this.#port(lo, hi, size, mmu, 2);
    const value = (this.#env + ENV.scratch) >>> 2;
    if (port !== undefined) {
      this.#stats.mmio++;
      this.#devices.store(port, this.#number(lo, mmu), lo, size, this.#i32[value]!, this.#i32[value + 1]!);
      return true;
    }
    const { i32 } = this.#views;
    if ((lo & 4095) + size > 4096) return this.#storeSplit(lo, hi, size, mmu);
    const low = i32[value]!;
    const high = i32[value + 1]!;
    if (!this.#ensure(lo, hi, STORE, mmu, size)) return false;
    const e = this.#entry(lo, mmu);
    const flags = i32[e + 2]!;
    if ((flags & TLB_MMIO) !== 0) {
      this.#stats.mmio++;
      const at = this.physical(lo, mmu);
      return !(this.#slowBus.store(at, size, low, high) && this.cpu.busFault(lo, hi, at, STORE));
    }
    const host = (lo + i32[e + ADDEND]!) >>> 0;
    if ((flags & TLB_CODE) !== 0 && this.#givesBack(host, size)) return false;
    if (this.#words !== undefined && (host & (size - 1)) === 0 && size !== 4 && size !== 1) {
      if (size === 8) this.#words[host >>> 3] = this.#words[value >>> 1]!;
      else this.#views.u16[host >>> 1] = low;
    } else if ((host & (size - 1)) === 0 && size >= 4) {
      i32[host >>> 2] = low;
      if (size === 8) i32[(host >>> 2) + 1] = high;
    } else {
      const { u8 } = this.#views;
      for (let i = 0; i < size; i++) u8[host + i] = (i < 4 ? low : high) >>> (8 * (i & 3));
    }
    if ((flags & TLB_CODE) !== 0) this.#wroteCode(e, host, size);
    return true;
  }

  /** A store changes translated code, maybe that which is running: the instruction is done again, alone. */
  #givesBack(host: number, size: number): boolean {
    this.#others?.beforeStore(host);
    if (this.alone || !this.#blocks.hasCode(host, size)) return false;
    this.#blocks.invalidate(host, size);
    this.#i32[(this.#env + ENV.exception) >>> 2] = STORE_TO_CODE;
    return true;
  }

  #wroteCode(e: number, host: number, size: number): void {
    this.#blocks.invalidate(host, size);
    if (this.#blocks.isCode(host)) return;
    this.#storedTo.note(host, (e - this.#first) / WORDS);
    this.#views.i32[e + 2]! &= ~TLB_CODE;
  }

  #storeSplit(lo: number, hi: number, size: number, mmu: number): boolean {
    const next = ((lo & PAGE) + 4096) | 0;
    const nextHi = (hi + carry(lo)) | 0;
    const { i32 } = this.#views;
    const value = (this.#env + ENV.scratch) >>> 2;
    const [low, high] = [i32[value]!, i32[value + 1]!];
    if (!this.#ensure(lo, hi, STORE, mmu, size) || !this.#ensure(next, nextHi, STORE, mmu, size)) return false;
    const first = 4096 - (lo & 4095);
    const sides = this.#sides(lo, next, mmu, STORE);
    if (sides !== undefined) return storeAcross(this.#views.u8, sides, size, low, high);
    if (this.#splitGivesBack(lo, first, mmu) || this.#splitGivesBack(next, size - first, mmu)) return false;
    for (let i = 0; i < size; i++) {
      const at = (lo + i) | 0;
      i32[value] = ((i < 4 ? low : high) >>> (8 * (i & 3))) & 0xff;
      i32[value + 1] = 0;
      if (!this.store(at, at >>> 0 < lo >>> 0 ? nextHi : hi, mmu << 4)) return false;
    }
    return true;
  }

  /** {@link SoftTlb.#givesBack} for the part of a store in one page, before any part is done. */
  #splitGivesBack(lo: number, size: number, mmu: number): boolean {
    const e = this.#entry(lo, mmu);
    if ((this.#i32[e + 2]! & (TLB_CODE | TLB_MMIO)) !== TLB_CODE) return false;
    return this.#givesBack((lo + this.#i32[e + ADDEND]!) >>> 0, size);
  }

  /** Address in the machine memory of a location for an atomic operation; 0 when the target raised. */
  atomicAddress(lo: number, hi: number, oi: number): number {
    const size = 1 << (oi & 3);
    const mmu = oi >>> 4;
    if ((lo & (size - 1)) !== 0 && this.cpu.misaligned?.(lo, hi, STORE, size) === true) return 0;
    if (!this.#ensure(lo, hi, STORE, mmu, size)) return 0;
    const e = this.#entry(lo, mmu);
    const { i32 } = this.#views;
    const flags = i32[e + 2]!;
    if (!this.#hit(e, lo, hi) && !this.#fill(lo, hi, LOAD, mmu, size)) return 0;
    if ((flags & TLB_MMIO) !== 0 || (lo & 4095) + size > 4096) {
      // Not RAM: there is nothing to be atomic with. A target that does not raise here gets a scratch location.
      if (this.cpu.busFault(lo, hi, this.physical(lo, mmu), STORE)) return 0;
      return this.#env + ENV.scratch + 8;
    }
    const host = (lo + i32[e + ADDEND]!) >>> 0;
    if ((flags & TLB_CODE) !== 0) {
      if (this.#givesBack(host, size)) return 0;
      this.#wroteCode(e, host, size);
    }
    return host | 0;
  }

  /** {@link SoftTlb.atomicAddress} for a whole operation, on memory that threads share: see {@link lockedOperation}. */
  locked(lo: number, hi: number, oi: number): number {
    return lockedOperation(this, this.#words!, this.#env + ENV.scratch, this.#others, { lo, hi, oi });
  }

  /** Stores to a page of the machine memory take the slow path from now on. @returns whether some may have taken the fast one */
  protect(ram: number): boolean {
    if (this.#i32[this.#fills] !== 0) this.#takeFills();
    const mark = (n: number): boolean => {
      const e = this.#first + n * WORDS;
      const tag = this.#i32[e + 2]!;
      const stores = (tag & (TLB_INVALID | TLB_MMIO)) === 0;
      if (stores && ((tag & PAGE) + this.#i32[e + ADDEND]!) >>> 0 === ram) this.#i32[e + 2] = tag | TLB_CODE;
      return true;
    };
    const known = this.#storedTo.take(ram, mark);
    if (known !== undefined) return known;
    for (let mmu = 0; mmu < this.#indexes; mmu++) {
      this.#local[mmu]!.sweep((n) => mark(mmu * TLB_ENTRIES + n));
      this.#shared[mmu]!.sweep((n) => mark(mmu * TLB_ENTRIES + n));
    }
    return true;
  }

  /** Forgets the translations of the mmu indexes in `mask`; `keepGlobal`: but for global ones. */
  flush(mask: number, keepGlobal = false): void {
    if (this.#i32[this.#fills] !== 0) this.#takeFills();
    for (let mmu = 0; mmu < this.#indexes; mmu++) {
      if ((mask & (1 << mmu)) === 0) continue;
      if (!keepGlobal) this.#flushIndex(mmu);
      else
        this.#local[mmu]!.sweep((n) => {
          const e = this.#first + (mmu * TLB_ENTRIES + n) * WORDS;
          if ((this.#i32[e + LAST]! & 1) === 0) this.#empty(e);
          return false;
        });
    }
  }

  /** The entry for an address is valid for fetches and the same in all address spaces. */
  isGlobal(lo: number, hi: number, mmu: number): boolean {
    const e = this.#entry(lo, mmu);
    return (this.#i32[e + LAST]! & 1) === 1 && this.#hit(e + 2 * FETCH, lo, hi);
  }

  #flushIndex(mmu: number): void {
    const local = this.#local[mmu]!;
    const shared = this.#shared[mmu]!;
    if (local.size + shared.size > MANY) {
      this.#fillInvalid(mmu, mmu + 1);
      local.clear();
      shared.clear();
    } else {
      const empty = (n: number): boolean => {
        this.#empty(this.#first + (mmu * TLB_ENTRIES + n) * WORDS);
        return false;
      };
      local.sweep(empty);
      shared.sweep(empty);
    }
    this.#large[mmu]!.clear();
  }

  #empty(e: number): void {
    const { i32 } = this.#views;
    i32[e] = i32[e + 1] = i32[e + 2] = i32[e + 3] = i32[e + 4] = i32[e + 5] = -1;
  }

  #fillInvalid(from: number, to: number): void {
    const size = TLB_ENTRIES * TLB_ENTRY_SIZE;
    const base = this.#env + ENV.tlb;
    this.#views.i32.fill(-1, (base + from * size) >>> 2, (base + to * size) >>> 2);
  }

  /**
   * Forgets one page. Within the reach of a large mapping everything of that mmu index goes.
   * @returns whether that happened
   */
  flushPage(lo: number, hi: number): boolean {
    if (this.#i32[this.#fills] !== 0) this.#takeFills();
    let more = false;
    const vpn = pageNumber(lo, hi);
    for (let mmu = 0; mmu < this.#indexes; mmu++) {
      if (this.#large[mmu]!.has(vpn)) {
        this.#flushIndex(mmu);
        more = true;
        continue;
      }
      const e = this.#entry(lo, mmu);
      if (this.#hit(e, lo, hi) || this.#hit(e + 2, lo, hi) || this.#hit(e + 4, lo, hi)) {
        // The entry stays listed as used: it may be listed once more when it is filled again.
        this.#empty(e);
      }
    }
    return more;
  }
}
