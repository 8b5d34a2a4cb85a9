import { swap, swap32 } from "@mimus/bits";

/** What an MMIO region calls. Offsets are bytes in the region, aligned to the access; a value is unsigned. */
export interface Registers {
  /** `size` is 1, 2 or 4. */
  read(offset: number, size: number): number;
  /** `size` is 1, 2 or 4; `value` is unsigned and fits. Never throws, whatever a guest writes. */
  write(offset: number, size: number, value: number): void;
  /** An 8-byte read as [lo, hi]; without it the access is two of 4 bytes, low half first. */
  readWide?(offset: number, out: Uint32Array): void;
  /** An 8-byte write; without it the access is two of 4 bytes, low half first. */
  writeWide?(offset: number, lo: number, hi: number): void;
}

/** How the bus's accesses are made to fit the registers. */
export interface PortOptions {
  /** Narrower accesses are widened to this: a read takes its bytes out, a write puts zeros beside its bytes. */
  readonly minAccess?: 1 | 2 | 4;
  /** Wider accesses are cut into pieces of this, lowest offset first. */
  readonly maxAccess?: 1 | 2 | 4;
  /** log2 of the bytes from one register to the next: the registers see `offset >> shift`, and one call per register. */
  readonly shift?: number;
  /** Byte order of the registers; the bus is little-endian. */
  readonly endian?: "little" | "big";
  /** Lets the registers be entered again while they are busy with an access. */
  readonly reentrant?: boolean;
  /** Takes accesses at odd offsets whole; without it they are cut into bytes. Registers that overlap need it. */
  readonly unaligned?: boolean;
}

/** Marks a device as busy with an access, so that its own DMA cannot enter it again. One per device. */
export class Guard {
  busy = false;
  /** Accesses dropped because the device was busy. */
  dropped = 0;
  onDrop: ((region: string, offset: number, size: number, write: boolean) => void) | undefined;
}

/** Registers behind the size, stride and byte order of a region. */
export class Port {
  readonly name: string;
  readonly regs: Registers;
  /** The methods of `regs`: a look at an object of one class among many for its method takes longer than the call. */
  readonly #read: Registers["read"];
  readonly #write: Registers["write"];
  readonly #min: number;
  readonly #max: number;
  readonly #shift: number;
  readonly #big: boolean;
  /** No adaptation for sizes from `#min` to `#max`. */
  readonly #plain: boolean;
  readonly #reentrant: boolean;
  /** Whether accesses that are not aligned come here whole. */
  readonly unaligned: boolean;
  guard: Guard = new Guard();

  constructor(name: string, regs: Registers, opts: PortOptions) {
    this.name = name;
    this.regs = regs;
    this.#read = regs.read;
    this.#write = regs.write;
    this.#shift = opts.shift ?? 0;
    this.#max = opts.maxAccess ?? 4;
    this.#min = Math.min(opts.minAccess ?? 1, this.#max);
    this.#big = opts.endian === "big";
    this.#reentrant = opts.reentrant ?? false;
    this.unaligned = opts.unaligned ?? false;
    this.#plain = this.#shift === 0 && !this.#big;
  }

  /** An aligned read of 1, 2 or 4 bytes. */
  read(offset: number, size: number): number {
    const guard = this.guard;
    if (guard.busy && !this.#reentrant) return this.#drop(offset, size, false);
    const before = guard.busy;
    guard.busy = true;
    try {
      return this.#plain && size >= this.#min && size <= this.#max
        ? this.#read.call(this.regs, offset, size) >>> 0
        : this.#readAdapted(offset, size);
    } finally {
      guard.busy = before;
    }
  }

  /** An aligned write of 1, 2 or 4 bytes. */
  write(offset: number, size: number, value: number): void {
    const guard = this.guard;
    if (guard.busy && !this.#reentrant) {
      this.#drop(offset, size, true);
      return;
    }
    const before = guard.busy;
    guard.busy = true;
    try {
      if (this.#plain && size >= this.#min && size <= this.#max) this.#write.call(this.regs, offset, size, value);
      else this.#writeAdapted(offset, size, value);
    } finally {
      guard.busy = before;
    }
  }

  /** An aligned read of 8 bytes. */
  readWide(offset: number, out: Uint32Array): void {
    if (this.regs.readWide === undefined || this.#shift !== 0) {
      out[0] = this.read(offset, 4);
      out[1] = this.read(offset + 4, 4);
      return;
    }
    const guard = this.guard;
    if (guard.busy && !this.#reentrant) {
      out[0] = out[1] = this.#drop(offset, 8, false);
      return;
    }
    const before = guard.busy;
    guard.busy = true;
    try {
      this.regs.readWide(offset, out);
    } finally {
      guard.busy = before;
    }
    if (this.#big) {
      const lo = out[0]!;
      out[0] = swap32(out[1]!);
      out[1] = swap32(lo);
    }
  }

  /** An aligned write of 8 bytes. */
  writeWide(offset: number, lo: number, hi: number): void {
    if (this.regs.writeWide === undefined || this.#shift !== 0) {
      this.write(offset, 4, lo);
      this.write(offset + 4, 4, hi);
      return;
    }
    const guard = this.guard;
    if (guard.busy && !this.#reentrant) {
      this.#drop(offset, 8, true);
      return;
    }
    const before = guard.busy;
    guard.busy = true;
    try {
      if (this.#big) this.regs.writeWide(offset, swap32(hi), swap32(lo));
      else this.regs.writeWide(offset, lo, hi);
    } finally {
      guard.busy = before;
    }
  }

  #drop(offset: number, size: number, write: boolean): number {
    this.guard.dropped++;
    this.guard.onDrop?.(this.name, offset, size, write);
    return 0;
  }

  /** Bytes that one call covers for an access of `size`. */
  #step(size: number): number {
    return size < this.#min ? this.#min : size > this.#max ? this.#max : size;
  }

  #readAdapted(offset: number, size: number): number {
    const step = this.#step(size);
    const shift = this.#shift;
    if (shift !== 0) {
      const stride = 2 ** shift;
      const mask = size === 4 ? 0xffffffff : 2 ** (8 * size) - 1;
      let value = 0;
      for (let at = 0; at < size; at += stride)
        value |= this.#get(Math.floor((offset + at) / stride), step) << (8 * at);
      return (value & mask) >>> 0;
    }
    if (step > size) {
      const lane = offset % step;
      const value = this.#get(offset - lane, step) >>> (8 * lane);
      return size === 1 ? value & 0xff : value & 0xffff;
    }
    let value = 0;
    for (let at = 0; at < size; at += step) value |= this.#get(offset + at, step) << (8 * at);
    return value >>> 0;
  }

  #writeAdapted(offset: number, size: number, value: number): void {
    const step = this.#step(size);
    const shift = this.#shift;
    if (shift !== 0) {
      const stride = 2 ** shift;
      for (let at = 0; at < size; at += stride) this.#put(Math.floor((offset + at) / stride), step, value >>> (8 * at));
      return;
    }
    if (step > size) {
      const lane = offset % step;
      this.#put(offset - lane, step, value << (8 * lane));
      return;
    }
    for (let at = 0; at < size; at += step) this.#put(offset + at, step, value >>> (8 * at));
  }

  #get(offset: number, size: number): number {
    const value = this.regs.read(offset, size);
    const cut = size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
    return this.#big ? swap(cut, size) : cut;
  }

  #put(offset: number, size: number, value: number): void {
    const cut = size === 4 ? value >>> 0 : size === 2 ? value & 0xffff : value & 0xff;
    this.regs.write(offset, size, this.#big ? swap(cut, size) : cut);
  }
}
