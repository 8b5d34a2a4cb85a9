import { statusOf } from "@mimus/block";
import type { BlockStatus } from "@mimus/block";
import type { Image } from "./image.ts";
import type { L1Table } from "./l1-table.ts";
import type { Run } from "./l2.ts";
import { COMPRESSED, newRun, NORMAL, UNALLOCATED, UNALLOCATED_WITH_PLACE } from "./l2.ts";

/** Where the content of a range comes from: one run of the mapping, longer where runs of the same kind follow. */
export async function statusAt(img: Image, l1: L1Table, at: number, length: number): Promise<BlockStatus> {
  const run = newRun();
  try {
    while (!img.map.find(l1, at, length, run)) await img.loadSlice(run.sliceAt);
  } catch (e) {
    await img.failed(e);
  }
  const known = joined(img, l1, at, length, run);
  return known.offset !== undefined && (await isPreallocated(img)) ? narrowed(img, known, known.offset) : known;
}

/** The same from tables that are in memory. Undefined: it has to be waited for, or there is trouble to report. */
export function statusNow(img: Image, l1: L1Table, at: number, length: number): BlockStatus | undefined {
  if (img.preallocated !== false) return undefined;
  try {
    return img.map.find(l1, at, length, NOW) ? joined(img, l1, at, length, NOW) : undefined;
  } catch {
    return undefined;
  }
}

/** Nothing else uses it between two lines of {@link statusNow}. */
const NOW = newRun();

/** The stretch that begins with a run, as far as runs of its kind follow in memory. `run` changes. */
function joined(img: Image, l1: L1Table, at: number, length: number, run: Run): BlockStatus {
  const { kind, host } = run;
  let total = run.length;
  // Holes go on over tables that do not exist.
  const whole = kind === COMPRESSED ? total : length;
  const { shape, sliceEntries, clusterSize } = img.map;
  // Within a piece of a table a run is as long as it can be.
  const piece = shape.extended ? 1 : sliceEntries * clusterSize;
  for (let pieces = 0; total < whole && (at + total) % piece === 0 && pieces < MOST_PIECES; pieces++) {
    if (!img.map.find(l1, at + total, length - total, run)) break;
    if (run.kind !== kind || (kind >= 2 && run.host !== host + total) || run.length === 0) break;
    total += run.length;
  }
  if (kind === UNALLOCATED || kind === UNALLOCATED_WITH_PLACE)
    return { length: total, allocated: false, zero: img.backing === undefined, data: false };
  if (kind === COMPRESSED) return { length: total, allocated: true, zero: false, data: true, compressed: true };
  if (kind !== NORMAL) return { length: total, allocated: true, zero: true, data: false };
  if (img.cipher) return { length: total, allocated: true, zero: false, data: true };
  return { length: total, allocated: true, zero: false, data: true, offset: host, file: img.data };
}

/** Runs of one kind that one answer joins. */
const MOST_PIECES = 1 << 15;

/** Many clusters that were given out are holes of the file: only then is it worth asking the file below about each run. */
async function isPreallocated(img: Image): Promise<boolean> {
  if (img.preallocated === undefined) img.preallocated = await looksPreallocated(img).catch(() => false);
  return img.preallocated;
}

/** A tenth of the clusters in use, and two at least, have no room on the host's disk: measured with qemu-img 7.2. */
async function looksPreallocated(img: Image): Promise<boolean> {
  const { file, refs, clusterSize } = img;
  if (!file.blockStatus || img.external) return false;
  const bytes = await file.allocated?.();
  if (bytes === undefined) return false;
  const real = Math.floor(bytes / clusterSize);
  const threshold = Math.max(Math.floor((real * 10) / 9), real + 2);
  let counted = 0;
  const end = Math.ceil(file.size / clusterSize);
  for (let i = 0; i < end && counted < threshold; i++) {
    const present = i % refs.perBlock !== 0 || refs.blockAt(i / refs.perBlock) !== 0;
    if (!present) i += refs.perBlock - 1;
    else if ((refs.known(i) ?? (await refs.get(i))) > 0) counted++;
  }
  return counted >= threshold;
}

/** What the file below says of the run: a hole in it reads as zeroes. */
async function narrowed(img: Image, known: BlockStatus, host: number): Promise<BlockStatus> {
  const inside = Math.min(known.length, img.file.size - host);
  if (inside <= 0) return { ...known, zero: true };
  const below = await statusOf(img.file, host, inside);
  return { ...known, length: below.length, zero: below.zero };
}
