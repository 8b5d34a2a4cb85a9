import { type BlockNode, BlockError, CheckFindings, type CheckReport } from "@mimus/block";
import type { GrainMap } from "./grain-map.ts";
import { SECTOR, type SparseLayout } from "./sparse-header.ts";

/** Grains whose places are remembered, to find two with the same. */
const MOST_REMEMBERED = 4 << 20;

/** A sparse extent as `check` sees it. */
export interface CheckedExtent {
  readonly filename: string;
  readonly file: BlockNode;
  readonly map: GrainMap;
  readonly layout: SparseLayout;
}

/** Places of grains, each of the same number of sectors, to find two that overlap. */
class Places {
  readonly #sectors: number;
  /** By the multiple of the grain's size in which a grain begins, of which there can be one: its entry and its number. */
  readonly #taken: Map<number, readonly [entry: number, grain: number]> = new Map();

  constructor(sectors: number) {
    this.#sectors = sectors;
  }

  add(entry: number, grain: number): void {
    if (this.#taken.size < MOST_REMEMBERED) this.#taken.set(Math.floor(entry / this.#sectors), [entry, grain]);
  }

  /** The grain that lies at a place in part. */
  over(entry: number): number | undefined {
    const slot = Math.floor(entry / this.#sectors);
    for (const near of [slot, slot - 1, slot + 1]) {
      const taken = this.#taken.get(near);
      if (taken && Math.abs(taken[0] - entry) < this.#sectors) return taken[1];
    }
    return undefined;
  }
}

/** Looks at every grain of every sparse extent: its place must lie in the file, and be its own. */
export async function checkExtents(
  extents: readonly CheckedExtent[],
  progress?: (done: number, total: number) => void,
): Promise<CheckReport> {
  const found = new CheckFindings();
  const total = extents.reduce((n, e) => n + e.layout.tables, 0);
  let done = 0;
  for (const { filename, file, map, layout } of extents) {
    const places = new Places(layout.compressed ? 1 : layout.grain / SECTOR);
    const grains = Math.ceil(layout.size / layout.grain);
    for (let table = 0; table < layout.tables; table++) {
      progress?.(done++, total);
      if (map.tableAt(table) === 0) continue;
      try {
        await map.entriesOf(table, (grain, entry) => {
          if (grain >= grains || (entry === 1 && layout.zeroedGrains)) return;
          const place = entry * SECTOR;
          const fault = map.fault(place);
          const other = places.over(entry);
          if (fault !== undefined) found.corrupt(`ERROR: '${filename}': grain ${grain} at ${place} ${fault}`);
          else if (place >= file.size)
            found.corrupt(`ERROR: '${filename}': cluster offset after file size for grain ${grain}: ${place}`);
          else if (other !== undefined)
            found.corrupt(`ERROR: '${filename}': grain ${grain} lies at ${place}, over grain ${other}`);
          else places.add(entry, grain);
        });
      } catch (e) {
        if (!(e instanceof BlockError)) throw e;
        if (e.kind === "corrupt") found.corruptions++;
        else found.checkErrors++;
        found.note(`ERROR: could not get the grains of table ${table}: ${e.message}`);
      }
    }
  }
  return found.report();
}
