import { defineState, stateBytes, type Stateful } from "@mimus/machine-core";
import { z } from "zod";
import { CAP, REG, STATUS } from "./spec.ts";

const State = defineState("pci-config", 1, { bytes: stateBytes(4096).or(z.undefined()) });

/**
 * The configuration space of one function: bytes with a mask of what the guest may write and one of what it clears by
 * writing ones. Everything that a device adds while it is realized becomes the state after reset.
 */
export class ConfigSpace implements Stateful {
  /** 256, or 4096 for PCI Express. */
  readonly size: number;
  /** 256 bytes, or 4096 on PCI Express. */
  readonly bytes: Uint8Array;
  /** The same bytes; configuration space is little-endian. */
  readonly view: DataView;
  readonly #writable: Uint8Array;
  readonly #clears: Uint8Array;
  /** Bits that the device sets by itself, which a saved state may hold. */
  readonly #volatile: Uint8Array;
  #start: Uint8Array | undefined;
  #kept: readonly [from: number, to: number] | undefined;
  #next = 0x40;
  /** Called after a write, with the bytes that it covered. */
  onWrite: ((at: number, size: number) => void) | undefined;
  /** Called before a read, for bytes that are not stored. */
  onRead: ((at: number, size: number) => void) | undefined;
  /** Called after reset and load. */
  onReplaced: (() => void) | undefined;

  constructor(size: 256 | 4096) {
    this.size = size;
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.#writable = new Uint8Array(size);
    this.#clears = new Uint8Array(size);
    this.#volatile = new Uint8Array(size);
  }

  /** Sets 1, 2 or 4 bytes and, with `writable`, which of their bits the guest may change. */
  set(at: number, size: 1 | 2 | 4, value: number, writable = 0, clears = 0): void {
    for (let i = 0; i < size; i++) {
      this.bytes[at + i] = value >>> (8 * i);
      this.#writable[at + i] = writable >>> (8 * i);
      this.#clears[at + i] = clears >>> (8 * i);
    }
  }

  /** Sets or clears bits of a 16-bit register on the device's behalf. */
  setBits(at: number, bits: number, on: boolean): void {
    const was = this.view.getUint16(at, true);
    this.view.setUint16(at, on ? was | bits : was & ~bits, true);
    this.#volatile[at]! |= bits;
    this.#volatile[at + 1]! |= bits >>> 8;
  }

  /** Adds a capability of `length` bytes, its two header bytes included; answers its offset. */
  addCapability(id: number, length: number, at?: number): number {
    const offset = at ?? this.#next;
    if (offset + length > 256) throw new Error("no room for another capability");
    this.#next = Math.max(this.#next, (offset + length + 3) & ~3);
    this.set(offset, 1, id);
    // The newest one is found first.
    this.set(offset + 1, 1, this.bytes[REG.CAPABILITIES]!);
    this.set(REG.CAPABILITIES, 1, offset);
    this.set(REG.STATUS, 2, this.view.getUint16(REG.STATUS, true) | STATUS.CAPABILITIES, 0, STATUS.ERRORS);
    return offset;
  }

  /** Adds the PCI Express capability. `type`: 0 endpoint, 4 root port, 9 root complex endpoint. Source: 7.5.3. */
  addExpress(type: number, opts: { slot?: number; port?: number } = {}): number {
    const at = this.addCapability(CAP.EXPRESS, 0x3c);
    const slot = opts.slot !== undefined;
    this.set(at + 2, 2, 2 | (type << 4) | (slot ? 0x100 : 0));
    this.set(at + 4, 4, 0x8000); // role-based error reporting
    this.set(at + 8, 2, 0, 0x7f1f); // device control
    this.set(at + 0x0a, 2, 0, 0, 0x0f);
    this.set(at + 0x0c, 4, 0x11 | ((opts.port ?? 0) << 24)); // one lane at 2.5 GT/s
    this.set(at + 0x10, 2, 0, 0x0cfb);
    this.set(at + 0x12, 2, 0x11 | (slot ? 0x2000 : 0));
    if (slot) {
      this.set(at + 0x14, 4, (opts.slot ?? 0) << 19);
      this.set(at + 0x18, 2, 0x03c0, 0x1fff);
      this.set(at + 0x1a, 2, 0x40, 0, 0x011f); // presence detect state
    }
    if (type === 4) this.set(at + 0x1c, 2, 0, 0x1f);
    this.set(at + 0x28, 2, 0, 0x1f);
    this.set(at + 0x30, 2, 1);
    return at;
  }

  read(at: number, size: number): number {
    if (at + size > this.size) return 2 ** (8 * size) - 1;
    this.onRead?.(at, size);
    return size === 1 ? this.bytes[at]! : size === 2 ? this.view.getUint16(at, true) : this.view.getUint32(at, true);
  }

  write(at: number, size: number, value: number): void {
    if (at + size > this.size) return;
    for (let i = 0; i < size; i++) {
      const byte = (value >>> (8 * i)) & 0xff;
      const mask = this.#writable[at + i]!;
      const kept = this.bytes[at + i]! & ~mask & ~(byte & this.#clears[at + i]!);
      this.bytes[at + i] = kept | (byte & mask);
    }
    this.onWrite?.(at, size);
  }

  /** Bytes that the machine's reset leaves as they are. */
  keep(at: number, length: number): void {
    this.#kept = [at, at + length];
  }

  reset(): void {
    const kept = this.#kept === undefined ? undefined : this.bytes.slice(...this.#kept);
    if (this.#start) this.bytes.set(this.#start);
    else this.#start = this.bytes.slice();
    if (kept !== undefined) this.bytes.set(kept, this.#kept?.[0]);
    this.onReplaced?.();
  }

  /** Ends the set-up: the bytes as they are now are the state after reset. */
  seal(): void {
    this.#start = this.bytes.slice();
  }

  save(): unknown {
    return State.parse({ bytes: this.bytes.slice() });
  }

  /** Only bits that a guest or the device may change are taken from a saved state. */
  load(raw: unknown): void {
    const { bytes } = State.parse(raw);
    const start = this.#start ?? this.bytes;
    for (let i = 0; i < this.size; i++) {
      const mask = this.#writable[i]! | this.#clears[i]! | this.#volatile[i]!;
      this.bytes[i] = (start[i]! & ~mask) | ((bytes?.[i] ?? start[i]!) & mask);
    }
    this.onReplaced?.();
  }
}
