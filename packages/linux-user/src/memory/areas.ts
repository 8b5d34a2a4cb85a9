/** The mappings of an address space, in order of address. */
import type { Area, MappedFile } from "../guest-memory.ts";

/** An area in the making: ends and protection change as mappings do. */
export interface MutableArea extends Area {
  start: number;
  end: number;
  prot: number;
  offset: number;
}

/** Areas sorted by address; they never overlap. The list holds a reference to the file of each. */
export class AreaList {
  readonly list: MutableArea[] = [];
  /** Sum of the areas' sizes, in bytes. */
  total = 0;
  /** By powers of two: above this address and below the ceiling, no gap has so many bytes. */
  readonly #noGapAbove: Float64Array = new Float64Array(64).fill(Infinity);
  #ceiling = Infinity;

  /** Index of the first area that ends behind an address. */
  index(address: number): number {
    let low = 0;
    let high = this.list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.list[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The area that holds an address. */
  at(address: number): MutableArea | undefined {
    const area = this.list[this.index(address)];
    return area !== undefined && area.start <= address ? area : undefined;
  }

  /** Whether nothing is mapped in a range. */
  free(start: number, end: number): boolean {
    const area = this.list[this.index(start)];
    return area === undefined || area.start >= end;
  }

  /** Whether all of a range is mapped. */
  covered(start: number, end: number): boolean {
    let at = start;
    for (let i = this.index(start); at < end; i++) {
      const area = this.list[i];
      if (area === undefined || area.start > at) return false;
      at = area.end;
    }
    return true;
  }

  /** The highest free range of `length` bytes in [floor, ceiling); undefined when there is none. */
  findGap(length: number, floor: number, ceiling: number): number | undefined {
    const kind = Math.floor(Math.log2(length));
    if (ceiling !== this.#ceiling) {
      this.#ceiling = ceiling;
      this.#noGapAbove.fill(ceiling);
    }
    let top = Math.min(ceiling, this.#noGapAbove[kind] ?? ceiling);
    // What is passed over is too small for this length; the first that is large enough for its kind is where the next search begins.
    let seen = false;
    const roomAbove = (bottom: number): boolean => {
      const room = top - Math.max(bottom, floor);
      if (!seen && room >= 2 ** kind) {
        seen = true;
        this.#noGapAbove[kind] = top;
      }
      return room >= length;
    };
    for (let i = this.index(top - 1); i >= 0; i--) {
      const area = this.list[i];
      if (area === undefined) continue;
      if (area.end <= top && roomAbove(area.end)) return top - length;
      top = Math.min(top, area.start);
      if (top - floor < length) return undefined;
    }
    return roomAbove(0) ? top - length : undefined;
  }

  /** Splits areas so that `start` and `end` are borders. @returns the indexes of those in between, [first, last) */
  carve(start: number, end: number): [number, number] {
    this.#split(start);
    this.#split(end);
    let last = this.index(start);
    const first = last;
    while (last < this.list.length && this.list[last]!.start < end) last++;
    return [first, last];
  }

  #split(at: number): void {
    const i = this.index(at);
    const area = this.list[i];
    if (area === undefined || area.start >= at) return;
    area.file?.retain();
    const upper: MutableArea = { ...area, start: at, offset: area.offset + (at - area.start) };
    area.end = at;
    this.list.splice(i + 1, 0, upper);
  }

  /** Takes a range out. @returns what was there; the caller releases the files */
  remove(start: number, end: number): MutableArea[] {
    const [first, last] = this.carve(start, end);
    const gone = this.list.splice(first, last - first);
    for (const area of gone) this.total -= area.end - area.start;
    // The gap that grew ends where the next area begins.
    const top = this.list[first]?.start ?? Infinity;
    for (let kind = 0; kind < 64; kind++)
      this.#noGapAbove[kind] = Math.min(this.#ceiling, Math.max(this.#noGapAbove[kind]!, top));
    return gone;
  }

  /** Adds an area to free space; its file is retained by the caller. */
  insert(area: MutableArea): void {
    const i = this.index(area.start);
    this.list.splice(i, 0, area);
    this.total += area.end - area.start;
    this.#merge(i + 1);
    this.#merge(i);
  }

  /** Joins equal neighbours in a range after their protection changed. */
  join(start: number, end: number): void {
    for (let i = this.index(Math.max(start - 1, 0)); i < this.list.length && this.list[i]!.start <= end;)
      if (!this.#merge(i)) i++;
  }

  /** Joins area `i` with the one before it when they continue each other. */
  #merge(i: number): boolean {
    const a = this.list[i - 1];
    const b = this.list[i];
    if (a === undefined || b === undefined || !continues(a, b)) return false;
    a.end = b.end;
    b.file?.release();
    this.list.splice(i, 1);
    return true;
  }
}

function continues(a: Area, b: Area): boolean {
  if (a.end !== b.start || a.prot !== b.prot || a.shared !== b.shared || a.name !== b.name) return false;
  return sameFile(a.file, b.file) && (a.file === undefined || b.offset === a.offset + (b.start - a.start));
}

const sameFile = (a: MappedFile | undefined, b: MappedFile | undefined): boolean => a === b;
