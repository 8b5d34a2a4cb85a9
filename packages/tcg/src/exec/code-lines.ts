/** A bit for each line of 64 bytes of the machine memory, where generated code sees it: a store there must be looked at. */

/** log2 of the size of a line. */
export const LINE_BITS = 6;
/** log2 of the size of the pages that writes are watched by. */
export const PAGE_BITS = 12;
/** Bytes of the bitmap for one page: 64 lines. */
const BYTES = 1 << (PAGE_BITS - LINE_BITS - 3);

/** The lines of a memory, in a place that `alloc` gives. */
export function codeLines(u8: Uint8Array, alloc: (name: string, size: number) => number): CodeLines {
  return new CodeLines(u8, alloc("tcg.lines", Math.ceil(u8.length / (1 << (LINE_BITS + 3)))));
}

/**
 * Has meaning for pages with TLB_CODE in some TLB. In pages with blocks the bits of the lines with code are set. In those
 * that have lost their last block all are, so that the next store finds that out, and clears TLB_CODE.
 */
export class CodeLines {
  readonly #u8: Uint8Array;
  /** Address in the machine memory. */
  readonly start: number;

  constructor(u8: Uint8Array, start: number) {
    this.#u8 = u8;
    this.start = start;
  }

  /** No line, or every line, of a page is to be looked at. */
  setPage(number: number, looked: boolean): void {
    const at = this.start + number * BYTES;
    this.#u8.fill(looked ? 0xff : 0, at, at + BYTES);
  }

  setLine(number: number, line: number, looked: boolean): void {
    const at = this.start + number * BYTES + (line >>> 3);
    if (looked) this.#u8[at]! |= 1 << (line & 7);
    else this.#u8[at]! &= ~(1 << (line & 7));
  }
}
