import type { AddressSpace } from "@mimus/machine-core";
import { DESC, DESC_BYTES } from "./spec.ts";

/** One buffer that the driver gave to the device. */
export interface GivenBuffer {
  /** What `UsedBuffer.id` will say. */
  readonly id: number;
  /** Guest addresses of the parts, readable ones first. */
  readonly out: readonly number[];
  readonly in: readonly { readonly addr: number; readonly length: number }[];
}

/** What the device returned. */
export interface UsedBuffer {
  /** Which buffer. */
  readonly id: number;
  /** Bytes of its writable part. */
  readonly written: number;
}

/** The driver's side of one virtqueue, as simple as can be: for tests and for loaders that run before the guest. */
export class RingDriver {
  /** Entries. */
  readonly size: number;
  /** Guest address of the descriptors. */
  readonly desc: number;
  /** Guest address of what the driver writes. */
  readonly driver: number;
  /** Guest address of what the device writes. */
  readonly device: number;
  /** One ring in place of three areas. */
  readonly packed: boolean;
  readonly #space: AddressSpace;
  readonly #alloc: (bytes: number, align?: number) => number;
  readonly #slots: Map<number, number> = new Map();
  #freeDesc = 0;
  #avail = 0;
  #used = 0;
  #availWrap = true;
  #usedWrap = true;
  #nextId = 0;

  /** `alloc` hands out zeroed guest memory. A legacy queue is one block: desc, avail, and used after `align`. */
  constructor(
    space: AddressSpace,
    alloc: (bytes: number, align?: number) => number,
    opts: { size: number; packed?: boolean; legacyAlign?: number },
  ) {
    this.#space = space;
    this.#alloc = alloc;
    this.size = opts.size;
    this.packed = opts.packed ?? false;
    const { size } = opts;
    if (opts.legacyAlign !== undefined) {
      const end = DESC_BYTES * size + 6 + 2 * size;
      const device = Math.ceil(end / opts.legacyAlign) * opts.legacyAlign;
      this.desc = alloc(device + 6 + 8 * size, opts.legacyAlign);
      this.driver = this.desc + DESC_BYTES * size;
      this.device = this.desc + device;
    } else {
      this.desc = alloc(DESC_BYTES * size, 16);
      this.driver = alloc(this.packed ? 4 : 6 + 2 * size, 4);
      this.device = alloc(this.packed ? 4 : 6 + 8 * size, 4);
    }
  }

  /** Makes a buffer available: `out` is what the device reads, `inLengths` the room it may write. */
  add(out: readonly Uint8Array[], inLengths: readonly number[] = [], opts: { indirect?: boolean } = {}): GivenBuffer {
    const outAddrs = out.map((bytes) => {
      const addr = this.#alloc(bytes.length, 16);
      this.#space.writeBytes(addr, bytes);
      return addr;
    });
    const ins = inLengths.map((length) => ({ addr: this.#alloc(length, 16), length }));
    const parts = [
      ...outAddrs.map((addr, i) => ({ addr, length: out[i]!.length, flags: 0 })),
      ...ins.map((p) => ({ ...p, flags: DESC.WRITE as number })),
    ];
    const id = opts.indirect === true ? this.#addIndirect(parts) : this.addRaw(parts);
    return { id, out: outAddrs, in: ins };
  }

  /** Makes descriptors available as they are, chained in order; answers the id. For hostile tests, too. */
  addRaw(parts: readonly { addr: number; length: number; flags: number }[], next?: (i: number) => number): number {
    return this.packed ? this.#addPacked(parts) : this.#addSplit(parts, next);
  }

  /** The next buffer that the device returned. */
  take(): UsedBuffer | undefined {
    const s = this.#space;
    if (!this.packed) {
      if (s.read(this.device + 2, 2) === this.#used) return undefined;
      const at = this.device + 4 + 8 * (this.#used % this.size);
      this.#used = (this.#used + 1) & 0xffff;
      return { id: s.read(at, 4), written: s.read(at + 4, 4) };
    }
    const at = this.desc + DESC_BYTES * this.#used;
    const flags = s.read(at + 14, 2);
    if (((flags & DESC.USED) !== 0) !== this.#usedWrap || ((flags & DESC.AVAIL) !== 0) !== this.#usedWrap)
      return undefined;
    const id = s.read(at + 12, 2);
    const written = s.read(at + 8, 4);
    this.#used += this.#slots.get(id) ?? 1;
    if (this.#used >= this.size) {
      this.#used -= this.size;
      this.#usedWrap = !this.#usedWrap;
    }
    return { id, written };
  }

  /** Bytes that the device wrote to a buffer. */
  contents(buffer: GivenBuffer): Uint8Array {
    const total = buffer.in.reduce((n, p) => n + p.length, 0);
    const out = new Uint8Array(total);
    let at = 0;
    for (const { addr, length } of buffer.in) {
      this.#space.readBytes(addr, out.subarray(at, at + length));
      at += length;
    }
    return out;
  }

  /** Says whether, or after which position, interrupts are wanted. */
  setEvent(event: "all" | "none" | number): void {
    const s = this.#space;
    if (!this.packed) {
      s.write(this.driver, 2, event === "none" ? 1 : 0);
      if (typeof event === "number") s.write(this.driver + 4 + 2 * this.size, 2, event & 0xffff);
      return;
    }
    if (typeof event === "number") s.write(this.driver, 2, event);
    s.write(this.driver + 2, 2, event === "none" ? 1 : event === "all" ? 0 : 2);
  }

  #store(at: number, addr: number, length: number): void {
    const s = this.#space;
    s.write(at, 4, addr >>> 0);
    s.write(at + 4, 4, Math.floor(addr / 4294967296) >>> 0);
    s.write(at + 8, 4, length);
  }

  #addSplit(parts: readonly { addr: number; length: number; flags: number }[], next?: (i: number) => number): number {
    const s = this.#space;
    const head = this.#freeDesc;
    parts.forEach((p, i) => {
      const index = (head + i) % this.size;
      const at = this.desc + DESC_BYTES * index;
      const last = i === parts.length - 1;
      this.#store(at, p.addr, p.length);
      s.write(at + 12, 2, p.flags | (last && !next ? 0 : DESC.NEXT));
      s.write(at + 14, 2, next?.(i) ?? (index + 1) % this.size);
    });
    this.#freeDesc = (head + parts.length) % this.size;
    s.write(this.driver + 4 + 2 * (this.#avail % this.size), 2, head);
    this.#avail = (this.#avail + 1) & 0xffff;
    s.write(this.driver + 2, 2, this.#avail);
    return head;
  }

  #addPacked(parts: readonly { addr: number; length: number; flags: number }[]): number {
    const s = this.#space;
    const id = this.#nextId++ % this.size;
    this.#slots.set(id, parts.length);
    const first = this.desc + DESC_BYTES * this.#avail + 14;
    let firstFlags = 0;
    parts.forEach((p, i) => {
      const at = this.desc + DESC_BYTES * this.#avail;
      this.#store(at, p.addr, p.length);
      s.write(at + 12, 2, id);
      const flags = p.flags | (i < parts.length - 1 ? DESC.NEXT : 0) | (this.#availWrap ? DESC.AVAIL : DESC.USED);
      if (i === 0) firstFlags = flags;
      else s.write(at + 14, 2, flags);
      if (++this.#avail === this.size) {
        this.#avail = 0;
        this.#availWrap = !this.#availWrap;
      }
    });
    s.write(first, 2, firstFlags);
    return id;
  }

  #addIndirect(parts: readonly { addr: number; length: number; flags: number }[]): number {
    const table = this.#alloc(parts.length * DESC_BYTES, 16);
    parts.forEach((p, i) => {
      const at = table + i * DESC_BYTES;
      this.#store(at, p.addr, p.length);
      this.#space.write(at + 12, 2, p.flags | (!this.packed && i < parts.length - 1 ? DESC.NEXT : 0));
      this.#space.write(at + 14, 2, this.packed ? p.flags : i + 1);
      if (this.packed) this.#space.write(at + 12, 2, 0);
    });
    return this.addRaw([{ addr: table, length: parts.length * DESC_BYTES, flags: DESC.INDIRECT }]);
  }
}
