import { firstEndingAfter, flatten, type FlatRange } from "./flat-view.ts";
import type { MemoryRegion } from "./region.ts";

/** Told about every access that nothing answers; `value` only for writes. */
export type UnassignedListener = (addr: number, size: number, write: boolean, value: number) => void;

/** The addresses that a CPU or a bus master sees. Accesses never throw for what a guest does. Addresses are bytes, up to 2^52. */
export class AddressSpace {
  readonly name: string;
  readonly root: MemoryRegion;
  /** Whether the last read or write touched an address that nothing answers. */
  lastFault = false;
  /** Accesses that nothing answered. */
  unassigned = 0;
  onUnassigned: UnassignedListener | undefined;
  private ranges: readonly FlatRange[] = [];
  private stale = true;
  private last: FlatRange | undefined;
  private readonly listeners: (() => void)[] = [];
  private batching = 0;
  private pending = false;
  private readonly pair: Uint32Array = new Uint32Array(2);

  constructor(name: string, root: MemoryRegion) {
    this.name = name;
    this.root = root;
    root.attach(this);
  }

  /** Its ranges in address order, made anew when a region has changed. */
  get flat(): readonly FlatRange[] {
    if (this.stale) {
      this.stale = false;
      this.ranges = flatten(this.root);
    }
    return this.ranges;
  }

  /** Called by the regions: the flat view is stale. Listeners hear it once until the view is used again. */
  invalidate(): void {
    this.last = undefined;
    if (this.stale) return;
    this.stale = true;
    if (this.batching > 0) this.pending = true;
    else this.notify();
  }

  /** Calls `fn` whenever the view has changed: whoever caches translations drops them. */
  onChange(fn: () => void): void {
    this.listeners.push(fn);
    void this.flat;
  }

  /** Runs `change`, which may change many regions, and tells the listeners once, after it. */
  batch(change: () => void): void {
    this.batching++;
    try {
      change();
    } finally {
      this.batching--;
      if (this.batching === 0 && this.pending) {
        this.pending = false;
        this.notify();
      }
    }
  }

  /** Forgets the root: it no longer tells this space of changes. */
  close(): void {
    this.root.detach(this);
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
    if (this.listeners.length > 0) void this.flat;
  }

  /** The range that holds `addr`, or undefined when nothing answers there. */
  lookup(addr: number): FlatRange | undefined {
    const last = this.last;
    if (last !== undefined && addr >= last.base && addr < last.end) return last;
    const ranges = this.stale ? this.flat : this.ranges;
    const range = ranges[firstEndingAfter(ranges, addr)];
    if (range === undefined || !(addr >= range.base)) return undefined;
    this.last = range;
    return range;
  }

  /** Reads 1, 2 or 4 bytes, little-endian, unsigned; 0 where nothing answers. */
  read(addr: number, size: 1 | 2 | 4): number {
    this.lastFault = false;
    const range = this.lookup(addr);
    if (range === undefined || addr + size > range.end) return this.readPieces(range, addr, size);
    const view = range.view;
    if (view !== undefined) {
      const at = range.ramOffset + (addr - range.base);
      return size === 4 ? view.getUint32(at, true) : size === 1 ? view.getUint8(at) : view.getUint16(at, true);
    }
    const offset = range.regionOffset + (addr - range.base);
    // Not the remainder of a division: V8 calls out for that of doubles, which took 25 ns, half of a port access.
    if ((offset & (size - 1)) !== 0 && !range.port!.unaligned) return this.readPieces(range, addr, size);
    return range.port!.read(offset, size);
  }

  /** Writes the low 1, 2 or 4 bytes of `value`, little-endian; nothing happens where nothing answers, or in ROM. */
  write(addr: number, size: 1 | 2 | 4, value: number): void {
    this.lastFault = false;
    const range = this.lookup(addr);
    if (range === undefined || addr + size > range.end) {
      this.writePieces(range, addr, size, value);
      return;
    }
    const offset = range.regionOffset + (addr - range.base);
    if (!range.readonly && range.view !== undefined) {
      const at = range.ramOffset + (addr - range.base);
      if (size === 4) range.view.setUint32(at, value, true);
      else if (size === 1) range.view.setUint8(at, value);
      else range.view.setUint16(at, value, true);
      range.block!.dirty.mark(offset, size);
    } else if (range.port !== undefined) {
      if ((offset & (size - 1)) !== 0 && !range.port.unaligned) this.writePieces(range, addr, size, value);
      else range.port.write(offset, size, size === 4 ? value >>> 0 : size === 1 ? value & 0xff : value & 0xffff);
    }
  }

  /** Reads 8 bytes as [lo, hi]. */
  readWide(addr: number, out: Uint32Array): void {
    const range = this.lookup(addr);
    if (range !== undefined && range.view === undefined && addr + 8 <= range.end) {
      const offset = range.regionOffset + (addr - range.base);
      if ((offset & 7) === 0) {
        this.lastFault = false;
        range.port!.readWide(offset, out);
        return;
      }
    }
    out[0] = this.read(addr, 4);
    const fault = this.lastFault;
    out[1] = this.read(addr + 4, 4);
    this.lastFault ||= fault;
  }

  /** Writes 8 bytes given as unsigned halves. */
  writeWide(addr: number, lo: number, hi: number): void {
    const range = this.lookup(addr);
    if (range !== undefined && (range.view === undefined || range.readonly) && addr + 8 <= range.end) {
      const offset = range.regionOffset + (addr - range.base);
      if ((offset & 7) === 0 && range.port !== undefined) {
        this.lastFault = false;
        range.port.writeWide(offset, lo >>> 0, hi >>> 0);
        return;
      }
    }
    this.write(addr, 4, lo);
    const fault = this.lastFault;
    this.write(addr + 4, 4, hi);
    this.lastFault ||= fault;
  }

  /** An access that crosses ranges, is misaligned for registers, or hits nothing. */
  private readPieces(range: FlatRange | undefined, addr: number, size: number): number {
    const whole = takesWhole(range, addr, size);
    if (whole >= 0) return range!.port!.read(whole, size);
    if (size === 1 || (range === undefined && this.lookup(addr + size - 1) === undefined)) {
      this.miss(addr, size, false, 0);
      return 0;
    }
    let value = 0;
    let fault = false;
    for (let i = 0; i < size; i++) {
      value |= this.read(addr + i, 1) << (8 * i);
      fault ||= this.lastFault;
    }
    this.lastFault = fault;
    return value >>> 0;
  }

  private writePieces(range: FlatRange | undefined, addr: number, size: number, value: number): void {
    const whole = takesWhole(range, addr, size);
    if (whole >= 0) {
      range!.port!.write(whole, size, value);
      return;
    }
    if (size === 1 || (range === undefined && this.lookup(addr + size - 1) === undefined)) {
      this.miss(addr, size, true, value);
      return;
    }
    let fault = false;
    for (let i = 0; i < size; i++) {
      this.write(addr + i, 1, (value >>> (8 * i)) & 0xff);
      fault ||= this.lastFault;
    }
    this.lastFault = fault;
  }

  private miss(addr: number, size: number, write: boolean, value: number): void {
    this.lastFault = true;
    this.unassigned++;
    this.onUnassigned?.(addr, size, write, value);
  }

  /** DMA: fills `into` from `addr` on. Registers are read too. False when a part of it is not assigned; that part is zero. */
  readBytes(addr: number, into: Uint8Array): boolean {
    let good = true;
    for (let at = 0; at < into.length;) {
      const range = this.lookup(addr + at);
      if (range === undefined) {
        const gap = this.gap(addr + at, into.length - at);
        this.miss(addr + at, gap, false, 0);
        into.fill(0, at, at + gap);
        at += gap;
        good = false;
        continue;
      }
      const length = Math.min(into.length - at, range.end - addr - at);
      const offset = addr + at - range.base;
      if (range.view !== undefined) {
        const start = range.regionOffset + offset;
        into.set(range.block!.bytes.subarray(start, start + length), at);
      } else for (let i = 0; i < length;) i += this.readPort(addr + at + i, into, at + i, length - i);
      at += length;
    }
    this.lastFault = !good;
    return good;
  }

  /** DMA: stores `from` at `addr` on. Registers are written too, ROM ignores it. False when a part is not assigned. */
  writeBytes(addr: number, from: Uint8Array): boolean {
    let good = true;
    for (let at = 0; at < from.length;) {
      const range = this.lookup(addr + at);
      if (range === undefined) {
        const gap = this.gap(addr + at, from.length - at);
        this.miss(addr + at, gap, true, 0);
        at += gap;
        good = false;
        continue;
      }
      const length = Math.min(from.length - at, range.end - addr - at);
      const start = range.regionOffset + (addr + at - range.base);
      if (range.view !== undefined && !range.readonly) {
        range.block!.bytes.set(from.subarray(at, at + length), start);
        range.block!.dirty.mark(start, length);
      } else if (range.port !== undefined)
        for (let i = 0; i < length;) i += this.writePort(addr + at + i, from, at + i, length - i);
      at += length;
    }
    this.lastFault = !good;
    return good;
  }

  /** Bytes from an unassigned `addr` on to the next range, at most `most`. */
  private gap(addr: number, most: number): number {
    const next = this.flat[firstEndingAfter(this.flat, addr)];
    return next === undefined ? most : Math.min(most, next.base - addr);
  }

  private readPort(addr: number, into: Uint8Array, at: number, left: number): number {
    if (left >= 4 && addr % 4 === 0) {
      const value = this.read(addr, 4);
      for (let i = 0; i < 4; i++) into[at + i] = value >>> (8 * i);
      return 4;
    }
    into[at] = this.read(addr, 1);
    return 1;
  }

  private writePort(addr: number, from: Uint8Array, at: number, left: number): number {
    if (left >= 4 && addr % 4 === 0) {
      this.write(addr, 4, from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24));
      return 4;
    }
    this.write(addr, 1, from[at]!);
    return 1;
  }

  /** The bytes at `addr` themselves when all `length` are in one RAM range that may be written; else undefined. Follow writes by `markWritten`. */
  window(addr: number, length: number): Uint8Array | undefined {
    const range = this.lookup(addr);
    if (range?.view === undefined || range.readonly || !(length >= 0) || addr + length > range.end) return undefined;
    const start = range.regionOffset + (addr - range.base);
    return range.block!.bytes.subarray(start, start + length);
  }

  /** Records that `length` bytes at `addr` were written through a window. */
  markWritten(addr: number, length: number): void {
    for (let at = addr, left = length; left > 0;) {
      const range = this.lookup(at);
      if (range === undefined) return;
      const part = Math.min(left, range.end - at);
      if (range.block !== undefined) range.block.dirty.mark(range.regionOffset + (at - range.base), part);
      at += part;
      left -= part;
    }
  }

  /** Reads a little-endian 64-bit number, exact up to 2^53; larger values lose low bits. */
  readU64(addr: number): number {
    this.readWide(addr, this.pair);
    return this.pair[1]! * 0x1_0000_0000 + this.pair[0]!;
  }
}

/**
 * Registers take a whole aligned access that begins in them and fits them, whatever other registers lie over its end: configuration
 * mechanism and reset register of a PC share a word. @returns the offset in the registers; -1: not so
 */
function takesWhole(range: FlatRange | undefined, addr: number, size: number): number {
  if (range?.port === undefined || range.view !== undefined) return -1;
  const offset = range.regionOffset + (addr - range.base);
  return (offset & (size - 1)) === 0 && offset + size <= range.region.size ? offset : -1;
}
