import type { CheckRepair, CheckReport } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";
import { MIB } from "./header.ts";
import type { Region } from "./regions.ts";

const MOST_MESSAGES = 1000;

/**
 * Looks at the block table: places that cannot be, blocks over each other, space that nothing uses. Before the first block programs leave
 * room as they like.
 */
export async function check(map: BlockMap, tables: readonly Region[], repair: CheckRepair): Promise<CheckReport> {
  const messages: string[] = [];
  const say = (m: string): void => void (messages.length < MOST_MESSAGES && messages.push(m));
  let [corruptions, leaks, corruptionsFixed, leaksFixed] = [0, 0, 0, 0];
  if (map.changed > 0) await map.commit();
  const used: Region[] = [{ at: 0, bytes: MIB }, ...tables];
  const bad: number[] = [];
  await map.eachRaw((entry, state, place, bytes) => {
    const fault = map.fault(place, bytes);
    if (fault === undefined) used.push({ at: place, bytes });
    else {
      corruptions++;
      bad.push(entry);
      say(`ERROR entry ${entry} (state ${state}): block at ${place} ${fault}`);
    }
  });
  const blocks = used.slice(1 + tables.length);
  const first = blocks.reduce((least, b) => Math.min(least, b.at), Infinity);
  used.sort((a, b) => a.at - b.at);
  let end = 0;
  for (const { at, bytes } of used) {
    if (at < end) {
      corruptions++;
      say(`ERROR block at ${at} lies over another one`);
    } else if (end > first && at - end >= map.clusterSize) leaks += leak(end, at - end);
    end = Math.max(end, at + bytes);
  }
  const tail = map.file.size - end;
  if (blocks.length > 0 && tail >= map.clusterSize) {
    const n = leak(end, tail);
    leaks += n;
    if (repair !== "none" && map.file.resize) {
      await map.cutAt(end);
      leaksFixed += n;
    }
  }
  if (bad.length > 0 && repair === "all") {
    for (const entry of bad) await map.forget(entry);
    await map.commit();
    corruptionsFixed = bad.length;
  }
  return { corruptions, leaks, corruptionsFixed, leaksFixed, checkErrors: 0, messages };

  function leak(at: number, bytes: number): number {
    const n = Math.max(1, Math.floor(bytes / map.clusterSize));
    say(`Leaked ${bytes} bytes at ${at}`);
    return n;
  }
}
