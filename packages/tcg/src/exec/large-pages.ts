/** Where mappings larger than a page may lie, of which a flush of one page must forget all entries. */

/** Pages between large mappings that count as one stretch. */
const NEAR = 512;
/** Place of the last stretch in the list. */
const MOST_STRETCHES = 2 * 15;

/** Number of the virtual page of an address. */
export function pageNumber(lo: number, hi: number): number {
  return (hi >>> 0) * 0x10_0000 + (lo >>> 12);
}

/** Stretches of virtual page numbers that large mappings cover: too much rather than too little. */
export class LargePages {
  /** Lowest and highest page of each stretch, in turn. */
  readonly #stretches: number[] = [];

  /** A page is part of a mapping of 2^`bits` bytes. */
  note(vpn: number, bits: number): void {
    const pages = 2 ** (bits - 12);
    const first = Math.floor(vpn / pages) * pages;
    const last = first + pages - 1;
    const list = this.#stretches;
    for (let i = 0; i < list.length; i += 2) {
      // Within, overlapping, or near enough; when there are many stretches, the last one takes the rest.
      if ((first <= list[i + 1]! + NEAR && last >= list[i]! - NEAR) || i === MOST_STRETCHES) {
        if (first < list[i]!) list[i] = first;
        if (last > list[i + 1]!) list[i + 1] = last;
        return;
      }
    }
    list.push(first, last);
  }

  has(vpn: number): boolean {
    const list = this.#stretches;
    for (let i = 0; i < list.length; i += 2) if (vpn >= list[i]! && vpn <= list[i + 1]!) return true;
    return false;
  }

  clear(): void {
    this.#stretches.length = 0;
  }
}

/** 1 when the page behind the one of `lo` starts at a multiple of 2^32. */
export function carry(lo: number): number {
  return lo >>> 12 === 0xfffff ? 1 : 0;
}
