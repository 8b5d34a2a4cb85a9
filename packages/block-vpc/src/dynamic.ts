import type { ClusterNodeOptions } from "@mimus/block";
import { ClusterNode } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";

/**
 * A growing VHD without a parent. Sectors whose bit is clear read as what is stored, zeroes; programs that look at the bits must
 * find them set where something was written, so that writing to a block sets all of its bits.
 */
export class DynamicVhd extends ClusterNode {
  readonly #map: BlockMap;
  readonly #unit: number;
  /** Blocks whose bits are known to be all set. */
  readonly #full: Set<number> = new Set();

  constructor(options: ClusterNodeOptions & { readonly map: BlockMap }) {
    super(options);
    this.#map = options.map;
    this.#unit = options.map.clusterSize;
  }

  override async write(at: number, from: Uint8Array): Promise<void> {
    await this.#fill(at, from.length);
    await super.write(at, from);
  }

  async #fill(at: number, length: number): Promise<void> {
    const last = Math.floor((at + length - 1) / this.#unit);
    for (let block = Math.floor(at / this.#unit); block <= last; block++) {
      if (this.#full.has(block)) continue;
      let place = this.#map.peek(block);
      while (place === undefined) {
        await this.#map.load(block);
        place = this.#map.peek(block);
      }
      if (place < 0) continue;
      const bits = this.#map.peekBits(place) ?? (await this.#map.loadBits(place));
      const used = Math.max(1, this.#unit / 4096);
      const clear = bits.bytes.findIndex((b, i) => i < used && b !== 0xff);
      if (clear >= 0) {
        bits.bytes.fill(0xff, clear, used);
        this.#map.bitsChanged(bits, clear, used - clear);
      }
      this.#full.add(block);
    }
  }
}
