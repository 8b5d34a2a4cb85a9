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

/** The cache of blocks by pc and flags that generated code searches itself. It holds what the TLB maps right now. */
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

  constructor(i32: Int32Array, env: number) {
    this.#i32 = i32;
    this.#base = (env + ENV.jumpCache) >>> 2;
    i32.fill(0, this.#base, this.#base + JUMP_CACHE_ENTRIES * 4);
    this.#clear(HOME_OF_ZERO);
  }

  /** `global`: it stays when a flush keeps what all address spaces share. */
  insert(tb: Tb, global: boolean): void {
    const index = jumpCacheIndex(tb.pcLo);
    const e = this.#base + index * 4;
    const i32 = this.#i32;
    if (i32[e + 3] !== 0) this.#count(index, -1);
    (global ? this.#shared : this.#local).add(index);
    i32[e] = tb.pcLo;
    i32[e + 1] = tb.pcHi;
    i32[e + 2] = tb.flags;
    i32[e + 3] = tb.address;
    this.#spans[index] = tb.ram2 >= 0 ? 1 : 0;
    this.#global[index] = global ? 1 : 0;
    this.#count(index, 1);
  }

  /** Descriptor of the block at a pc, or 0. */
  find(pcLo: number, pcHi: number, flags: number): number {
    const e = this.#base + jumpCacheIndex(pcLo) * 4;
    const i32 = this.#i32;
    return i32[e] === pcLo && i32[e + 1] === pcHi && i32[e + 2] === flags ? i32[e + 3]! : 0;
  }

  remove(tb: Tb): void {
    const index = jumpCacheIndex(tb.pcLo);
    if (this.#i32[this.#base + index * 4 + 3] === tb.address) this.#drop(index);
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
