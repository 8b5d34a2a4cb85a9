import type { RamBlock } from "./memory.ts";
import type { Port } from "./port.ts";
import type { MemoryRegion } from "./region.ts";

/** A run of addresses that one region answers. */
export class FlatRange {
  readonly base: number;
  /** First address after it. */
  readonly end: number;
  readonly region: MemoryRegion;
  /** Offset of `base` in the region. */
  readonly regionOffset: number;
  /** Offset of `base` in the machine memory; -1 when reads go to registers. */
  readonly ramOffset: number;
  /** Whether direct stores are forbidden: ROM, or a ROM device whose writes go to its registers. */
  readonly readonly: boolean;
  /** A ROM device that reads from memory now. */
  readonly romd: boolean;
  /** The memory's bytes; undefined for registers. */
  readonly view: DataView | undefined;
  readonly block: RamBlock | undefined;
  readonly port: Port | undefined;

  constructor(base: number, end: number, region: MemoryRegion, regionOffset: number, readonly: boolean) {
    const { block } = region;
    const direct = block !== undefined && (region.kind !== "rom-device" || region.readDirect);
    this.base = base;
    this.end = end;
    this.region = region;
    this.regionOffset = regionOffset;
    this.ramOffset = direct ? block.offset + regionOffset : -1;
    this.readonly = readonly || region.kind === "rom-device";
    this.romd = direct && region.kind === "rom-device";
    this.view = direct ? block.memory.view : undefined;
    this.block = block;
    this.port = readonly && region.kind === "rom-device" ? undefined : region.port;
  }

  /** Offset of `base` in the port: what a CPU's translations keep. */
  get portOffset(): number {
    return this.regionOffset;
  }

  /** Bytes. */
  get size(): number {
    return this.end - this.base;
  }
}

/** Largest address plus one: numbers are exact up to here. */
const LIMIT: number = 2 ** 53;

/** The ranges that the tree under `root` comes to, in address order, without overlaps. */
export function flatten(root: MemoryRegion): FlatRange[] {
  const ranges: FlatRange[] = [];
  render(ranges, root, 0, 0, Math.min(root.size, LIMIT), false);
  return merge(ranges);
}

/** Shows `region`, whose byte 0 is at address `base`, inside [from, to), under all that is already there. */
function render(
  ranges: FlatRange[],
  region: MemoryRegion,
  base: number,
  from: number,
  to: number,
  readonly: boolean,
): void {
  if (!region.enabled) return;
  const low = Math.max(from, base);
  const high = Math.min(to, base + region.size);
  if (low >= high) return;
  const locked = readonly || region.readonly;
  for (const child of region.children) render(ranges, child.region, base + child.region.offset, low, high, locked);
  if (region.target !== undefined) render(ranges, region.target, base - region.targetOffset, low, high, locked);
  else if (region.kind !== "container") fill(ranges, region, base, low, high, locked);
}

/** Gives the still free parts of [low, high) to `region`. */
function fill(
  ranges: FlatRange[],
  region: MemoryRegion,
  base: number,
  low: number,
  high: number,
  readonly: boolean,
): void {
  let index = firstEndingAfter(ranges, low);
  let at = low;
  while (at < high) {
    const next = ranges[index];
    const end = next === undefined ? high : Math.min(high, next.base);
    if (at < end) {
      ranges.splice(index, 0, new FlatRange(at, end, region, at - base, readonly));
      index++;
    }
    if (next === undefined) return;
    at = Math.max(at, next.end);
    index++;
  }
}

/** Index of the first range that ends after `addr`: it holds the address or lies behind it. */
export function firstEndingAfter(ranges: readonly FlatRange[], addr: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end <= addr) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Joins neighbours that continue the same region. */
function merge(ranges: readonly FlatRange[]): FlatRange[] {
  const out: FlatRange[] = [];
  for (const range of ranges) {
    const last = out.at(-1);
    if (
      last !== undefined &&
      last.end === range.base &&
      last.region === range.region &&
      last.readonly === range.readonly &&
      last.regionOffset + last.size === range.regionOffset
    )
      out[out.length - 1] = new FlatRange(last.base, range.end, last.region, last.regionOffset, last.readonly);
    else out.push(range);
  }
  return out;
}
