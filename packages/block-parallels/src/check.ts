import { CheckFindings, type CheckRepair, type CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";

/** What else lies in the file: the extension and its bitmaps. */
export interface OtherSpace {
  readonly at: number;
  readonly bytes: number;
}

/** Looks at the table, as QEMU does; and for clusters that share a place. `unclean`: the image was not closed. */
export async function check(
  map: BlockMap,
  repair: CheckRepair,
  other: readonly OtherSpace[],
  unclean: { was: boolean },
): Promise<CheckReport> {
  const found = new CheckFindings();
  if (map.changed > 0) await map.commit();
  if (unclean.was) {
    found.corrupt("ERROR image was not closed correctly");
    if (repair === "all") {
      unclean.was = false;
      await map.setInUse(false);
      found.corruptionsFixed++;
    }
  }
  const fileBytes = map.file.size;
  const clusters = await checkClusters(found, map, repair);
  const dataAt = Math.min(map.header.dataAt, Math.ceil(fileBytes / 512) * 512);
  const end = other.reduce((last, o) => Math.max(last, o.at + o.bytes), Math.max(dataAt, clusters.end));
  if (fileBytes > end) {
    const surplus = Math.ceil((fileBytes - end) / map.clusterSize);
    found.leak(surplus, `ERROR space leaked at the end of the image ${fileBytes - end}`);
    if (repair !== "none" && map.file.resize) {
      await map.cutAt(end);
      found.leaksFixed += surplus;
    }
  }
  return found.report({
    imageEndOffset: end,
    totalClusters: map.header.entries,
    allocatedClusters: clusters.allocated,
    fragmentedClusters: clusters.fragmented,
  });
}

/** Looks at every entry of the table; one that points nowhere is cleared when all is repaired. */
async function checkClusters(
  found: CheckFindings,
  map: BlockMap,
  repair: CheckRepair,
): Promise<{ allocated: number; fragmented: number; end: number }> {
  const { clusterSize } = map;
  const bad: number[] = [];
  const used: number[] = [];
  let fragmented = 0;
  let before = 0;
  await map.each((cluster, place) => {
    if (map.fault(place) !== undefined) {
      bad.push(cluster);
      found.corrupt(`ERROR cluster ${cluster} is outside image`);
      before = 0;
      return;
    }
    used.push(place);
    if (before !== 0 && before + clusterSize !== place) fragmented++;
    before = place;
  });
  used.sort((a, b) => a - b);
  for (let i = 1; i < used.length; i++)
    if (used[i]! - used[i - 1]! < clusterSize) found.corrupt(`ERROR two clusters share the place ${used[i]}`);
  if (bad.length > 0 && repair === "all") {
    for (const cluster of bad) await map.setEntry(cluster, 0);
    await map.commit();
    await map.scan();
    found.corruptionsFixed += bad.length;
  }
  const last = used.at(-1);
  return { allocated: used.length, fragmented, end: last === undefined ? 0 : last + clusterSize };
}
