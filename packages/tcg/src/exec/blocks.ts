/** The translated blocks: found by place in the machine memory, pc and flags; chained; invalidated by writes. */
import type { CodePages } from "./code-pages.ts";
import type { PhysicalBus } from "./contract.ts";
import type { BlockExit } from "../region/exits.ts";
import type { Region } from "../region/regions.ts";
import { LINE_BITS, PAGE_BITS, type CodeLines } from "./code-lines.ts";
import { TB } from "./descriptor.ts";

/** A translated block. */
export interface Tb {
  /** Address of the descriptor. */
  readonly address: number;
  readonly id: number;
  readonly pcLo: number;
  readonly pcHi: number;
  readonly flags: number;
  /** Most instructions it was allowed to have; 0: no limit of its own. */
  readonly limit: number;
  readonly insns: number;
  /** Where its first byte lies in the machine memory; -1: not in RAM, and so not kept. */
  readonly ram: number;
  /** Bytes of guest code, of which those behind the page's end lie at `ram2`. */
  readonly length: number;
  /** Page in the machine memory that holds the tail, -1 when there is none. */
  readonly ram2: number;
  alive: boolean;
  /** @internal Where its ends lead. */
  readonly exits: readonly BlockExit[];
  /** @internal The region that an entry through its descriptor goes to, and those that its code is part of. */
  region: Region | undefined;
  /** @internal */
  regions: Set<Region> | undefined;
  /** Index of the block compiled by itself in the function table; 0 is the interpreter. */
  blockFn: number;
  /** Value that its counter began at, and executions before that. */
  counterStart: number;
  executedBefore: number;
  /** Addresses of the links to this block, in the descriptors of others. Undefined: there was none yet. */
  incoming: number[] | undefined;
  /** Next block that starts at the same place. */
  next: Tb | undefined;
}

const PAGE_SIZE = 1 << PAGE_BITS;

/** Bytes of a block in its first page. */
const headOf = (tb: Tb): number => (tb.ram2 < 0 ? tb.length : PAGE_SIZE - (tb.ram & (PAGE_SIZE - 1)));

/** Of lines without code. Never written to. */
const NOTHING: Tb[] = [];
/** The lines of a page without code: a copy is made faster than a list is filled by a function. */
const NO_LINES: readonly Tb[][] = Array.from({ length: 1 << (PAGE_BITS - LINE_BITS) }, () => NOTHING);

class CodePage {
  /** Blocks that start here, by place: lists through `next`. */
  readonly starts: Map<number, Tb> = new Map();
  /** Blocks that started in the page before. */
  readonly tails: Set<Tb> = new Set();
  /** Per line of 64 bytes: blocks with code in it. */
  readonly lines: Tb[][] = NO_LINES.slice();
  readonly #number: number;
  readonly #shown: CodeLines | undefined;

  constructor(number: number, shown: CodeLines | undefined) {
    this.#number = number;
    this.#shown = shown;
    shown?.setPage(number, false);
  }

  /** Lists a block whose code here is `length` bytes (none if 0) from `at` on. */
  enter(tb: Tb, at: number, length: number): void {
    for (let line = at >>> LINE_BITS; line <= (at + length - 1) >> LINE_BITS; line++) {
      const list = this.lines[line]!;
      if (list.length > 0) list.push(tb);
      else {
        this.lines[line] = [tb];
        this.#shown?.setLine(this.#number, line, true);
      }
    }
  }

  /** Takes it off again. */
  remove(tb: Tb, at: number, length: number): void {
    for (let line = at >>> LINE_BITS; line <= (at + length - 1) >> LINE_BITS; line++) {
      const left = this.lines[line]!.filter((other) => other !== tb);
      this.lines[line] = left;
      if (left.length === 0) this.#shown?.setLine(this.#number, line, false);
    }
  }

  /** The page has no blocks any more. */
  leave(): void {
    this.#shown?.setPage(this.#number, true);
  }

  *blocks(): Generator<Tb> {
    for (const first of this.starts.values())
      for (let tb: Tb | undefined = first; tb !== undefined;) {
        // Whoever goes through the blocks may drop this one.
        const { next }: Tb = tb;
        yield tb;
        tb = next;
      }
    yield* this.tails;
  }
}

/** All blocks of a machine. */
export class BlockCache {
  readonly #i32: Int32Array;
  readonly #bus: PhysicalBus;
  /** Where other engines have code too. */
  readonly #others: CodePages | undefined;
  readonly #pages: Map<number, CodePage> = new Map();
  /** Blocks by id; holes are dead ones. */
  all: (Tb | undefined)[] = [];
  invalidations = 0;
  /** Called before a block dies: caches that hold it must forget it. */
  onDeath: (tb: Tb) => void = () => {};
  /** Called when a page gets its first block: stores to it must take the slow path from now on. */
  onCodePage: (ram: number) => void = () => {};

  /** What generated code sees of {@link CodePage.lines}. */
  readonly #lines: CodeLines | undefined;

  constructor(i32: Int32Array, bus: PhysicalBus, others?: CodePages, lines?: CodeLines) {
    this.#i32 = i32;
    this.#bus = bus;
    this.#others = others;
    this.#lines = lines;
  }

  /** The page, given by any place in it, holds translated code. */
  isCode(ram: number): boolean {
    return this.#others === undefined ? this.#pages.has(ram >>> PAGE_BITS) : this.#others.has(ram);
  }

  /** Blocks that start at a place, as a list through `next`. */
  at(ram: number): Tb | undefined {
    return this.#pages.get(ram >>> PAGE_BITS)?.starts.get(ram);
  }

  add(tb: Tb): void {
    this.all[tb.id] = tb;
    if (tb.ram < 0) return;
    const page = this.#page(tb.ram);
    tb.next = page.starts.get(tb.ram);
    page.starts.set(tb.ram, tb);
    page.enter(tb, tb.ram & (PAGE_SIZE - 1), headOf(tb));
    if (tb.ram2 < 0) return;
    const second = this.#page(tb.ram2);
    second.tails.add(tb);
    second.enter(tb, 0, tb.length - headOf(tb));
  }

  #page(ram: number): CodePage {
    const number = ram >>> PAGE_BITS;
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = new CodePage(number, this.#lines);
      this.#pages.set(number, page);
      const start = number * PAGE_SIZE;
      this.#bus.watchCode(start, true);
      this.onCodePage(start);
    }
    return page;
  }

  /** Blocks with code in a page of the machine memory. */
  inPage(ram: number): Iterable<Tb> {
    return this.#pages.get(ram >>> PAGE_BITS)?.blocks() ?? [];
  }

  /** Chains slot 0 or 1 of one block to another. */
  link(from: Tb, slot: number, to: Tb): void {
    const at = from.address + TB.link + 4 * slot;
    this.#i32[at >>> 2] = to.address;
    if (to.incoming === undefined) to.incoming = [at];
    else to.incoming.push(at);
  }

  /** Drops the blocks with code in a range of the machine memory. */
  invalidate(ram: number, length: number): void {
    this.#anyIn(ram, length, (tb) => {
      this.drop(tb);
      return false;
    });
  }

  /** A block has code in a range of the machine memory. */
  hasCode(ram: number, length: number): boolean {
    return this.#anyIn(ram, length, () => true);
  }

  /** Calls `visit` for blocks with code in a range, maybe more than once, until it returns true. @returns whether it did */
  #anyIn(ram: number, length: number, visit: (tb: Tb) => boolean): boolean {
    const end = ram + length;
    for (let number = ram >>> PAGE_BITS; number <= (end - 1) >>> PAGE_BITS; number++) {
      const page = this.#pages.get(number);
      if (page === undefined) continue;
      const base = number * PAGE_SIZE;
      const last = (Math.min(end - base, PAGE_SIZE) - 1) >>> LINE_BITS;
      for (let line = Math.max(ram - base, 0) >>> LINE_BITS; line <= last; line++) {
        // Lists are replaced, not changed, when a block is dropped.
        for (const tb of page.lines[line]!) {
          // The part of the block that lies in this page.
          const head = headOf(tb);
          const inFirst = tb.ram >>> PAGE_BITS === number && tb.ram < end && tb.ram + head > ram;
          const inSecond = tb.ram2 >= 0 && tb.ram2 === base && base < end && base + tb.length - head > ram;
          if ((inFirst || inSecond) && visit(tb)) return true;
        }
      }
    }
    return false;
  }

  /** Drops one block. It may still be running: its bytes in the arena stay until the next flush. */
  drop(tb: Tb): void {
    if (!tb.alive) return;
    tb.alive = false;
    this.invalidations++;
    this.onDeath(tb);
    this.all[tb.id] = undefined;
    for (const at of tb.incoming ?? []) this.#i32[at >>> 2] = 0;
    tb.incoming = undefined;
    this.#unlist(tb, tb.ram);
    if (tb.ram2 >= 0) this.#unlist(tb, tb.ram2);
  }

  #unlist(tb: Tb, ram: number): void {
    const number = ram >>> PAGE_BITS;
    const page = this.#pages.get(number);
    if (page === undefined) return;
    if (ram !== tb.ram) {
      page.tails.delete(tb);
      page.remove(tb, 0, tb.length - headOf(tb));
    } else {
      page.remove(tb, ram & (PAGE_SIZE - 1), headOf(tb));
      let previous: Tb | undefined;
      let it = page.starts.get(ram);
      while (it !== undefined && it !== tb) {
        previous = it;
        it = it.next;
      }
      if (it !== undefined) {
        if (previous !== undefined) previous.next = tb.next;
        else if (tb.next !== undefined) page.starts.set(ram, tb.next);
        else page.starts.delete(ram);
      }
    }
    if (page.starts.size > 0 || page.tails.size > 0) return;
    page.leave();
    this.#pages.delete(number);
    this.#unwatch(number);
  }

  #unwatch(number: number): void {
    const start = number * PAGE_SIZE;
    this.#others?.leave(start);
    if (this.#others?.has(start) !== true) this.#bus.watchCode(start, false);
  }

  /** Forgets everything; the arena is about to be reused. */
  clear(): void {
    for (const tb of this.all) if (tb !== undefined) tb.alive = false;
    this.all = [];
    for (const [number, page] of this.#pages) {
      page.leave();
      this.#unwatch(number);
    }
    this.#pages.clear();
  }
}
