import { BlockError } from "@mimus/block";

/** What a cluster of the image file is used for, in the names of the option overlap-check. */
export type Structure =
  | "main-header"
  | "active-l1"
  | "active-l2"
  | "refcount-table"
  | "refcount-block"
  | "snapshot-table"
  | "inactive-l1"
  | "inactive-l2"
  | "bitmap-directory";

/** All structures that can be watched. */
export const STRUCTURES: readonly Structure[] = [
  "main-header",
  "active-l1",
  "active-l2",
  "refcount-table",
  "refcount-block",
  "snapshot-table",
  "inactive-l1",
  "inactive-l2",
  "bitmap-directory",
];

/** Which structures a template of overlap-check watches. */
export function watchedBy(template: "none" | "constant" | "cached" | "all"): Set<Structure> {
  if (template === "none") return new Set();
  if (template === "constant") return new Set<Structure>(["main-header", "refcount-table", "bitmap-directory"]);
  const all = new Set(STRUCTURES);
  if (template === "cached") all.delete("inactive-l2");
  return all;
}

/** Clusters that are watched at most: a hostile image must not cost more memory or time. Tables of 32 TiB of disk fit. */
const MOST_CLUSTERS = 1 << 19;
const MOST_WORK: number = 1 << 20;

/** Knows which clusters hold metadata, so that nothing else is ever written there. */
export class OverlapGuard {
  readonly #filename: string;
  readonly #watched: ReadonlySet<Structure>;
  readonly #uses: Map<number, Structure> = new Map();
  #work = 0;

  constructor(filename: string, watched: ReadonlySet<Structure>) {
    this.#filename = filename;
    this.#watched = watched;
  }

  watches(what: Structure): boolean {
    return this.#watched.has(what);
  }

  /** Clusters `first` and `count` - 1 more hold a structure. What was there before stays known: it is the older claim. */
  claim(first: number, count: number, what: Structure): void {
    this.#work += count;
    if (!this.#watched.has(what) || this.#work > MOST_WORK || this.#uses.size > MOST_CLUSTERS) return;
    for (let i = first; i < first + count; i++) if (!this.#uses.has(i)) this.#uses.set(i, what);
  }

  release(first: number, count: number, what: Structure): void {
    for (let i = first; i < first + count; i++) if (this.#uses.get(i) === what) this.#uses.delete(i);
  }

  /** @throws BlockError "corrupt" when a write of data or of a new structure would hit metadata. */
  assertFree(first: number, count: number): void {
    for (let i = first; i < first + count; i++) {
      const what = this.#uses.get(i);
      if (what !== undefined) throw this.#overlap(i, what);
    }
  }

  /** @throws BlockError "corrupt" when the cluster is known to hold something else than `what`. */
  assertHolds(cluster: number, what: Structure): void {
    const known = this.#uses.get(cluster);
    if (known !== undefined && known !== what) throw this.#overlap(cluster, known);
  }

  #overlap(cluster: number, what: Structure): BlockError {
    return new BlockError(
      "corrupt",
      `'${this.#filename}': refused a write to cluster ${cluster}, which holds the ${what.replaceAll("-", " ")}`,
    );
  }
}
