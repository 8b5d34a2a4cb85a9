/** What each page of the address space may be used for now, and the window table of direct accesses that follows from it. */

/** log2 of the page size. */
export const PAGE_BITS = 12;
export const PAGE = 4096;

/** A page's state: protection in bits 0–2 (read, write, execute). */
export const PG = {
  READ: 1,
  WRITE: 2,
  EXEC: 4,
  PROT: 7,
  MAPPED: 8,
  /** Translated code was made of it. */
  CODE: 16,
  /** Its contents have yet to be made: on the first access. */
  LAZY: 32,
  /** It may hold bytes of a mapping that is gone. */
  TOUCHED: 64,
} as const;

/** Bytes of address space per entry of the window table, as a power of two. */
const UNIT_BITS = 11;
const MAY_WRITE = 2;

/** Entries of the window table for an address space of `size` bytes. */
export function windowEntries(size: number): number {
  return (size >>> UNIT_BITS) + 2;
}

/** Page states and windows. Page numbers are addresses divided by 4096. */
export class PageTable {
  readonly flags: Uint8Array;
  readonly pages: number;
  /** The window table: see `DirectMemory.windows` of the engine. */
  readonly windows: Uint8Array;

  constructor(size: number, windows: Uint8Array) {
    this.pages = size >>> PAGE_BITS;
    this.flags = new Uint8Array(this.pages);
    this.windows = windows;
  }

  /** Pages of a range become mapped with a protection; `lazy`: their contents are made on the first access. */
  map(first: number, end: number, prot: number, lazy: boolean): void {
    const { flags } = this;
    for (let p = first; p < end; p++) {
      const old = flags[p]! & (PG.CODE | PG.TOUCHED);
      flags[p] = old | PG.MAPPED | prot | (lazy || (old & PG.TOUCHED) !== 0 ? PG.LAZY : 0);
      if (!lazy && (prot & PG.WRITE) !== 0) flags[p]! |= PG.TOUCHED;
    }
    this.update(first, end);
  }

  protect(first: number, end: number, prot: number): void {
    const { flags } = this;
    for (let p = first; p < end; p++) {
      flags[p] = (flags[p]! & ~PG.PROT) | prot;
      if ((prot & PG.WRITE) !== 0) flags[p]! |= PG.TOUCHED;
    }
    this.update(first, end);
  }

  unmap(first: number, end: number): void {
    const { flags } = this;
    for (let p = first; p < end; p++) flags[p]! &= PG.CODE | PG.TOUCHED;
    this.update(first, end);
  }

  /** The contents of pages are to be made anew on the next access. */
  forget(first: number, end: number): void {
    const { flags } = this;
    for (let p = first; p < end; p++) flags[p]! |= PG.LAZY;
    this.update(first, end);
  }

  /** The contents of pages are there. */
  filled(first: number, end: number): void {
    const { flags } = this;
    for (let p = first; p < end; p++) flags[p] = (flags[p]! & ~PG.LAZY) | PG.TOUCHED;
    this.update(first, end);
  }

  /** Translated code was made of a page, or all of it is gone. */
  watch(page: number, on: boolean): void {
    const { flags } = this;
    if (page >= this.pages) return;
    flags[page] = on ? flags[page]! | PG.CODE : flags[page]! & ~PG.CODE;
    this.update(page, page + 1);
  }

  /** What direct accesses may do to a page. Pages outside the address space: nothing. */
  #direct(page: number): number {
    const flags = page < 0 || page >= this.pages ? 0 : this.flags[page]!;
    if ((flags & (PG.MAPPED | PG.LAZY)) !== PG.MAPPED) return 0;
    return (flags & PG.READ) | ((flags & (PG.WRITE | PG.CODE)) === PG.WRITE ? MAY_WRITE : 0);
  }

  /** The windows that pages [first, end) are part of. */
  update(first: number, end: number): void {
    const { windows } = this;
    let own = this.#direct(first - 1);
    for (let p = first - 1; p <= end; p++) {
      const next = this.#direct(p + 1);
      if (p >= 0 && 2 * p + 1 < windows.length) {
        // Unit 2p looks at the page itself, unit 2p + 1 at half of it and half of the next.
        windows[2 * p] = own;
        windows[2 * p + 1] = own & next;
      }
      own = next;
    }
  }
}
