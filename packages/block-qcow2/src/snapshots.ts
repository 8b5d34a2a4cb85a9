import { BlockError } from "@mimus/block";
import type { BlockNode, BlockStatus, SnapshotInfo, SnapshotOps } from "@mimus/block";
import * as c from "./constants.ts";
import { flushAll } from "./flush.ts";
import type { Image } from "./image.ts";
import { L1Table } from "./l1-table.ts";
import type { Qcow2Node } from "./node.ts";
import { switchL1 } from "./resize.ts";
import type { Snapshot } from "./snapshot-table.ts";
import { encodeSnapshots, snapshotInfo } from "./snapshot-table.ts";
import { statusAt } from "./status.ts";
import { adjustTree, readL1, refreshCopied } from "./tree.ts";

/** Internal snapshots of an image. */
export function snapshotOps(node: Qcow2Node): SnapshotOps {
  const { img } = node;
  return {
    list: async () => img.snapshots.map(snapshotInfo),
    create: (info) => node.alone(() => create(node, info)).then((made) => dropVmState(node).then(() => made)),
    apply: (which) => node.alone(() => apply(img, find(img, which)), { writes: true }),
    delete: (which) => node.alone(() => remove(img, find(img, which))),
    async open(which, name) {
      const s = find(img, which);
      const l1 = await readL1(img, s.l1At, s.l1Size);
      img.openSnapshots.set(s.id, (img.openSnapshots.get(s.id) ?? 0) + 1);
      return new SnapshotNode(node, s, l1, name);
    },
  };
}

function find(img: Image, which: string): Snapshot {
  const found = img.snapshots.find((s) => s.id === which) ?? img.snapshots.find((s) => s.name === which);
  if (found) return found;
  throw new BlockError("not-found", `'${img.filename}' has no snapshot '${which}'`);
}

function assertPossible(img: Image): void {
  if (img.external)
    throw new BlockError(
      "unsupported-feature",
      `'${img.filename}': snapshots are not possible with an external data file`,
    );
}

/** Work after which refcounts and flags agree again; a cut inside leaves the dirty bit, and the next open repairs. */
async function marked(img: Image, work: () => Promise<void>): Promise<void> {
  const mark = img.header.version === 3 && (img.header.incompatible & c.INCOMPAT_DIRTY) === 0;
  if (mark) {
    img.header.incompatible |= c.INCOMPAT_DIRTY;
    await img.switchHeader();
  }
  await work();
  await flushAll(img);
  if (!mark) return;
  img.header.incompatible &= ~c.INCOMPAT_DIRTY;
  await img.switchHeader();
}

async function create(node: Qcow2Node, info: Omit<SnapshotInfo, "id">): Promise<SnapshotInfo> {
  const { img } = node;
  assertPossible(img);
  if (img.snapshots.length >= c.MAX_SNAPSHOTS)
    throw new BlockError("no-space", `'${img.filename}' has ${c.MAX_SNAPSHOTS} snapshots already`);
  const highest = img.snapshots.reduce((max, s) => Math.max(max, Number.parseInt(s.id, 10) || 0), 0);
  const made: Snapshot = {
    id: String(highest + 1),
    name: info.name,
    l1At: 0,
    l1Size: img.l1.count,
    dateSec: info.dateSec,
    dateNsec: info.dateNsec,
    vmClockNs: info.vmClockNs,
    vmStateSize: info.vmStateSize,
    diskSize: img.size,
    icount: info.icount,
    extra: new Uint8Array(0),
  };
  await marked(img, async () => {
    await adjustTree(img, img.l1, 1);
    try {
      made.l1At = await writeCopy(img, img.l1);
      await refreshCopied(img);
      await flushAll(img);
      await switchTable(img, [...img.snapshots, made]);
    } catch (e) {
      await adjustTree(img, img.l1, -1);
      await refreshCopied(img);
      throw e;
    }
  });
  img.guard.claim(made.l1At / img.clusterSize, Math.ceil((made.l1Size * 8) / img.clusterSize), "inactive-l1");
  return snapshotInfo(made);
}

/** The machine's state belongs to the snapshot alone from now on. */
async function dropVmState(node: Qcow2Node): Promise<void> {
  const { img } = node;
  const from = img.vmStateAt;
  const to = img.l1.count * img.coverage;
  if (to > from) await node.inside(() => node.eraser.empty(from, to));
}

async function writeCopy(img: Image, l1: L1Table): Promise<number> {
  if (l1.count === 0) return img.header.l1At;
  const clusters = Math.ceil((l1.count * 8) / img.clusterSize);
  const at = (await img.refs.allocateExactly(clusters)) * img.clusterSize;
  const bytes = new Uint8Array(clusters * img.clusterSize);
  bytes.set(l1.bytes.subarray(0, l1.count * 8));
  // Flags of a snapshot's own table mean nothing.
  for (let i = 0; i < l1.count; i++) bytes[i * 8]! &= 0x7f;
  await img.file.write(at, bytes);
  return at;
}

/** The image has another list of snapshots from one write of the header on. */
async function switchTable(img: Image, list: Snapshot[]): Promise<void> {
  const { header, clusterSize, refs, guard } = img;
  const bytes = encodeSnapshots(list);
  const old = {
    at: header.snapshotsAt,
    clusters: header.snapshots === 0 ? 0 : Math.ceil(img.snapshotTableBytes / clusterSize),
  };
  const clusters = Math.ceil(bytes.length / clusterSize);
  let at = 0;
  if (clusters > 0) {
    at = (await refs.allocateExactly(clusters)) * clusterSize;
    const padded = new Uint8Array(clusters * clusterSize);
    padded.set(bytes);
    await img.file.write(at, padded);
  }
  await flushAll(img);
  header.snapshotsAt = at;
  header.snapshots = list.length;
  await img.switchHeader();
  img.snapshots = list;
  img.snapshotTableBytes = bytes.length;
  guard.release(old.at / clusterSize, old.clusters, "snapshot-table");
  guard.claim(at / clusterSize, clusters, "snapshot-table");
  if (old.clusters > 0) refs.free(old.at / clusterSize, old.clusters, "other");
}

async function apply(img: Image, s: Snapshot): Promise<void> {
  assertPossible(img);
  if (s.diskSize !== img.size && img.header.version === 2)
    throw new BlockError(
      "unsupported-feature",
      `'${img.filename}': version 2 cannot go back to a disk of another size`,
    );
  const theirs = await readL1(img, s.l1At, s.l1Size);
  const count = Math.max(s.l1Size, Math.ceil(s.diskSize / img.coverage));
  const next = new Uint8Array(L1Table.bytesFor(count));
  next.set(theirs.bytes.subarray(0, s.l1Size * 8));
  await marked(img, async () => {
    await adjustTree(img, theirs, 1);
    const before = img.l1;
    await switchL1(img, next, count, s.diskSize);
    await adjustTree(img, before, -1);
    img.map.cache.trim();
    await refreshCopied(img);
  });
}

async function remove(img: Image, s: Snapshot): Promise<void> {
  assertPossible(img);
  if ((img.openSnapshots.get(s.id) ?? 0) > 0)
    throw new BlockError("in-use", `'${img.filename}': snapshot '${s.name}' is open`);
  const theirs = await readL1(img, s.l1At, s.l1Size);
  await marked(img, async () => {
    await switchTable(
      img,
      img.snapshots.filter((other) => other !== s),
    );
    const clusters = Math.ceil((s.l1Size * 8) / img.clusterSize);
    img.guard.release(s.l1At / img.clusterSize, clusters, "inactive-l1");
    await adjustTree(img, theirs, -1);
    if (clusters > 0)
      await img.refs.release([{ first: s.l1At / img.clusterSize, count: clusters, reason: "snapshot" }]);
    await refreshCopied(img);
  });
}

/** The disk as it was when a snapshot was made: read-only, through the open image. */
class SnapshotNode implements BlockNode {
  readonly name: string;
  readonly driver: string = "qcow2";
  readonly readOnly: boolean = true;
  readonly sectorSize: number = 512;
  readonly size: number;
  readonly #node: Qcow2Node;
  readonly #snapshot: Snapshot;
  readonly #l1: L1Table;
  #closed = false;

  constructor(node: Qcow2Node, snapshot: Snapshot, l1: L1Table, name: string) {
    this.#node = node;
    this.#snapshot = snapshot;
    this.#l1 = l1;
    this.name = name;
    this.size = snapshot.diskSize;
  }

  read(at: number, into: Uint8Array): Promise<void> {
    return this.#node.inside(() => this.#node.reader.read(this.#l1, at, into));
  }
  async write(): Promise<void> {
    throw new BlockError("read-only", `Snapshot '${this.#snapshot.name}' is read-only`);
  }
  async flush(): Promise<void> {
    // Nothing is written through this node.
  }
  blockStatus(at: number, length: number): Promise<BlockStatus> {
    return this.#node.inside(() => statusAt(this.#node.img, this.#l1, at, length));
  }
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const { openSnapshots } = this.#node.img;
    openSnapshots.set(this.#snapshot.id, (openSnapshots.get(this.#snapshot.id) ?? 1) - 1);
  }
}
