import type { CheckRepair, CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";

const MOST_MESSAGES = 1000;

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
  const { header, file, clusterSize } = map;
  const messages: string[] = [];
  const say = (m: string): void => void (messages.length < MOST_MESSAGES && messages.push(m));
  let [corruptions, corruptionsFixed, leaks, leaksFixed, allocated, fragmented] = [0, 0, 0, 0, 0, 0];
  if (map.changed > 0) await map.commit();
  if (unclean.was) {
    corruptions++;
    say("ERROR image was not closed correctly");
    if (repair === "all") {
      unclean.was = false;
      await map.setInUse(false);
      corruptionsFixed++;
    }
  }
  const bad: number[] = [];
  const used: number[] = [];
  const fileBytes = file.size;
  let end = Math.min(header.dataAt, Math.ceil(fileBytes / 512) * 512);
  let before = 0;
  await map.each((cluster, place) => {
    if (map.fault(place) !== undefined) {
      bad.push(cluster);
      corruptions++;
      say(`ERROR cluster ${cluster} is outside image`);
      before = 0;
      return;
    }
    used.push(place);
    allocated++;
    if (before !== 0 && before + clusterSize !== place) fragmented++;
    before = place;
    end = Math.max(end, place + clusterSize);
  });
  used.sort((a, b) => a - b);
  for (let i = 1; i < used.length; i++)
    if ((used[i] ?? 0) - (used[i - 1] ?? 0) < clusterSize) {
      corruptions++;
      say(`ERROR two clusters share the place ${used[i]}`);
    }
  if (bad.length > 0 && repair === "all") {
    for (const cluster of bad) await map.setEntry(cluster, 0);
    await map.commit();
    corruptionsFixed += bad.length;
  }
  for (const o of other) end = Math.max(end, o.at + o.bytes);
  if (fileBytes > end) {
    const n = Math.ceil((fileBytes - end) / clusterSize);
    leaks += n;
    say(`ERROR space leaked at the end of the image ${fileBytes - end}`);
    if (repair !== "none" && file.resize) {
      await map.cutAt(end);
      leaksFixed += n;
    }
  }
  return {
    corruptions,
    leaks,
    corruptionsFixed,
    leaksFixed,
    checkErrors: 0,
    imageEndOffset: end,
    totalClusters: header.entries,
    allocatedClusters: allocated,
    fragmentedClusters: fragmented,
    messages,
  };
}
