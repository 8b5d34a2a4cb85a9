import type { DeviceContext } from "@mimus/machine-core";
import type { PciFunction } from "./function.ts";
import { CAP } from "./spec.ts";

const ENABLE = 1;
const WIDE = 0x80;
const MASKS = 0x100;

/** How the capability looks. */
export interface MsiOptions {
  /** 1, 2, 4, 8, 16 or 32. */
  readonly vectors: number;
  /** Takes 64-bit addresses. */
  readonly wide: boolean;
  /** A mask bit for each vector. */
  readonly masks: boolean;
  /** Offset of the capability; the next free one when absent. */
  readonly at?: number;
}

/** Message signalled interrupts. Its state is configuration space. Source: PCI Local Bus Specification 3.0, 6.8.1. */
export class Msi {
  /** Offset of the capability. */
  readonly at: number;
  /** How many the driver may turn on. */
  readonly vectors: number;
  readonly #function: PciFunction;
  readonly #dev: DeviceContext;
  readonly #data: number;
  readonly #mask: number;

  constructor(f: PciFunction, dev: DeviceContext, opts: MsiOptions) {
    const { vectors, wide, masks } = opts;
    if (vectors < 1 || vectors > 32 || (vectors & (vectors - 1)) !== 0)
      throw new Error(`${vectors} MSI vectors: 1, 2, 4, 8, 16 or 32 are possible`);
    this.#function = f;
    this.#dev = dev;
    this.vectors = vectors;
    this.#data = wide ? 12 : 8;
    this.#mask = masks ? this.#data + 4 : 0;
    const c = f.config;
    this.at = c.addCapability(CAP.MSI, this.#data + (masks ? 12 : 2), opts.at);
    c.set(
      this.at + 2,
      2,
      (Math.log2(vectors) << 1) | (wide ? WIDE : 0) | (masks ? MASKS : 0),
      ENABLE | (vectors > 1 ? 0x70 : 0),
    );
    c.set(this.at + 4, 4, 0, 0xffff_fffc);
    if (wide) c.set(this.at + 8, 4, 0, 0xffff_ffff);
    c.set(this.at + this.#data, 2, 0, 0xffff);
    if (!masks) return;
    c.set(this.at + this.#mask, 4, 0, 2 ** vectors - 1);
    for (const half of [4, 6]) c.setBits(this.at + this.#mask + half, 0xffff, false);
  }

  /** The driver has turned messages on: the pin is silent. */
  get enabled(): boolean {
    return (this.#flags & ENABLE) !== 0;
  }

  /** Sends the message of a vector, or marks it pending while it is masked. */
  notify(vector: number): void {
    if (!this.enabled || vector >= this.vectors) return;
    const { view } = this.#function.config;
    const bit = 1 << vector;
    const pending = this.at + this.#mask + 4;
    if (this.#mask > 0 && (view.getUint32(this.at + this.#mask, true) & bit) !== 0) {
      view.setUint32(pending, view.getUint32(pending, true) | bit, true);
      return;
    }
    // The low bits of the data are the vector's number, as many as software has granted.
    const granted = 1 << Math.min(5, (this.#flags >> 4) & 7);
    const data = view.getUint16(this.at + this.#data, true);
    const high = this.#data === 12 ? view.getUint32(this.at + 8, true) : 0;
    if (high >= 2 ** 20) return;
    const addr = high * 2 ** 32 + ((view.getUint32(this.at + 4, true) & ~3) >>> 0);
    this.#dev.dma.write(addr, 4, (data & ~(granted - 1)) | (vector & (granted - 1)));
  }

  /** After a write to configuration space: unmasking sends what is pending. */
  configWritten(at: number, size: number): void {
    if (this.#mask === 0 || at >= this.at + this.#mask + 4 || at + size <= this.at) return;
    const { view } = this.#function.config;
    const where = this.at + this.#mask + 4;
    const ready = view.getUint32(where, true) & ~view.getUint32(this.at + this.#mask, true);
    if (ready === 0 || !this.enabled) return;
    view.setUint32(where, view.getUint32(where, true) & ~ready, true);
    for (let n = 0; n < this.vectors; n++) if (((ready >> n) & 1) !== 0) this.notify(n);
  }

  get #flags(): number {
    return this.#function.config.view.getUint16(this.at + 2, true);
  }
}
