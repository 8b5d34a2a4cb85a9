import { jumpCacheIndex } from "../wasm/jump-cache.ts";
import type { Tb } from "./blocks.ts";
import { ENV, JUMP_CACHE_ENTRIES } from "./contract.ts";
import { IndexSet } from "./index-set.ts";

/** log2 of the number of classes of pages that entries are counted by. */
const CLASS_BITS = 18;
/** The class of a page, given by its number's low 20 bits and the upper half of its addresses. */
const classOf = (page: number, hi: number): number =>
  Math.imul(page ^ Math.imul(hi, 0x85ebca6b), 0x9e3779b1) >>> (32 - CLASS_BITS);
/** Entry for pc 0, and a pc that has another entry. */
const HOME_OF_ZERO = jumpCacheIndex(0);
const ELSEWHERE = 2;

/**
 * The cache of blocks by pc and flags that generated code searches itself. It holds what the TLB maps right now.
 *
 * Generated code looks at one place, the pc's own. The entry that was there before goes to the neighbour when that is free, and comes back
 * when it is looked for here: of two blocks with one place, which a kernel's thousand active blocks have now and then, neither is looked up
 * again.
 */
export class JumpCache {
  readonly #i32: Int32Array;
  /** Word index of the first entry. */
  readonly #base: number;
  /** Per class of pages: entries with code there. Most flushed pages hold no code, and are done with at once. */
  readonly #onPage = new Uint16Array(1 << CLASS_BITS);
  /** Per entry: 1 when the block's tail lies in the next page. */
  readonly #spans = new Uint8Array(JUMP_CACHE_ENTRIES);
  readonly #global = new Uint8Array(JUMP_CACHE_ENTRIES);
  /** Entries that may be filled, with blocks that are local to an address space and with others. */
  readonly #local = new IndexSet(JUMP_CACHE_ENTRIES);
  readonly #shared = new IndexSet(JUMP_CACHE_ENTRIES);

  /** The state block at `env` is all zeros. */
  constructor(i32: Int32Array, env: number) {
    this.#i32 = i32;
    this.#base = (env + ENV.jumpCache) >>> 2;
    this.#clear(HOME_OF_ZERO);
  }

  /** `global`: it stays when a flush keeps what all address spaces share. */
  insert(tb: Tb, global: boolean): void {
    const index = jumpCacheIndex(tb.pcLo);
    const e = this.#base + index * 4;
    const i32 = this.#i32;
    if (i32[e + 3] !== 0) {
      if (i32[e] !== tb.pcLo || i32[e + 1] !== tb.pcHi || i32[e + 2] !== tb.flags) this.#stepAside(index);
      if (i32[e + 3] !== 0) this.#drop(index);
    }
    (global ? this.#shared : this.#local).add(index);
    i32[e] = tb.pcLo;
    i32[e + 1] = tb.pcHi;
    i32[e + 2] = tb.flags;
    i32[e + 3] = tb.address;
    this.#spans[index] = tb.ram2 >= 0 ? 1 : 0;
    this.#global[index] = global ? 1 : 0;
    this.#count(index, 1);
  }

  /** Descriptor of the block at a pc, or 0. Generated code finds it from then on. */
  find(pcLo: number, pcHi: number, flags: number): number {
    const index = jumpCacheIndex(pcLo);
    const e = this.#base + index * 4;
    const i32 = this.#i32;
    if (i32[e] === pcLo && i32[e + 1] === pcHi && i32[e + 2] === flags) return i32[e + 3]!;
    const other = this.#base + (index ^ 1) * 4;
    if (i32[other] !== pcLo || i32[other + 1] !== pcHi || i32[other + 2] !== flags || i32[other + 3] === 0) return 0;
    this.#exchange(index);
    return i32[e + 3]!;
  }

  remove(tb: Tb): void {
    const index = jumpCacheIndex(tb.pcLo);
    for (const place of [index, index ^ 1]) if (this.#i32[this.#base + place * 4 + 3] === tb.address) this.#drop(place);
  }

  /** Makes room at a place, if its neighbour is empty or holds an entry from here. */
  #stepAside(index: number): void {
    const other = index ^ 1;
    const o = this.#base + other * 4;
    if (this.#i32[o + 3] !== 0) {
      if (jumpCacheIndex(this.#i32[o]!) === other) return;
      this.#drop(other);
    }
    this.#exchange(index);
  }

  /** A place and its neighbour hold each other's entries; one of them may be empty. */
  #exchange(index: number): void {
    const other = index ^ 1;
    const i32 = this.#i32;
    const [e, o] = [this.#base + index * 4, this.#base + other * 4];
    for (let n = 0; n < 4; n++) [i32[e + n], i32[o + n]] = [i32[o + n]!, i32[e + n]!];
    for (const marks of [this.#spans, this.#global]) [marks[index], marks[other]] = [marks[other]!, marks[index]!];
    for (const place of [index, other]) {
      if (i32[this.#base + place * 4 + 3] === 0) this.#clear(place);
      else (this.#global[place] === 1 ? this.#shared : this.#local).add(place);
    }
  }

  /** Costs what was filled since the last one. `keepGlobal`: see {@link JumpCache.insert}. */
  flush(keepGlobal = false): void {
    const i32 = this.#i32;
    this.#local.sweep((index) => {
      if (i32[this.#base + index * 4 + 3] !== 0 && this.#global[index] === 0) this.#drop(index);
      return false;
    });
    if (keepGlobal) return;
    this.#shared.sweep((index) => {
      if (i32[this.#base + index * 4 + 3] !== 0) this.#drop(index);
      return false;
    });
  }

  /** Forgets the blocks with code in a page. */
  flushPage(lo: number, hi: number): void {
    const page = lo >>> 12;
    if (this.#onPage[classOf(page, hi)] === 0) return;
    const i32 = this.#i32;
    const before = (page - 1) & 0xfffff;
    const keep = (index: number): boolean => {
      const e = this.#base + index * 4;
      if (i32[e + 3] === 0) return false;
      const at = i32[e]! >>> 12;
      // A block that spans has its tail in the page behind; the upper half may differ there by one.
      const here = (at === page && i32[e + 1] === hi) || (at === before && this.#spans[index] === 1);
      if (here) this.#drop(index);
      return !here;
    };
    this.#local.sweep(keep);
    this.#shared.sweep(keep);
  }

  #drop(index: number): void {
    this.#count(index, -1);
    this.#clear(index);
  }

  /** Counts the entry on its pages, or (-1) counts it no longer. */
  #count(index: number, by: 1 | -1): void {
    const e = this.#base + index * 4;
    const page = this.#i32[e]! >>> 12;
    const hi = this.#i32[e + 1]!;
    this.#onPage[classOf(page, hi)]! += by;
    if (this.#spans[index] === 0) return;
    const next = (page + 1) & 0xfffff;
    this.#onPage[classOf(next, next === 0 ? (hi + 1) | 0 : hi)]! += by;
  }

  /** An empty entry holds a pc that is looked for in another entry: nothing can match it, whatever pc a guest makes. */
  #clear(index: number): void {
    const e = this.#base + index * 4;
    this.#i32[e] = index === HOME_OF_ZERO ? ELSEWHERE : 0;
    this.#i32[e + 1] = this.#i32[e + 3] = 0;
  }
}
