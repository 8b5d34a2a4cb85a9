import { BlockError } from "./errors.ts";
import type { GraphNode, WriteHook } from "./graph-node.ts";

/** Bits of one page; pages without a set bit take no memory. */
const PAGE_BITS = 32768;
const PAGE_WORDS = PAGE_BITS / 32;

/** A set of dirty granules of a disk. */
export class Bitmap {
  /** Bytes for each bit: a power of two from 512 to 2 GiB. */
  readonly granularity: number;
  #size: number;
  #pages: (Uint32Array | undefined)[];
  #count = 0;

  constructor(size: number, granularity: number) {
    this.granularity = granularity;
    this.#size = size;
    this.#pages = Array.from({ length: Math.ceil(Math.ceil(size / granularity) / PAGE_BITS) }, () => undefined);
  }

  /** Bytes of the disk. */
  get size(): number {
    return this.#size;
  }
  /** Bits in all. */
  get bits(): number {
    return Math.ceil(this.#size / this.granularity);
  }
  /** Set bits. */
  get set(): number {
    return this.#count;
  }
  /** Bytes that set bits stand for. */
  get bytes(): number {
    const last = this.bits - 1;
    const over = last >= 0 && this.#get(last) ? this.bits * this.granularity - this.#size : 0;
    return this.#count * this.granularity - over;
  }

  /** Whether the granule of the byte `at` is marked. */
  has(at: number): boolean {
    return this.#get(Math.floor(at / this.granularity));
  }

  /** Marks every granule that the range touches. */
  mark(at: number, length: number): void {
    if (length <= 0) return;
    const end = Math.min(Math.ceil((at + length) / this.granularity), this.bits);
    for (let bit = Math.floor(at / this.granularity); bit < end;) {
      const index = Math.floor(bit / PAGE_BITS);
      const page = (this.#pages[index] ??= new Uint32Array(PAGE_WORDS));
      bit = this.#change(page, bit, Math.min(end, (index + 1) * PAGE_BITS), true);
    }
  }

  /** Clears every granule that the range touches. */
  unmark(at: number, length: number): void {
    const end = Math.min(Math.ceil((at + length) / this.granularity), this.bits);
    for (let bit = Math.floor(at / this.granularity); bit < end;) {
      const index = Math.floor(bit / PAGE_BITS);
      const stop = Math.min(end, (index + 1) * PAGE_BITS);
      const page = this.#pages[index];
      if (page && stop - bit === PAGE_BITS) {
        for (const word of page) this.#count -= ones(word);
        this.#pages[index] = undefined;
      }
      bit = page && stop - bit < PAGE_BITS ? this.#change(page, bit, stop, false) : stop;
    }
  }

  /** Sets or clears bits of one page, a word at a time. @returns `stop` */
  #change(page: Uint32Array, from: number, stop: number, on: boolean): number {
    for (let bit = from; bit < stop;) {
      const low = bit & 31;
      const many = Math.min(32 - low, stop - bit);
      const mask = many === 32 ? 0xffffffff : (((1 << many) - 1) << low) >>> 0;
      const word = (bit % PAGE_BITS) >>> 5;
      const old = page[word] ?? 0;
      const now = (on ? old | mask : old & ~mask) >>> 0;
      if (now !== old) {
        page[word] = now;
        this.#count += on ? ones(now ^ old) : -ones(now ^ old);
      }
      bit += many;
    }
    return stop;
  }

  /** Clears every bit. */
  clear(): void {
    this.#pages.fill(undefined);
    this.#count = 0;
  }

  /** First marked range at or after `at`, at most `max` bytes; undefined = none. */
  next(at: number, max: number): { at: number; length: number } | undefined {
    const { bits, granularity } = this;
    let bit = Math.floor(at / granularity);
    while (bit < bits && !this.#get(bit)) {
      const page = this.#pages[Math.floor(bit / PAGE_BITS)];
      if (!page) bit = (Math.floor(bit / PAGE_BITS) + 1) * PAGE_BITS;
      else if ((page[(bit % PAGE_BITS) >>> 5] ?? 0) === 0) bit = (bit | 31) + 1;
      else bit++;
    }
    if (bit >= bits) return undefined;
    let end = bit + 1;
    while (end < bits && (end - bit) * granularity < max && this.#get(end)) {
      // Whole words at once: a disk may be all dirty.
      const page = this.#pages[Math.floor(end / PAGE_BITS)];
      end += (end & 31) === 0 && page?.[(end % PAGE_BITS) >>> 5] === 0xffffffff ? 32 : 1;
    }
    if (end > bits) end = bits;
    const start = Math.max(at, bit * granularity);
    return { at: start, length: Math.min(end * granularity, start + max, this.#size) - start };
  }

  /** Marks what `other` has marked; granularities may differ. */
  merge(other: Bitmap): void {
    for (let r = other.next(0, 2 ** 52); r; r = other.next(r.at + r.length, 2 ** 52)) this.mark(r.at, r.length);
  }

  /** The disk has `size` bytes from now on: new bits are clear, those beyond the end are gone. */
  resize(size: number): void {
    if (size < this.#size) {
      const first = Math.ceil(size / this.granularity) * this.granularity;
      this.unmark(first, this.#size - first);
    }
    this.#size = size;
    this.#pages.length = Math.ceil(this.bits / PAGE_BITS);
  }

  /** The bits packed as images keep them: least significant first. */
  pack(): Uint8Array {
    const out = new Uint8Array(Math.ceil(this.bits / 8));
    for (const [index, page] of this.#pages.entries()) {
      if (!page) continue;
      const at = (index * PAGE_BITS) / 8;
      for (let i = 0; i < PAGE_BITS / 8 && at + i < out.length; i++)
        out[at + i] = (page[i >> 2] ?? 0) >>> ((i & 3) * 8);
    }
    return out;
  }

  /** Takes over bits as `pack` gives them. */
  unpack(from: Uint8Array): void {
    this.clear();
    for (let i = 0; i < from.length; i++)
      for (let b = from[i] ?? 0, n = 0; b !== 0; b >>= 1, n++)
        if (b & 1) this.mark((i * 8 + n) * this.granularity, this.granularity);
  }

  #get(bit: number): boolean {
    const page = this.#pages[Math.floor(bit / PAGE_BITS)];
    return page !== undefined && ((page[(bit % PAGE_BITS) >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }
}

/** Set bits of a word. */
function ones(word: number): number {
  let n = word - ((word >>> 1) & 0x55555555);
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333);
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** A dirty bitmap of a node: records what is written while it is enabled. */
export class DirtyBitmap implements WriteHook {
  /** Unique among the bitmaps of its node. */
  readonly name: string;
  /** Whose writes it records. */
  readonly node: GraphNode;
  #bits: Bitmap;
  /** Whether writes are recorded. */
  enabled = true;
  /** Kept in the image when the node closes. */
  persistent = false;
  /** A job that uses it; nobody else may change it meanwhile. */
  busy = false;
  /** The image was not closed properly: only removing it makes sense. */
  inconsistent = false;
  /** While a job copies what the bitmap says, new writes go here. */
  #successor: Bitmap | undefined;

  constructor(node: GraphNode, name: string, granularity: number) {
    this.node = node;
    this.name = name;
    this.#bits = new Bitmap(node.size, granularity);
    node.hooks.add(this);
  }

  /** What is marked; while a job holds the bitmap, what the job took and what came since are apart, and this is what the job took. */
  get bits(): Bitmap {
    return this.#bits;
  }
  /** Bytes for each bit: a power of two. */
  get granularity(): number {
    return this.#bits.granularity;
  }

  after(at: number, length: number): void {
    if (this.enabled) (this.#successor ?? this.#bits).mark(at, length);
  }
  resized(size: number): void {
    this.#bits.resize(size);
    this.#successor?.resize(size);
  }

  /** A job takes the bits as they are; what is written from now on is kept apart. */
  freeze(): void {
    this.busy = true;
    this.#successor = new Bitmap(this.node.size, this.granularity);
  }
  /** The job is over: `keep` adds the new bits to the old ones, otherwise only the new ones stay. */
  thaw(keep: boolean): void {
    const next = this.#successor;
    this.busy = false;
    this.#successor = undefined;
    if (!next) return;
    if (keep) this.#bits.merge(next);
    else this.#bits = next;
  }
  /** Puts another content in place. @returns what was there */
  swap(bits: Bitmap): Bitmap {
    const old = this.#bits;
    this.#bits = bits;
    return old;
  }

  /** Stops recording; the bitmap is of no use afterwards. */
  remove(): void {
    this.node.hooks.delete(this);
  }

  /** @throws BlockError as QEMU words it, when the bitmap may not be used */
  check(rules: { busy?: boolean; inconsistent?: boolean; readOnly?: boolean } = {}): this {
    if (rules.busy !== false && this.busy)
      throw new BlockError(
        "in-use",
        `Bitmap '${this.name}' is currently in use by another operation and cannot be used`,
      );
    if (rules.inconsistent !== false && this.inconsistent)
      throw new BlockError("corrupt", `Bitmap '${this.name}' is inconsistent and cannot be used`);
    return this;
  }
}
