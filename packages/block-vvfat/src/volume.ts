import type { Geometry } from "./geometry.ts";
import { SECTOR } from "./geometry.ts";

/** Marks of a FAT entry: the end of a chain; anything from `bad` on is no cluster. */
export const END = 0x0fffffff;

/** The FATs and everything else before the clusters, in memory; and clusters whose bytes are in memory too. */
export class Volume {
  readonly geometry: Geometry;
  /** Sectors before cluster 2. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Clusters in memory: directories, and what the guest wrote. */
  readonly own: Map<number, Uint8Array> = new Map();
  readonly #view: DataView;

  constructor(geometry: Geometry) {
    this.geometry = geometry;
    this.head = new Uint8Array(geometry.dataAt * SECTOR);
    this.#view = new DataView(this.head.buffer);
  }

  /** Entry of a cluster in the first FAT; end marks of all types are {@link END}. */
  next(cluster: number): number {
    const { bits } = this.geometry;
    const at = this.#place(cluster);
    if (bits === 32) {
      const value = this.#view.getUint32(at, true) & 0x0fffffff;
      return value >= 0x0ffffff8 ? END : value;
    }
    if (bits === 16) {
      const value = this.#view.getUint16(at, true);
      return value >= 0xfff8 ? END : value;
    }
    const pair = this.#view.getUint16(at, true);
    const value = cluster & 1 ? pair >> 4 : pair & 0xfff;
    return value >= 0xff8 ? END : value;
  }

  /** Sets an entry in both FATs. */
  link(cluster: number, value: number): void {
    const { bits, fatSectors } = this.geometry;
    for (const base of [0, fatSectors * SECTOR]) {
      const at = this.#place(cluster) + base;
      if (bits === 32) this.#view.setUint32(at, value, true);
      else if (bits === 16) this.#view.setUint16(at, value, true);
      else {
        const pair = this.#view.getUint16(at, true);
        const kept = cluster & 1 ? pair & 0x000f : pair & 0xf000;
        this.#view.setUint16(at, kept | (cluster & 1 ? (value & 0xfff) << 4 : value & 0xfff), true);
      }
    }
  }

  /** The chain from a cluster on; undefined when it is broken, loops or is longer than `most`. */
  chain(first: number, most: number = this.geometry.clusters): number[] | undefined {
    const out: number[] = [];
    for (let c = first; c !== END; c = this.next(c)) {
      if (!this.isCluster(c) || out.length >= most) return undefined;
      out.push(c);
    }
    return out;
  }

  isCluster(number: number): boolean {
    return number >= 2 && number < this.geometry.clusters + 2;
  }

  #place(cluster: number): number {
    const { start, reserved, bits } = this.geometry;
    return (start + reserved) * SECTOR + (bits === 12 ? cluster + (cluster >> 1) : (cluster * bits) / 8);
  }
}
