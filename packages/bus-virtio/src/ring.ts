import type { Chain } from "./chain.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { DESC, DESC_BYTES, MAX_CHAIN } from "./spec.ts";

/** Where a ring lies in guest memory, and how many descriptors it has. */
export interface RingPlace {
  readonly size: number;
  readonly desc: number;
  /** Split: available ring. Packed: driver event area. */
  readonly driver: number;
  /** Split: used ring. Packed: device event area. */
  readonly device: number;
}

/** A ring does something that the specification forbids: the device needs a reset. Never leaves this package. */
export class RingFault extends Error {}

/** What both layouts do. Methods throw RingFault only, and VirtQueue catches it. */
export interface Ring {
  /** The next available buffer, or undefined when there is none. */
  pop(): Chain | undefined;
  /** Puts a popped buffer back, the newest first. */
  unpop(chain: Chain): void;
  /** Writes a used entry, the `n`th since the last flush, without showing it to the driver. */
  fill(chain: Chain, written: number, n: number): void;
  /** Shows `n` filled entries, which took `slots` descriptors, to the driver. */
  flush(n: number, slots: number): void;
  /** Whether the driver wants an interrupt for what was flushed since the last call. */
  wantsInterrupt(): boolean;
  /** Whether a buffer is available. */
  hasWork(): boolean;
  /** Asks the driver to notify, or not to, about new buffers. */
  setNotification(on: boolean): void;
  save(): RingState;
  load(state: RingState): void;
}

/** Positions in the ring; wrap bits of packed rings are bit 15. */
export interface RingState {
  readonly avail: number;
  readonly used: number;
  /** Position up to which interrupts were considered, or -1: none yet. */
  readonly signalled: number;
}

/** Little or big endian access to a part of a ring; windows are taken anew when the address space changed. */
export class RingPart {
  readonly #memory: GuestMemory;
  readonly #addr: number;
  readonly #length: number;
  readonly #write: boolean;
  readonly #what: string;
  #view: DataView | undefined;
  #epoch = -1;

  constructor(memory: GuestMemory, what: string, addr: number, length: number, write: boolean) {
    this.#memory = memory;
    this.#what = what;
    this.#addr = addr;
    this.#length = length;
    this.#write = write;
  }

  /** The bytes. @throws RingFault when they are not in one piece of RAM. */
  get view(): DataView {
    if (this.#view !== undefined && this.#epoch === this.#memory.epoch) return this.#view;
    const bytes = this.#memory.window(this.#addr, this.#length, this.#write);
    if (bytes === undefined)
      throw new RingFault(`${this.#what} at 0x${this.#addr.toString(16)} (${this.#length} bytes) is not in RAM`);
    this.#epoch = this.#memory.epoch;
    return (this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** Tells dirty tracking about a store. */
  stored(offset: number, length: number): void {
    this.#memory.written(this.#addr + offset, length);
  }
}

/** Address of a descriptor from its halves. @throws RingFault beyond the addresses that machines have. */
export function address(lo: number, hi: number): number {
  if (hi >= 0x100000)
    throw new RingFault(`buffer address 0x${hi.toString(16)}${lo.toString(16).padStart(8, "0")} is out of range`);
  return hi * 4294967296 + lo;
}

/** Adds one descriptor's buffer to a chain. */
export function addBuffer(memory: GuestMemory, chain: Chain, addr: number, length: number, flags: number): void {
  if (length === 0) throw new RingFault("buffer of length 0");
  const write = (flags & DESC.WRITE) !== 0;
  if (!write && chain.inBytes > 0) throw new RingFault("a device-readable buffer follows a device-writable one");
  const ok = write
    ? memory.map(addr, length, true, chain.in, chain.inAddrs)
    : memory.map(addr, length, false, chain.out);
  if (!ok) throw new RingFault(`buffer of ${length} bytes at 0x${addr.toString(16)} is not in RAM`);
  if (write) chain.inBytes += length;
  else chain.outBytes += length;
}

/** A table of indirect descriptors. @throws RingFault for a length that is no whole number of them, or not in RAM. */
export function indirectTable(memory: GuestMemory, addr: number, length: number): DataView {
  if (length === 0 || length % DESC_BYTES !== 0) throw new RingFault(`indirect table of ${length} bytes`);
  // A longer table could never be used in full: look at no more than a chain may have.
  const bytes = memory.window(addr, Math.min(length, MAX_CHAIN * DESC_BYTES), false);
  if (bytes === undefined) throw new RingFault(`indirect table at 0x${addr.toString(16)} is not in RAM`);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
