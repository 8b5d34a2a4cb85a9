import type { CheckReport } from "@mimus/block";
import type { QcowMap } from "./cluster-map.ts";

const MOST_MESSAGES = 1000;

/** Looks at all tables: places that cannot be, and things that lie over each other. Nothing is mended. */
export async function check(map: QcowMap, clusters: number): Promise<CheckReport> {
  const messages: string[] = [];
  const say = (m: string): void => void (messages.length < MOST_MESSAGES && messages.push(m));
  let [corruptions, allocated, compressed, fragmented] = [0, 0, 0, 0];
  if (map.changed > 0) await map.commit();
  const used: { at: number; bytes: number }[] = [];
  const seen = new Set<number>();
  let before = -1;
  await map.eachL2(async (index, at) => {
    const fault = seen.has(at) ? "is used twice" : map.fault(at, map.l2Bytes);
    if (fault !== undefined || at + map.l2Bytes > map.file.size) {
      corruptions++;
      say(`ERROR L2 table ${index} at ${at} ${fault ?? "lies beyond the file"}`);
      return;
    }
    seen.add(at);
    used.push({ at, bytes: map.l2Bytes });
    await map.eachEntry(index, at, (cluster, entry) => {
      const bytes = entry.compressed || map.clusterSize;
      const wrong = map.fault(entry.place, entry.compressed || 1);
      if (wrong !== undefined) {
        corruptions++;
        say(`ERROR cluster ${cluster} at ${entry.place} ${wrong}`);
        return;
      }
      allocated++;
      if (entry.compressed > 0) compressed++;
      if (before >= 0 && before !== entry.place) fragmented++;
      before = entry.place + bytes;
      used.push({ at: entry.place, bytes });
    });
  });
  used.sort((a, b) => a.at - b.at);
  let end = map.l1End;
  for (const { at, bytes } of used) {
    if (at < end) {
      corruptions++;
      say(`ERROR bytes at ${at} are used twice`);
    }
    end = Math.max(end, at + bytes);
  }
  return {
    corruptions,
    leaks: 0,
    corruptionsFixed: 0,
    leaksFixed: 0,
    checkErrors: 0,
    imageEndOffset: end,
    totalClusters: clusters,
    allocatedClusters: allocated,
    compressedClusters: compressed,
    fragmentedClusters: fragmented,
    messages,
  };
}
