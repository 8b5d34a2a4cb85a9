import { BlockError, type BlockNode, CheckFindings, type CheckRepair, type CheckReport } from "@mimus/block";
import { type QedHeader, tableBytes } from "./header.ts";
import { type Level, type QedTables, ZERO_ENTRY } from "./tables.ts";
import { UsedClusters } from "./used-clusters.ts";

/** Clusters of a file that are counted at most: 64 MiB of bits. */
const MOST_CLUSTERS: number = 2 ** 29;

/** Looks at every table; repairs entries that cannot be right by taking them out, and gives unused clusters back. */
export async function checkTables(
  file: BlockNode,
  header: QedHeader,
  tables: QedTables,
  size: number,
  repair: CheckRepair,
  progress?: (done: number, total: number) => void,
): Promise<CheckReport> {
  const clusters = Math.ceil(file.size / header.clusterSize);
  if (clusters > MOST_CLUSTERS)
    throw new BlockError("unsupported-feature", `check: ${clusters} clusters must be at most ${MOST_CLUSTERS}`);
  const survey = new Survey(header, tables, new UsedClusters(clusters), repair === "all");
  await survey.run(progress);
  const { found, used } = survey;
  found.leaks = used.unused();
  if (found.corruptionsFixed > 0) await tables.commit();
  if (found.leaks > 0 && repair !== "none" && found.corruptions === 0 && file.resize) {
    found.leaksFixed = await giveBack(file, header, tables, used);
    found.leaks -= found.leaksFixed;
  }
  return found.report({
    totalClusters: Math.ceil(size / header.clusterSize),
    allocatedClusters: survey.allocated,
    fragmentedClusters: survey.fragmented,
  });
}

/** One pass over the tables of an image. */
class Survey {
  readonly found: CheckFindings = new CheckFindings();
  readonly used: UsedClusters;
  /** Clusters of data, and those of them that do not follow the one before. */
  allocated = 0;
  fragmented = 0;
  readonly #header: QedHeader;
  readonly #tables: QedTables;
  readonly #repair: boolean;

  constructor(header: QedHeader, tables: QedTables, used: UsedClusters, repair: boolean) {
    this.#header = header;
    this.#tables = tables;
    this.used = used;
    this.#repair = repair;
  }

  async run(progress?: (done: number, total: number) => void): Promise<void> {
    const { clusterSize, headerClusters, l1At, tableClusters } = this.#header;
    this.used.add(0, headerClusters);
    if (this.used.add(l1At / clusterSize, tableClusters)) this.found.corrupt("ERROR: the L1 table lies in the header");
    const entries = await entriesOf(this.#tables, "L1", l1At);
    for (const [n, { index, value: table }] of entries.entries()) {
      progress?.(n, entries.length);
      if (!this.#tables.isPlace(table, tableBytes(this.#header))) {
        this.found.corrupt(`ERROR: L1 entry ${index} is 0x${table.toString(16)}`);
        await this.#takeOut("L1", l1At, index);
      } else if (this.used.add(table / clusterSize, tableClusters))
        this.found.corrupt(
          `ERROR: L1 entry ${index}: its table at 0x${table.toString(16)} lies where something else is`,
        );
      else await this.#secondLevel(table, index * this.#tables.entries);
    }
  }

  /** Looks at a table of the second level, whose first entry is for the cluster `first` of the disk. */
  async #secondLevel(table: number, first: number): Promise<void> {
    const { clusterSize } = this.#header;
    const wrong: number[] = [];
    let last = 0;
    await this.#tables.entriesOf("L2", table, (index, place) => {
      if (place === ZERO_ENTRY) return;
      if (!this.#tables.isPlace(place, clusterSize)) {
        this.found.corrupt(`ERROR: cluster ${first + index} is at 0x${place.toString(16)}`);
        wrong.push(index);
        return;
      }
      this.allocated++;
      if (last > 0 && place !== last + clusterSize) this.fragmented++;
      last = place;
      if (this.used.add(place / clusterSize, 1))
        this.found.corrupt(`ERROR: cluster ${first + index} at 0x${place.toString(16)} lies where something else is`);
    });
    for (const index of wrong) await this.#takeOut("L2", table, index);
  }

  /** Clears an entry that was found to be wrong, when that is asked for. */
  async #takeOut(level: Level, table: number, index: number): Promise<void> {
    if (!this.#repair) return;
    await this.#tables.overwrite(level, table, index, 0);
    this.found.corruptions--;
    this.found.corruptionsFixed++;
  }
}

/** Moves data clusters from the end of the file into unused ones, and cuts the file. Answers how many clusters it gave back. */
async function giveBack(file: BlockNode, header: QedHeader, tables: QedTables, used: UsedClusters): Promise<number> {
  const unit = header.clusterSize;
  const owners = await ownersOf(header, tables);
  const bytes = new Uint8Array(unit);
  let end = used.count;
  let hole = 0;
  for (;;) {
    while (end > 0 && !used.has(end - 1)) end--;
    while (hole < end && used.has(hole)) hole++;
    const owner = owners.get(end - 1);
    if (hole >= end || !owner) break;
    const room = Math.min(unit, file.size - (end - 1) * unit);
    bytes.fill(0);
    await file.read((end - 1) * unit, bytes.subarray(0, room));
    await file.write(hole * unit, bytes);
    await tables.overwrite("L2", owner.table, owner.index, hole * unit);
    used.add(hole, 1);
    used.delete(--end);
  }
  await tables.commit();
  await file.resize?.(end * unit);
  await file.flush();
  tables.shrink(end * unit);
  return used.count - end;
}

/** The table entry that names each data cluster, by the cluster's number in the file. */
async function ownersOf(
  header: QedHeader,
  tables: QedTables,
): Promise<Map<number, { readonly table: number; readonly index: number }>> {
  const owners = new Map<number, { table: number; index: number }>();
  for (const { value: table } of await entriesOf(tables, "L1", header.l1At))
    await tables.entriesOf("L2", table, (index, place) => {
      if (place > ZERO_ENTRY) owners.set(place / header.clusterSize, { table, index });
    });
  return owners;
}

async function entriesOf(
  tables: QedTables,
  level: Level,
  table: number,
): Promise<{ readonly index: number; readonly value: number }[]> {
  const entries: { index: number; value: number }[] = [];
  await tables.entriesOf(level, table, (index, value) => entries.push({ index, value }));
  return entries;
}
