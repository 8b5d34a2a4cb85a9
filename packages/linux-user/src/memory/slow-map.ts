/** The obvious twin of the memory map: one record per page, nothing kept besides. For tests. */
import { MAP, PROT } from "../guest-memory.ts";
import type { AddressSpace } from "./address-space.ts";
import { PAGE } from "./page-table.ts";

const LOWEST = 16;
const UNUSED_AT_END = 16;

interface SlowPage {
  prot: number;
  bytes: Uint8Array;
}

/** What `AddressSpace` should be. Results are those of the calls, or an error's name. */
export class SlowMap {
  readonly pages: (SlowPage | undefined)[];
  heapStart = 0;
  heapEnd = 0;

  constructor(size: number) {
    this.pages = Array.from({ length: size / PAGE }, () => undefined);
  }

  #numbers(address: number, length: number): number[] {
    return Array.from({ length: Math.ceil(length / PAGE) }, (_, i) => address / PAGE + i);
  }

  /** @param chosen what the map under test answered: where it was free to choose, its choice is checked, not repeated */
  map(address: number, length: number, prot: number, flags: number, chosen: unknown): unknown {
    const count = Math.ceil(length / PAGE);
    let at = address;
    if (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) {
      if (at + count * PAGE > this.pages.length * PAGE) return "ENOMEM";
      if (flags & MAP.FIXED_NOREPLACE && this.#numbers(at, length).some((n) => this.pages[n])) return "EEXIST";
    } else if (at === 0 || !this.#free(at / PAGE, count)) {
      const any = this.#highestGap(count);
      if (any === undefined) return "ENOMEM";
      at = any * PAGE;
      if (chosen !== at) return `highest gap ${at}`;
    }
    for (const n of this.#numbers(at, length)) this.pages[n] = { prot, bytes: new Uint8Array(PAGE) };
    return at;
  }

  #free(first: number, count: number): boolean {
    if (first < LOWEST || first + count > this.pages.length) return false;
    return this.pages.slice(first, first + count).every((p) => p === undefined);
  }

  #highestGap(count: number): number | undefined {
    for (let n = this.pages.length - UNUSED_AT_END - count; n >= LOWEST; n--) if (this.#free(n, count)) return n;
    return undefined;
  }

  unmap(address: number, length: number): unknown {
    const numbers = this.#numbers(address, length);
    if (numbers.at(-1)! >= this.pages.length) return "EINVAL";
    for (const n of numbers) this.pages[n] = undefined;
    return undefined;
  }

  protect(address: number, length: number, prot: number): unknown {
    const numbers = this.#numbers(address, length);
    if (numbers.some((n) => this.pages[n] === undefined)) return "ENOMEM";
    for (const n of numbers) this.pages[n]!.prot = prot;
    return undefined;
  }

  forget(address: number, length: number): unknown {
    const numbers = this.#numbers(address, length);
    if (numbers.at(-1)! >= this.pages.length) return "EINVAL";
    for (const n of numbers) this.pages[n]?.bytes.fill(0);
    return numbers.some((n) => this.pages[n] === undefined) ? "ENOMEM" : undefined;
  }

  remap(address: number, length: number, newLength: number, flags: number, chosen: unknown): unknown {
    const old = this.#numbers(address, length);
    const count = Math.ceil(newLength / PAGE);
    const first = address / PAGE;
    const numbers = old.map((n) => this.pages[n]);
    // A range over areas of different protection is refused; that is for the map under test to know.
    if (chosen === "EFAULT") {
      const uniform = numbers.every((p) => p !== undefined && p.prot === numbers[0]?.prot);
      return uniform && !this.#nearHeap(old) ? "no fault" : "EFAULT";
    }
    if (numbers.includes(undefined)) return "EFAULT";
    if (count <= old.length) {
      for (let i = count; i < old.length; i++) this.pages[first + i] = undefined;
      return address;
    }
    const grown = (): SlowPage => ({ prot: numbers[0]!.prot, bytes: new Uint8Array(PAGE) });
    if (chosen === address) {
      if (!this.#free(first + old.length, count - old.length)) return "not free";
      for (let i = old.length; i < count; i++) this.pages[first + i] = grown();
      return address;
    }
    if ((flags & 1) === 0) return "ENOMEM";
    const gap = this.#highestGap(count);
    if (gap === undefined) return "ENOMEM";
    for (let i = 0; i < count; i++) this.pages[gap + i] = numbers[i] ?? grown();
    for (const n of old) this.pages[n] = undefined;
    return gap * PAGE;
  }

  /** The heap's pages are an area of their own. */
  #nearHeap(numbers: readonly number[]): boolean {
    return numbers.some((n) => n * PAGE >= this.heapStart && n * PAGE < this.heapStart + 0x30000);
  }

  brk(end: number): number {
    const up = (n: number): number => Math.ceil(n / PAGE);
    const old = up(this.heapEnd);
    const now = up(end);
    if (end < this.heapStart) return this.heapEnd;
    if (now > old) {
      if (!this.#free(old, now - old)) return this.heapEnd;
      for (let n = old; n < now; n++) this.pages[n] = { prot: 3, bytes: new Uint8Array(PAGE) };
    }
    for (let n = now; n < old; n++) this.pages[n] = undefined;
    this.heapEnd = end;
    return end;
  }

  write(address: number, length: number, byte: number): unknown {
    for (let at = address; at < address + length; at++) {
      const page = this.pages[Math.floor(at / PAGE)];
      if (page === undefined || (page.prot & PROT.WRITE) === 0) return "EFAULT";
    }
    for (let at = address; at < address + length; at++) this.pages[Math.floor(at / PAGE)]!.bytes[at % PAGE] = byte;
    return "written";
  }

  /** The first difference, or an empty string. */
  compare(space: AddressSpace): string {
    for (const [n, page] of this.pages.entries()) {
      const at = n * PAGE;
      const prot = page === undefined ? -1 : page.prot & 2 ? page.prot | 1 : page.prot;
      for (const bit of [1, 2, 4]) {
        const wanted = prot < 0 ? 1 : (prot & bit) !== 0 ? 0 : 2;
        if (space.access(at, bit) !== wanted)
          return `page ${n}: access ${bit} is ${space.access(at, bit)}, not ${wanted}`;
      }
      if (prot & 1 && prot > 0) {
        const bytes = space.bytes(at, PAGE, "r");
        const i = bytes.findIndex((b, k) => b !== page!.bytes[k]);
        if (i >= 0) return `page ${n}: byte ${i} is ${bytes[i]}, not ${page!.bytes[i]}`;
      }
    }
    let last = 0;
    for (const area of space.areas()) {
      if (area.start < last || area.start >= area.end) return `area at ${area.start} out of order`;
      last = area.end;
      for (let at = area.start; at < area.end; at += PAGE)
        if (this.pages[at / PAGE]?.prot !== area.prot) return `area at ${at}`;
    }
    const total = space.areas().reduce((sum, { start, end }) => sum + end - start, 0);
    return total === space.mappings.areas.total && total === this.pages.filter(Boolean).length * PAGE ? "" : "total";
  }
}
