/** mmap and its relatives. Source: POSIX.1-2017, mmap, munmap, mprotect, msync; Linux man-pages mmap(2), mremap(2), madvise(2). */
import { E, fail } from "../errno.ts";
import { MAP, PROT, type MapRequest } from "../guest-memory.ts";
import type { AddressSpace } from "./address-space.ts";
import { AreaList, type MutableArea } from "./areas.ts";
import { Heap } from "./heap.ts";
import { PAGE, PG } from "./page-table.ts";
import { SharedFiles } from "./shared-files.ts";

/** Bytes of a mapping from which large pages of the host are of use. */
const MUCH = 2 << 20;

/** Nothing is mapped below by itself: null pointers fault. */
const LOWEST = 0x10000;
/** Most areas of a process. Source: Linux, vm.max_map_count's default. */
const MOST_AREAS = 65530;
/** Pages that are filled together on the first access to one of them: a power of two. */
const CLUSTER = 16;

const ADVICE = { DONTNEED: 4, FREE: 8, REMOVE: 9, DONTNEED_LOCKED: 24, HIGHEST: 25 } as const;
const REMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;

const roundUp = (n: number): number => Math.ceil(n / PAGE) * PAGE;
/** Page protection: a page that may be written may be read too, as on every MMU here. */
const effective = (prot: number): number => (prot & PROT.WRITE ? prot | PROT.READ : prot) & 7;

export class Mappings {
  readonly areas: AreaList = new AreaList();
  readonly heap: Heap;
  /** Areas without a place of their own end at or below it. */
  ceiling: number;
  /** Bytes that may be mapped in all: RLIMIT_AS. */
  limit: () => number = () => Infinity;
  readonly #space: AddressSpace;
  readonly #shared: SharedFiles;

  constructor(space: AddressSpace) {
    this.#space = space;
    this.#shared = new SharedFiles(space.machine, space.base);
    this.ceiling = space.size - 16 * PAGE;
    this.heap = new Heap(space, this);
  }

  map({ address, length, prot, flags, file, offset = 0, name = "" }: MapRequest): number {
    const size = roundUp(length);
    const type = flags & MAP.TYPE;
    if (length <= 0 || !(type === MAP.SHARED || type === MAP.PRIVATE || type === MAP.SHARED_VALIDATE)) fail(E.INVAL);
    if (offset % PAGE !== 0 || offset < 0) fail(E.INVAL);
    if (size > this.#space.size) fail(E.NOMEM);
    if (offset + size > Number.MAX_SAFE_INTEGER) fail(E.OVERFLOW);
    const start = this.#place(address, size, flags);
    const end = start + size;
    const replaced = this.#mappedBytes(start, end);
    if (this.areas.total - replaced + size > this.limit()) fail(E.NOMEM);
    if (this.areas.list.length + 2 > MOST_AREAS) fail(E.NOMEM);
    if (replaced > 0) this.#take(start, end);
    const shared = type !== MAP.PRIVATE;
    file?.retain();
    this.areas.insert({ start, end, prot: prot & 7, shared, file, offset, name });
    this.#space.pages.map(start / PAGE, end / PAGE, effective(prot), file !== undefined);
    if (replaced > 0) this.#space.events.flush();
    if (size >= MUCH && file === undefined && name === "") this.#space.events.mappedMuch();
    return start;
  }

  /** Where a mapping goes. */
  #place(address: number, size: number, flags: number): number {
    const { size: space } = this.#space;
    if (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) {
      if (address % PAGE !== 0) fail(E.INVAL);
      if (address < 0 || address + size > space) fail(E.NOMEM);
      if (address < LOWEST) fail(E.PERM);
      if (flags & MAP.FIXED_NOREPLACE && !this.areas.free(address, address + size)) fail(E.EXIST);
      return address;
    }
    const hint = roundUp(address);
    if (hint >= LOWEST && hint + size <= space && this.areas.free(hint, hint + size)) return hint;
    const found = this.areas.findGap(size, LOWEST, this.ceiling);
    return found ?? fail(E.NOMEM);
  }

  /** How much of a range is mapped. */
  #mappedBytes(start: number, end: number): number {
    let bytes = 0;
    const { list } = this.areas;
    for (let i = this.areas.index(start); i < list.length && list[i]!.start < end; i++)
      bytes += Math.min(list[i]!.end, end) - Math.max(list[i]!.start, start);
    return bytes;
  }

  /** Takes the mappings of a range away, without telling the engine. */
  #take(start: number, end: number): void {
    for (const area of this.areas.remove(start, end)) {
      if (area.file !== undefined) {
        if (area.shared) this.#writeBack(area);
        this.#shared.drop(area.start / PAGE, area.end / PAGE);
        area.file.release();
      }
    }
    this.#space.pages.unmap(start / PAGE, end / PAGE);
  }

  #writeBack(area: MutableArea): void {
    if (area.file !== undefined) this.#shared.writeBack(area.start / PAGE, area.end / PAGE, area.file, area.offset);
  }

  /** A range as it came from a call: page-aligned start, length rounded up, inside the address space. */
  #range(address: number, length: number, outside: number): [number, number] {
    if (address % PAGE !== 0) fail(E.INVAL);
    const end = address + roundUp(length);
    if (!(address >= 0 && end <= this.#space.size)) fail(outside);
    return [address, end];
  }

  unmap(address: number, length: number): void {
    if (length <= 0) fail(E.INVAL);
    const [start, end] = this.#range(address, length, E.INVAL);
    if (this.areas.free(start, end)) return;
    if (this.areas.list.length + 1 > MOST_AREAS) fail(E.NOMEM);
    this.#take(start, end);
    this.#space.events.flush();
  }

  protect(address: number, length: number, prot: number): void {
    if (prot & ~(7 | 0x0300_0000)) fail(E.INVAL);
    const [start, end] = this.#range(address, length, E.NOMEM);
    if (start === end) return;
    if (!this.areas.covered(start, end) || this.areas.list.length + 2 > MOST_AREAS) fail(E.NOMEM);
    const [first, last] = this.areas.carve(start, end);
    let lost = 0;
    for (const area of this.areas.list.slice(first, last)) {
      lost |= effective(area.prot) & ~effective(prot);
      area.prot = prot & 7;
    }
    this.areas.join(start, end);
    this.#space.pages.protect(start / PAGE, end / PAGE, effective(prot));
    // What is newly allowed is looked up when it is first used.
    if (lost !== 0) this.#space.events.flush();
  }

  /** Makes the contents of a page, and of its neighbours, that were put off. @returns false when it lies beyond its file's end */
  populate(page: number): boolean {
    const area = this.areas.at(page * PAGE);
    if (area === undefined) return false;
    const { flags } = this.#space.pages;
    let first = page;
    let end = page + 1;
    const low = Math.max(area.start / PAGE, page & ~(CLUSTER - 1));
    const high = Math.min(area.end / PAGE, (page & ~(CLUSTER - 1)) + CLUSTER);
    while (first > low && flags[first - 1]! & PG.LAZY) first--;
    while (end < high && flags[end]! & PG.LAZY) end++;
    const { file } = area;
    if (file !== undefined) {
      const inFile = Math.ceil((file.size() - area.offset) / PAGE) + area.start / PAGE;
      if (page >= inFile) return false;
      end = Math.min(end, inFile);
    }
    this.#fill(area, first, end);
    return true;
  }

  #fill(area: MutableArea, first: number, end: number): void {
    const { machine, base, pages, events } = this.#space;
    const at = base + first * PAGE;
    const bytes = machine.subarray(at, base + end * PAGE);
    for (let p = first; p < end; p++) if (pages.flags[p]! & PG.CODE) events.codeWritten(base + p * PAGE, PAGE);
    const got = area.file === undefined ? 0 : area.file.read(area.offset + (first * PAGE - area.start), bytes);
    bytes.fill(0, got);
    pages.filled(first, end);
    if (area.file !== undefined && area.shared) for (let p = first; p < end; p++) this.#shared.remember(p);
  }

  remap(address: number, length: number, newLength: number, flags: number, newAddress: number): number {
    const old = roundUp(length);
    const size = roundUp(newLength);
    if (flags & ~7 || address % PAGE !== 0 || size === 0) fail(E.INVAL);
    const moves = flags & REMAP.MAYMOVE;
    if ((flags & (REMAP.FIXED | REMAP.DONTUNMAP) && !moves) || (flags & REMAP.DONTUNMAP && old !== size)) fail(E.INVAL);
    const area = this.areas.at(address);
    if (area === undefined || address + old > this.#space.size) fail(E.FAULT);
    if (old === 0 || area.end < address + old) fail(old === 0 ? E.INVAL : E.FAULT);
    if (flags & REMAP.FIXED) {
      if (newAddress % PAGE !== 0 || newAddress + size > this.#space.size || newAddress < LOWEST) fail(E.INVAL);
      if (newAddress < address + old && address < newAddress + size) fail(E.INVAL);
      return this.#move(area, address, old, size, newAddress, flags);
    }
    if (!(flags & REMAP.DONTUNMAP)) {
      if (size <= old) {
        if (size < old) this.unmap(address + size, old - size);
        return address;
      }
      if (this.#extend(area, address + old, size - old)) return address;
    }
    if (!moves) fail(E.NOMEM);
    const to = this.areas.findGap(size, LOWEST, this.ceiling) ?? fail(E.NOMEM);
    return this.#move(area, address, old, size, to, flags);
  }

  /** Grows an area at its end, if there is room. */
  #extend(area: MutableArea, end: number, more: number): boolean {
    if (area.end !== end || end + more > this.#space.size || !this.areas.free(end, end + more)) return false;
    if (this.areas.total + more > this.limit()) fail(E.NOMEM);
    const { prot, shared, file, name } = area;
    file?.retain();
    this.areas.insert({
      start: end,
      end: end + more,
      prot,
      shared,
      file,
      offset: area.offset + (end - area.start),
      name,
    });
    this.#space.pages.map(end / PAGE, (end + more) / PAGE, effective(prot), file !== undefined);
    return true;
  }

  #move(area: MutableArea, from: number, old: number, size: number, to: number, flags: number): number {
    const { machine, base, pages, events } = this.#space;
    if (this.areas.total + size - (flags & REMAP.DONTUNMAP ? 0 : old) > this.limit()) fail(E.NOMEM);
    const kept = Math.min(old, size);
    const { prot, shared, file, name } = area;
    const offset = area.offset + (from - area.start);
    if (shared) this.sync(from, old);
    if (!this.areas.free(to, to + size)) this.#take(to, to + size);
    file?.retain();
    this.areas.insert({ start: to, end: to + size, prot, shared, file, offset, name });
    pages.map(to / PAGE, (to + size) / PAGE, effective(prot), file !== undefined);
    // Pages whose contents are still to be made stay so; the others are copied.
    const delta = (to - from) / PAGE;
    const last = (from + kept) / PAGE;
    for (let p = from / PAGE; p < last;) {
      const first = p;
      const lazy = pages.flags[p]! & PG.LAZY;
      const empty = !(pages.flags[p]! & PG.TOUCHED);
      while (p < last && (pages.flags[p]! & PG.LAZY) === lazy && !(pages.flags[p]! & PG.TOUCHED) === empty) p++;
      if (lazy || empty) continue;
      for (let q = first + delta; q < p + delta; q++)
        if (pages.flags[q]! & PG.CODE) events.codeWritten(base + q * PAGE, PAGE);
      machine.copyWithin(base + (first + delta) * PAGE, base + first * PAGE, base + p * PAGE);
      pages.filled(first + delta, p + delta);
      if (shared && file !== undefined) for (let q = first; q < p; q++) this.#shared.remember(q + delta);
    }
    if (flags & REMAP.DONTUNMAP) pages.forget(from / PAGE, (from + old) / PAGE);
    else this.#take(from, from + old);
    events.flush();
    return to;
  }

  advise(address: number, length: number, advice: number): void {
    const [start, end] = this.#range(address, length, E.INVAL);
    if (advice < 0 || (advice > ADVICE.HIGHEST && advice !== 100 && advice !== 101)) fail(E.INVAL);
    if (advice === ADVICE.DONTNEED || advice === ADVICE.FREE || advice === ADVICE.DONTNEED_LOCKED) {
      const { list } = this.areas;
      for (let i = this.areas.index(start); i < list.length && list[i]!.start < end; i++) {
        const area = list[i]!;
        if (area.shared) continue;
        if (advice === ADVICE.FREE && area.file !== undefined) fail(E.INVAL);
        this.#space.pages.forget(Math.max(area.start, start) / PAGE, Math.min(area.end, end) / PAGE);
      }
      this.#space.events.flush();
    }
    if (!this.areas.covered(start, end)) fail(E.NOMEM);
  }

  sync(address: number, length: number): void {
    const [start, end] = this.#range(address, length, E.NOMEM);
    const { list } = this.areas;
    for (let i = this.areas.index(start); i < list.length && list[i]!.start < end; i++)
      if (list[i]!.shared) this.#writeBack(list[i]!);
    if (!this.areas.covered(start, end)) fail(E.NOMEM);
  }

  syncFile(key: unknown, direction: "to-file" | "from-file"): void {
    for (const area of this.areas.list) {
      if (!area.shared || area.file?.key !== key) continue;
      this.#writeBack(area);
      if (direction === "to-file") continue;
      for (let p = area.start / PAGE; p < area.end / PAGE; p++)
        if (this.#shared.has(p)) this.#space.pages.forget(p, p + 1);
    }
    if (direction === "from-file") this.#space.events.flush();
  }

  close(): void {
    for (const area of this.areas.list.splice(0)) {
      if (area.shared) this.#writeBack(area);
      area.file?.release();
    }
    this.areas.total = 0;
  }

  resident(address: number, length: number): Uint8Array {
    const [start, end] = this.#range(address, length, E.NOMEM);
    if (!this.areas.covered(start, end)) fail(E.NOMEM);
    const { flags } = this.#space.pages;
    return Uint8Array.from({ length: (end - start) / PAGE }, (_, i) => (flags[start / PAGE + i]! & PG.LAZY ? 0 : 1));
  }
}
