import { CheckFindings, type CheckReport } from "@mimus/block";
import type { QcowMap } from "./cluster-map.ts";

/** Bytes of the file that something uses. */
interface Extent {
  readonly at: number;
  readonly bytes: number;
}

/** Looks at all tables: places that cannot be, and things that lie over each other. Nothing is repaired. */
export async function check(map: QcowMap, clusters: number): Promise<CheckReport> {
  const found = new CheckFindings();
  let [allocated, compressed, fragmented] = [0, 0, 0];
  if (map.changed > 0) await map.commit();
  const used: Extent[] = [];
  const seen = new Set<number>();
  let before = -1;
  await map.eachL2(async (index, at) => {
    const fault = seen.has(at) ? "is used twice" : map.fault(at, map.l2Bytes);
    if (fault !== undefined || at + map.l2Bytes > map.file.size) {
      found.corrupt(`ERROR L2 table ${index} at ${at} ${fault ?? "lies beyond the file"}`);
      return;
    }
    seen.add(at);
    used.push({ at, bytes: map.l2Bytes });
    await map.eachEntry(index, at, (cluster, entry) => {
      const bytes = entry.compressed || map.clusterSize;
      const wrong = map.fault(entry.place, entry.compressed || 1);
      if (wrong !== undefined) {
        found.corrupt(`ERROR cluster ${cluster} at ${entry.place} ${wrong}`);
        return;
      }
      allocated++;
      if (entry.compressed > 0) compressed++;
      if (before >= 0 && before !== entry.place) fragmented++;
      before = entry.place + bytes;
      used.push({ at: entry.place, bytes });
    });
  });
  return found.report({
    imageEndOffset: findOverlaps(found, used, map.l1End),
    totalClusters: clusters,
    allocatedClusters: allocated,
    compressedClusters: compressed,
    fragmentedClusters: fragmented,
  });
}

/** Reports what lies over something else. `first` is where extents may begin; answers where the last one ends. */
function findOverlaps(found: CheckFindings, used: Extent[], first: number): number {
  let end = first;
  used.sort((a, b) => a.at - b.at);
  for (const { at, bytes } of used) {
    if (at < end) found.corrupt(`ERROR bytes at ${at} are used twice`);
    end = Math.max(end, at + bytes);
  }
  return end;
}
