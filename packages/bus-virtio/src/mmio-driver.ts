import type { AddressSpace } from "@mimus/machine-core";
import { RingDriver } from "./ring-driver.ts";
import { FEATURE, STATUS } from "./spec.ts";

/** Hands out guest memory from `base` on. Nothing is ever given back. */
export function bumpAllocator(base: number): (bytes: number, align?: number) => number {
  let next = base;
  return (bytes, align = 16) => {
    const at = Math.ceil(next / align) * align;
    next = at + bytes;
    return at;
  };
}

/** How a {@link MmioDriver} negotiates. */
export interface DriverOptions {
  /** Wants packed rings. */
  readonly packed?: boolean;
  /** Wants event indices. */
  readonly eventIdx?: boolean;
  /** Feature bits of the device type that the driver takes. */
  readonly features?: readonly number[];
}

/** A driver of the memory-mapped transport, both versions: what tests speak through. */
export class MmioDriver {
  readonly space: AddressSpace;
  readonly base: number;
  readonly alloc: (bytes: number, align?: number) => number;
  /** The device has version 2 of the registers. */
  readonly modern: boolean;
  /** Those that `start` set up. */
  readonly queues: RingDriver[] = [];
  packed = false;

  constructor(space: AddressSpace, base: number, heap: number) {
    this.space = space;
    this.base = base;
    this.alloc = bumpAllocator(heap);
    this.modern = this.read(0x04) === 2;
  }

  /** A register, 32 bits. */
  read(offset: number): number {
    return this.space.read(this.base + offset, 4);
  }
  /** Writes a register, 32 bits. */
  write(offset: number, value: number): void {
    this.space.write(this.base + offset, 4, value);
  }
  /** The status byte. */
  get status(): number {
    return this.read(0x70);
  }
  /** The interrupt status register. */
  get interrupt(): number {
    return this.read(0x60);
  }
  /** Acknowledges what the interrupt status shows. */
  ack(): void {
    this.write(0x64, this.interrupt);
  }

  /** Features offered, both words. */
  offered(): [number, number] {
    const word = (n: number): number => {
      this.write(0x14, n);
      return this.read(0x10);
    };
    return [word(0), word(1)];
  }

  /** Resets, negotiates and sets up `queues` queues of `size` entries. Answers whether the device agreed. */
  start(queues: number, size: number, opts: DriverOptions = {}): boolean {
    this.packed = opts.packed ?? false;
    this.write(0x70, 0);
    this.write(0x70, STATUS.ACKNOWLEDGE);
    this.write(0x70, STATUS.ACKNOWLEDGE | STATUS.DRIVER);
    const bits = [...(opts.features ?? []), FEATURE.INDIRECT_DESC];
    if (opts.eventIdx === true) bits.push(FEATURE.EVENT_IDX);
    if (this.modern) bits.push(FEATURE.VERSION_1);
    if (this.packed) bits.push(FEATURE.RING_PACKED);
    for (const word of this.modern ? [0, 1] : [0]) {
      const value = bits.filter((b) => b >> 5 === word).reduce((v, b) => v | (1 << (b & 31)), 0);
      this.write(0x24, word);
      this.write(0x20, value >>> 0);
    }
    let status: number = STATUS.ACKNOWLEDGE | STATUS.DRIVER;
    if (this.modern) {
      status |= STATUS.FEATURES_OK;
      this.write(0x70, status);
      if ((this.status & STATUS.FEATURES_OK) === 0) return false;
    } else this.write(0x28, 4096);
    this.queues.length = 0;
    for (let q = 0; q < queues; q++) this.#setUp(q, size);
    this.write(0x70, status | STATUS.DRIVER_OK);
    return true;
  }

  /** Notifies the device of new buffers. */
  kick(queue: number): void {
    this.write(0x50, queue);
  }

  #setUp(index: number, size: number): void {
    this.write(0x30, index);
    const max = this.read(0x34);
    const n = Math.min(size, max);
    const ring = new RingDriver(this.space, this.alloc, {
      size: n,
      packed: this.packed,
      ...(this.modern ? {} : { legacyAlign: 4096 }),
    });
    this.queues[index] = ring;
    this.write(0x38, n);
    if (!this.modern) {
      this.write(0x3c, 4096);
      this.write(0x40, ring.desc / 4096);
      return;
    }
    for (const [at, addr] of [
      [0x80, ring.desc],
      [0x90, ring.driver],
      [0xa0, ring.device],
    ] as const) {
      this.write(at, addr >>> 0);
      this.write(at + 4, Math.floor(addr / 4294967296));
    }
    this.write(0x44, 1);
  }
}
