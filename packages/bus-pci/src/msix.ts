import type { DeviceContext, Registers, Stateful } from "@mimus/machine-core";
import { defineState, MemoryRegion, stateBytes } from "@mimus/machine-core";
import { z } from "zod";
import type { PciFunction } from "./function.ts";
import { CAP } from "./spec.ts";

const ENTRY = 16;
const MASKED = 1;
const ENABLE = 0x8000;
const MASK_ALL = 0x4000;

/** Where the table goes. */
export interface MsixOptions {
  /** 1..2048. */
  readonly vectors: number;
  /** Number of the BAR that holds table and pending bits, and nothing else. */
  readonly bar: number;
}

const State = defineState("msix", 1, {
  table: stateBytes(2048 * ENTRY).or(z.undefined()),
  pending: z.array(z.int().min(0).max(2047)).max(2048).default([]),
});

/** MSI-X: a table of messages, one for each vector. Source: PCI Local Bus Specification 3.0, 6.8.2. */
export class Msix implements Registers, Stateful {
  /** How many the table has. */
  readonly vectors: number;
  /** Table and pending bits, for a BAR. */
  readonly region: MemoryRegion;
  /** Offset of the capability. */
  readonly at: number;
  readonly #function: PciFunction;
  readonly #dev: DeviceContext;
  readonly #table: DataView;
  readonly #pending: Set<number> = new Set();
  readonly #pbaAt: number;

  constructor(f: PciFunction, dev: DeviceContext, opts: MsixOptions) {
    if (opts.vectors < 1 || opts.vectors > 2048) throw new Error(`${opts.vectors} MSI-X vectors: 1..2048 are possible`);
    this.vectors = opts.vectors;
    this.#function = f;
    this.#dev = dev;
    this.#table = new DataView(new ArrayBuffer(opts.vectors * ENTRY));
    this.#pbaAt = Math.max(2048, 2 ** Math.ceil(Math.log2(opts.vectors * ENTRY)));
    const size = Math.max(4096, this.#pbaAt * 2);
    this.region = MemoryRegion.mmio({ name: "msix", size, owner: dev.path, minAccess: 4 }, this);
    dev.addRegion(this.region);
    const c = f.config;
    this.at = c.addCapability(CAP.MSIX, 12);
    c.set(this.at + 2, 2, opts.vectors - 1, ENABLE | MASK_ALL);
    c.set(this.at + 4, 4, opts.bar);
    c.set(this.at + 8, 4, this.#pbaAt | opts.bar);
    dev.stateful(this, "msix");
    this.#clear();
  }

  /** The driver has turned messages on: the pin is silent. */
  get enabled(): boolean {
    return (this.#control() & ENABLE) !== 0;
  }

  /** Sends the message of a vector, or marks it pending while it is masked. */
  notify(vector: number): void {
    if (vector >= this.vectors || !this.enabled) return;
    if (this.#masked(vector)) {
      this.#pending.add(vector);
      return;
    }
    const at = vector * ENTRY;
    const high = this.#table.getUint32(at + 4, true);
    if (high >= 2 ** 20) return;
    const addr = high * 2 ** 32 + ((this.#table.getUint32(at, true) & ~3) >>> 0);
    this.#dev.dma.write(addr, 4, this.#table.getUint32(at + 8, true));
  }

  /** After a write to configuration space: unmasking sends what is pending. */
  configWritten(at: number, size: number): void {
    if (at < this.at + 4 && at + size > this.at + 2) this.#sendPending();
  }

  read(offset: number): number {
    if (offset + 4 <= this.#table.byteLength) return this.#table.getUint32(offset, true);
    if (offset < this.#pbaAt) return 0;
    let word = 0;
    const first = (offset - this.#pbaAt) * 8;
    for (const v of this.#pending) if (v >= first && v < first + 32) word |= 1 << (v - first);
    return word >>> 0;
  }

  write(offset: number, _size: number, value: number): void {
    if (offset + 4 > this.#table.byteLength) return;
    this.#table.setUint32(offset, offset % ENTRY === 12 ? value & MASKED : value, true);
    this.#sendPending();
  }

  reset(): void {
    this.#clear();
  }
  save(): unknown {
    return State.parse({ table: new Uint8Array(this.#table.buffer.slice(0)), pending: [...this.#pending] });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#clear();
    if (s.table) new Uint8Array(this.#table.buffer).set(s.table.subarray(0, this.#table.byteLength));
    for (const v of s.pending) if (v < this.vectors) this.#pending.add(v);
  }

  #clear(): void {
    this.#pending.clear();
    for (let v = 0; v < this.vectors; v++)
      for (let i = 0; i < ENTRY; i += 4) this.#table.setUint32(v * ENTRY + i, i === 12 ? MASKED : 0, true);
  }

  #control(): number {
    return this.#function.config.view.getUint16(this.at + 2, true);
  }

  #masked(vector: number): boolean {
    return (this.#control() & MASK_ALL) !== 0 || (this.#table.getUint32(vector * ENTRY + 12, true) & MASKED) !== 0;
  }

  #sendPending(): void {
    for (const v of this.#pending) {
      if (this.#masked(v) || !this.enabled) continue;
      this.#pending.delete(v);
      this.notify(v);
    }
  }
}
