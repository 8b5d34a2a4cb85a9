import type { ClusterMap } from "./cluster-map.ts";

/** Bytes of unpacked clusters that are kept. */
const MOST_KEPT = 1 << 20;

/** The compressed clusters that were read last, unpacked: small requests in a row unpack a cluster once. */
export class UnpackedClusters {
  readonly #map: ClusterMap;
  readonly #most: number;
  readonly #kept: Map<number, Promise<Uint8Array>> = new Map();

  constructor(map: ClusterMap) {
    this.#map = map;
    this.#most = Math.floor(MOST_KEPT / map.clusterSize);
  }

  /** Bytes of a cluster; not to be changed. */
  get(cluster: number): Promise<Uint8Array> {
    const kept = this.#kept.get(cluster);
    if (kept) return kept;
    const bytes = this.#map.readCompressed?.(cluster) ?? Promise.resolve(new Uint8Array(this.#map.clusterSize));
    if (this.#most === 0) return bytes;
    this.#kept.set(cluster, bytes);
    bytes.catch(() => {
      if (this.#kept.get(cluster) === bytes) this.#kept.delete(cluster);
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
    return bytes;
  }

  /** The cluster was written. */
  forget(cluster: number): void {
    this.#kept.delete(cluster);
  }
}
