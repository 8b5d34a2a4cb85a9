import type { HostEntry } from "@mimus/block";
import type { FatTime } from "./fat-time.ts";
import type { Found } from "./walk.ts";

/** A file or folder of the host as the disk last showed it. */
export interface Known {
  readonly name: string;
  readonly entry: HostEntry;
  readonly isFolder: boolean;
  readonly size: number;
  readonly clusters: readonly number[];
  readonly children: readonly Known[];
  readonly written: FatTime;
}

/** Which of the host's files each of the guest's is. */
export class Match {
  readonly known: Map<Found, Known> = new Map();
  readonly found: Map<Known, Found> = new Map();
  readonly #foundParent: Map<Found, Found> = new Map();
  readonly #knownParent: Map<Known, Known> = new Map();

  /** By first cluster, which a rename keeps; then by name, for files that were written anew. */
  constructor(known: Known, found: Found) {
    const byCluster = new Map<number, Known>();
    const index = (folder: Known): void => {
      for (const child of folder.children) {
        this.#knownParent.set(child, folder);
        if (child.clusters[0] !== undefined) byCluster.set(child.clusters[0], child);
        index(child);
      }
    };
    index(known);
    this.#pair(known, found);
    this.#byCluster(found, byCluster);
    this.#byName(found);
  }

  /** True when the host has it under another name or in another folder. */
  moved(known: Known): boolean {
    const found = this.found.get(known);
    const parent = this.#knownParent.get(known);
    if (!found || !parent) return false;
    const newParent = this.#foundParent.get(found);
    return known.name !== found.name || newParent === undefined || this.known.get(newParent) !== parent;
  }

  #pair(known: Known, found: Found): void {
    this.known.set(found, known);
    this.found.set(known, found);
  }

  #byCluster(folder: Found, index: ReadonlyMap<number, Known>): void {
    for (const child of folder.children) {
      this.#foundParent.set(child, folder);
      const known = index.get(child.clusters[0] ?? -1);
      if (known && known.isFolder === child.isFolder && !this.#within(known, child)) this.#pair(known, child);
      this.#byCluster(child, index);
    }
  }

  /** A folder cannot be moved into itself. */
  #within(known: Known, found: Found): boolean {
    if (!known.isFolder) return false;
    for (let up = this.#foundParent.get(found); up; up = this.#foundParent.get(up))
      if (this.known.get(up) === known) return true;
    return false;
  }

  #byName(folder: Found): void {
    const known = this.known.get(folder);
    for (const child of folder.children) {
      if (!this.known.has(child)) {
        const same = known?.children.find((k) => k.name === child.name && k.isFolder === child.isFolder);
        if (same && !this.found.has(same)) this.#pair(same, child);
      }
      this.#byName(child);
    }
  }
}
