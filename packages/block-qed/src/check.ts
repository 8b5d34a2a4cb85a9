import { BlockError, type BlockNode, type CheckRepair, type CheckReport } from "@mimus/block";
import { type QedHeader, tableBytes } from "./header.ts";
import type { QedTables } from "./tables.ts";

const MOST_MESSAGES = 1000;
/** Clusters of a file that are counted at most: 64 MiB of bits. */
const MOST_CLUSTERS: number = 2 ** 29;

/** What a check found so far. */
interface Findings {
  corruptions: number;
  fixed: number;
  allocated: number;
  fragmented: number;
  readonly messages: string[];
  /** A bit for each cluster of the file. */
  readonly used: Uint8Array;
}

/** Looks at every table; mends entries that cannot be right by taking them out, and gives unused clusters back. */
export async function checkTables(
  file: BlockNode,
  header: QedHeader,
  tables: QedTables,
  size: number,
  repair: CheckRepair,
  progress?: (done: number, total: number) => void,
): Promise<CheckReport> {
  const unit = header.clusterSize;
  const clusters = Math.ceil(file.size / unit);
  if (clusters > MOST_CLUSTERS)
    throw new BlockError("unsupported-feature", `check: ${clusters} clusters must be at most ${MOST_CLUSTERS}`);
  const found: Findings = {
    corruptions: 0,
    fixed: 0,
    allocated: 0,
    fragmented: 0,
    messages: [],
    used: new Uint8Array(Math.ceil(clusters / 8)),
  };
  mark(found, 0, header.headerClusters);
  if (mark(found, header.l1At / unit, header.tableClusters)) complain(found, "the L1 table lies in the header");
  const mend = repair === "all";
  const named: [index: number, table: number][] = [];
  await tables.entriesOf("L1", header.l1At, (index, table) => named.push([index, table]));
  for (const [n, [i, table]] of named.entries()) {
    progress?.(n, named.length);
    if (!tables.isPlace(table, tableBytes(header))) {
      complain(found, `L1 entry ${i} is 0x${table.toString(16)}`);
      if (mend) await takeOut(found, tables, "L1", header.l1At, i);
    } else if (mark(found, table / unit, header.tableClusters))
      complain(found, `L1 entry ${i}: its table at 0x${table.toString(16)} lies where something else is`);
    else await checkTable(found, tables, unit, table, i * tables.entries, mend);
  }
  let leaks = 0;
  for (let c = 0; c < clusters; c++) {
    const bits = found.used[c >> 3] ?? 0;
    if (bits === 0 && (c & 7) === 0 && c + 8 <= clusters) {
      leaks += 8;
      c += 7;
    } else if ((bits & (1 << (c & 7))) === 0) leaks++;
  }
  let leaksFixed = 0;
  if (found.fixed > 0) await tables.commit();
  if (leaks > 0 && repair !== "none" && found.corruptions === 0 && file.resize) {
    leaksFixed = await giveBack(file, header, tables, found.used, clusters);
    leaks -= leaksFixed;
  }
  return {
    corruptions: found.corruptions,
    leaks,
    corruptionsFixed: found.fixed,
    leaksFixed,
    checkErrors: 0,
    totalClusters: Math.ceil(size / unit),
    allocatedClusters: found.allocated,
    fragmentedClusters: found.fragmented,
    messages: found.messages,
  };
}

async function checkTable(
  found: Findings,
  tables: QedTables,
  unit: number,
  table: number,
  first: number,
  mend: boolean,
): Promise<void> {
  let last = 0;
  const wrong: number[] = [];
  await tables.entriesOf("L2", table, (i, place) => {
    if (place === 1) return;
    if (!tables.isPlace(place, unit)) {
      complain(found, `cluster ${first + i} is at 0x${place.toString(16)}`);
      wrong.push(i);
      return;
    }
    found.allocated++;
    if (last > 0 && place !== last + unit) found.fragmented++;
    last = place;
    if (mark(found, place / unit, 1))
      complain(found, `cluster ${first + i} at 0x${place.toString(16)} lies where something else is`);
  });
  if (mend) for (const i of wrong) await takeOut(found, tables, "L2", table, i);
}

/** Marks clusters as used; true when one was so already. */
function mark(found: Findings, cluster: number, count: number): boolean {
  let twice = false;
  for (let c = cluster; c < cluster + count; c++) {
    const bit = 1 << (c & 7);
    const at = Math.floor(c / 8);
    if (((found.used[at] ?? 0) & bit) !== 0) twice = true;
    if (at < found.used.length) found.used[at] = (found.used[at] ?? 0) | bit;
  }
  return twice;
}

function complain(found: Findings, text: string): void {
  found.corruptions++;
  if (found.messages.length < MOST_MESSAGES) found.messages.push(`ERROR: ${text}`);
}

async function takeOut(
  found: Findings,
  tables: QedTables,
  level: "L1" | "L2",
  table: number,
  index: number,
): Promise<void> {
  await tables.overwrite(level, table, index, 0);
  found.corruptions--;
  found.fixed++;
}

/** Moves data clusters from the end of the file into unused ones, and cuts the file. Answers how many clusters it gave back. */
async function giveBack(
  file: BlockNode,
  header: QedHeader,
  tables: QedTables,
  used: Uint8Array,
  clusters: number,
): Promise<number> {
  const unit = header.clusterSize;
  const owners = new Map<number, { table: number; index: number }>();
  const named: number[] = [];
  await tables.entriesOf("L1", header.l1At, (_, table) => named.push(table));
  for (const table of named)
    await tables.entriesOf("L2", table, (index, place) => {
      if (place > 1) owners.set(place / unit, { table, index });
    });
  const isUsed = (c: number): boolean => ((used[c >> 3] ?? 0) & (1 << (c & 7))) !== 0;
  const bytes = new Uint8Array(unit);
  let end = clusters;
  let hole = 0;
  for (;;) {
    while (end > 0 && !isUsed(end - 1)) end--;
    while (hole < end && isUsed(hole)) hole++;
    const owner = owners.get(end - 1);
    if (hole >= end || !owner) break;
    const room = Math.min(unit, file.size - (end - 1) * unit);
    bytes.fill(0);
    await file.read((end - 1) * unit, bytes.subarray(0, room));
    await file.write(hole * unit, bytes);
    await tables.overwrite("L2", owner.table, owner.index, hole * unit);
    used[hole >> 3] = (used[hole >> 3] ?? 0) | (1 << (hole & 7));
    end--;
    used[end >> 3] = (used[end >> 3] ?? 0) & ~(1 << (end & 7));
  }
  await tables.commit();
  await file.resize?.(end * unit);
  await file.flush();
  tables.shrink(end * unit);
  return clusters - end;
}
