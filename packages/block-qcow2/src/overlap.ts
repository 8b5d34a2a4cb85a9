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

/** Single clusters that are watched at most: a hostile image must not cost more memory or time. Tables of 32 TiB of disk fit. */
const MOST_CLUSTERS = 1 << 19;
/** Tables of several clusters that are watched at most; nothing but snapshots makes more than a few. */
const MOST_RANGES = 4096;

/** Clusters `from` up to `to` hold one structure. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly what: Structure;
}

/** Knows which clusters hold metadata, so that nothing else is ever written there. */
export class OverlapGuard {
  readonly #filename: string;
  readonly #watched: ReadonlySet<Structure>;
  readonly #singles: Map<number, Structure> = new Map();
  #ranges: Range[] = [];

  constructor(filename: string, watched: ReadonlySet<Structure>) {
    this.#filename = filename;
    this.#watched = watched;
  }

  watches(what: Structure): boolean {
    return this.#watched.has(what);
  }

  /** Clusters `first` and `count` - 1 more hold a structure. What was there before stays known: it is the older claim. */
  claim(first: number, count: number, what: Structure): void {
    if (!this.#watched.has(what)) return;
    if (count > 1) {
      if (this.#ranges.length < MOST_RANGES) this.#ranges.push({ from: first, to: first + count, what });
    } else if (count === 1 && this.#singles.size < MOST_CLUSTERS && !this.#singles.has(first))
      this.#singles.set(first, what);
  }

  release(first: number, count: number, what: Structure): void {
    const end = first + count;
    this.#ranges = this.#ranges.flatMap((range) => {
      if (range.what !== what || range.to <= first || range.from >= end) return [range];
      const left = { ...range, to: Math.min(range.to, first) };
      const right = { ...range, from: Math.max(range.from, end) };
      return [left, right].filter(({ from, to }) => from < to);
    });
    if (count === 1) {
      if (this.#singles.get(first) === what) this.#singles.delete(first);
    } else
      for (const [cluster, held] of this.#singles)
        if (cluster >= first && cluster < end && held === what) this.#singles.delete(cluster);
  }

  /** @throws BlockError "corrupt" when a write of data or of a new structure would hit metadata. */
  assertFree(first: number, count: number): void {
    for (const { from, to, what } of this.#ranges)
      if (from < first + count && to > first) throw this.#overlap(Math.max(from, first), what);
    for (let i = first; i < first + count; i++) {
      const what = this.#singles.get(i);
      if (what !== undefined) throw this.#overlap(i, what);
    }
  }

  /** @throws BlockError "corrupt" when the cluster is known to hold something else than `what`. */
  assertHolds(cluster: number, what: Structure): void {
    const range = this.#ranges.find(({ from, to }) => from <= cluster && cluster < to);
    const known = range?.what ?? this.#singles.get(cluster);
    if (known !== undefined && known !== what) throw this.#overlap(cluster, known);
  }

  #overlap(cluster: number, what: Structure): BlockError {
    return new BlockError(
      "corrupt",
      `'${this.#filename}': refused a write to cluster ${cluster}, which holds the ${what.replaceAll("-", " ")}`,
    );
  }
}
