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

/** Looks at every grain of every sparse extent: its place must lie in the file, and be its own. */
export async function checkExtents(
  extents: readonly CheckedExtent[],
  progress?: (done: number, total: number) => void,
): Promise<CheckReport> {
  const found = new CheckFindings();
  const total = extents.reduce((n, e) => n + e.layout.tables, 0);
  let done = 0;
  for (const { filename, file, map, layout } of extents) {
    const places = new Map<number, number>();
    const grains = Math.ceil(layout.size / layout.grain);
    for (let table = 0; table < layout.tables; table++) {
      progress?.(done++, total);
      if (map.tableAt(table) === 0) continue;
      try {
        await map.entriesOf(table, (grain, entry) => {
          if (grain >= grains || (entry === 1 && layout.zeroedGrains)) return;
          const place = entry * SECTOR;
          const other = places.get(entry);
          if (place >= file.size)
            found.corrupt(`ERROR: '${filename}': cluster offset after file size for grain ${grain}: ${place}`);
          else if (other !== undefined)
            found.corrupt(`ERROR: '${filename}': grain ${grain} lies at ${place}, where grain ${other} is`);
          else if (places.size < MOST_REMEMBERED) places.set(entry, grain);
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
