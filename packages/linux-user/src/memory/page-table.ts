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

/** An entry of a window table that allows says below which address, in units of 2^this bytes: a byte has to do for it. */
export function windowShift(size: number): number {
  return Math.max(0, 24 - Math.clz32(size));
}

/** The next size of an address space, multiple of 64 KiB, of which windows can say that all of it is allowed. */
export function windowedSize(size: number): number {
  const unit = Math.max(65536, 2 ** windowShift(size));
  return Math.ceil(size / unit) * unit;
}

/** Bytes of the two window tables together for an address space of `size` bytes. */
export function windowBytes(size: number): number {
  return 2 * ((size >>> UNIT_BITS) + 2);
}

/** Page states and windows. Page numbers are addresses divided by 4096. */
export class PageTable {
  readonly flags: Uint8Array;
  readonly pages: number;
  /** The window tables: see `DirectMemory` of the engine. */
  readonly readable: Uint8Array;
  readonly writable: Uint8Array;
  readonly #allowed: number;

  /** `windows`: the tables, one behind the other. */
  constructor(size: number, windows: Uint8Array) {
    this.pages = size >>> PAGE_BITS;
    this.flags = new Uint8Array(this.pages);
    this.#allowed = size >>> windowShift(size);
    this.readable = windows.subarray(0, windows.length / 2);
    this.writable = windows.subarray(windows.length / 2);
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
    const { readable, writable } = this;
    const allowed = this.#allowed;
    let own = this.#direct(first - 1);
    for (let p = first - 1; p <= end; p++) {
      const next = this.#direct(p + 1);
      if (p >= 0 && 2 * p + 1 < readable.length) {
        // Unit 2p looks at the page itself, unit 2p + 1 at half of it and half of the next.
        readable[2 * p] = (own & PG.READ) === 0 ? 0 : allowed;
        writable[2 * p] = (own & MAY_WRITE) === 0 ? 0 : allowed;
        readable[2 * p + 1] = (own & next & PG.READ) === 0 ? 0 : allowed;
        writable[2 * p + 1] = (own & next & MAY_WRITE) === 0 ? 0 : allowed;
      }
      own = next;
    }
  }
}
