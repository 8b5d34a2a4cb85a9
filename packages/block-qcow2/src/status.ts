import type { BlockStatus } from "@mimus/block";
import type { Image } from "./image.ts";
import type { L1Table } from "./l1-table.ts";
import { COMPRESSED, newRun, NORMAL, UNALLOCATED, UNALLOCATED_WITH_PLACE } from "./l2.ts";

/** Where the content of a range comes from: one run of the mapping, longer where runs of the same kind follow. */
export async function statusAt(img: Image, l1: L1Table, at: number, length: number): Promise<BlockStatus> {
  const run = newRun();
  await find();
  const { kind, host } = run;
  let total = run.length;
  // Holes go on over tables that do not exist.
  const whole = kind === COMPRESSED ? total : length;
  while (total < whole) {
    const before = total;
    if (!img.map.find(l1, at + total, length - total, run)) {
      if (total > 0) break;
    }
    if (run.kind !== kind || (kind >= 2 && run.host !== host + total)) break;
    total += run.length;
    if (total === before) break;
  }
  if (kind === UNALLOCATED || kind === UNALLOCATED_WITH_PLACE)
    return { length: total, allocated: false, zero: img.backing === undefined, data: false };
  if (kind === COMPRESSED) return { length: total, allocated: true, zero: false, data: true, compressed: true };
  if (kind !== NORMAL) return { length: total, allocated: true, zero: true, data: false };
  if (img.cipher) return { length: total, allocated: true, zero: false, data: true };
  return { length: total, allocated: true, zero: false, data: true, offset: host, file: img.data };

  async function find(): Promise<void> {
    try {
      while (!img.map.find(l1, at, length, run)) await img.loadSlice(run.sliceAt);
    } catch (e) {
      await img.failed(e);
    }
  }
}
