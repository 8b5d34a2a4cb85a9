import { CheckFindings, type CheckRepair, type CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";
import { MIB } from "./header.ts";
import type { Region } from "./regions.ts";

/**
 * Looks at the block table: places that cannot be, blocks over each other, space that nothing uses. Before the first block programs leave
 * room as they like.
 */
export async function check(map: BlockMap, tables: readonly Region[], repair: CheckRepair): Promise<CheckReport> {
  const found = new CheckFindings();
  if (map.changed > 0) await map.commit();
  const blocks: Region[] = [];
  const bad: number[] = [];
  await map.eachRaw((entry, state, place, bytes) => {
    const fault = map.fault(place, bytes);
    if (fault === undefined) blocks.push({ at: place, bytes });
    else {
      bad.push(entry);
      found.corrupt(`ERROR entry ${entry} (state ${state}): block at ${place} ${fault}`);
    }
  });
  const firstBlock = blocks.reduce((least, b) => Math.min(least, b.at), Infinity);
  const used = [{ at: 0, bytes: MIB }, ...tables, ...blocks].sort((a, b) => a.at - b.at);
  let end = 0;
  for (const { at, bytes } of used) {
    if (at < end) found.corrupt(`ERROR block at ${at} lies over another one`);
    else if (end > firstBlock && at - end >= map.clusterSize) leak(found, map, end, at - end);
    end = Math.max(end, at + bytes);
  }
  const tail = map.file.size - end;
  if (blocks.length > 0 && tail >= map.clusterSize) {
    const clusters = leak(found, map, end, tail);
    if (repair !== "none" && map.file.resize) {
      await map.cutAt(end);
      found.leaksFixed += clusters;
    }
  }
  if (bad.length > 0 && repair === "all") {
    for (const entry of bad) await map.forget(entry);
    await map.commit();
    found.corruptionsFixed = bad.length;
  }
  return found.report();
}

/** Reports bytes that nothing uses, and answers how many blocks they are. */
function leak(found: CheckFindings, map: BlockMap, at: number, bytes: number): number {
  const clusters = Math.max(1, Math.floor(bytes / map.clusterSize));
  found.leak(clusters, `Leaked ${bytes} bytes at ${at}`);
  return clusters;
}
