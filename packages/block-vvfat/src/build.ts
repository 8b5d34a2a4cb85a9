import { fatTime } from "./fat-time.ts";
import { BlockError } from "@mimus/block";
import type { Geometry } from "./geometry.ts";
import { SECTOR } from "./geometry.ts";
import { ATTR, ENTRY, entriesOf, putName } from "./names.ts";
import type { TreeNode } from "./tree.ts";
import { END, Volume } from "./volume.ts";

/** Where a node lies on the disk: its clusters in order. */
export interface Placed {
  readonly node: TreeNode;
  readonly parent: Placed | undefined;
  clusters: number[];
  readonly children: Placed[];
}

/** Entries of a folder, with its own dots or the label. */
export function folderEntries(node: TreeNode, isRoot: boolean): number {
  return node.children.reduce((sum, child) => sum + entriesOf(child.fat), isRoot ? 1 : 2);
}

/** Puts a tree on an empty disk: boot sector, FATs, directories. File content stays with the host. */
export function build(geometry: Geometry, root: TreeNode, label: string): { volume: Volume; root: Placed } {
  const volume = new Volume(geometry);
  writeBoot(volume, label);
  const media = geometry.floppy ? 0xf0 : 0xf8;
  volume.link(0, (geometry.bits === 32 ? 0x0fffff00 : geometry.bits === 16 ? 0xff00 : 0xf00) | media);
  volume.link(1, END);
  const cursor = { next: 2 };
  const placed = place(volume, root, undefined, cursor);
  writeFolders(volume, placed, label);
  return { volume, root: placed };
}

function place(volume: Volume, node: TreeNode, parent: Placed | undefined, cursor: { next: number }): Placed {
  const { clusterBytes, bits } = volume.geometry;
  const bytes = node.isFolder ? folderEntries(node, parent === undefined) * ENTRY : node.size;
  const fixedRoot = parent === undefined && bits !== 32;
  const count = fixedRoot
    ? 0
    : node.isFolder
      ? Math.max(1, Math.ceil(bytes / clusterBytes))
      : Math.ceil(bytes / clusterBytes);
  const placed: Placed = { node, parent, clusters: allocate(volume, count, cursor), children: [] };
  for (const child of node.children) placed.children.push(place(volume, child, placed, cursor));
  return placed;
}

function allocate(volume: Volume, count: number, cursor: { next: number }): number[] {
  const { clusters, clusterBytes, bits } = volume.geometry;
  const first = cursor.next;
  if (first + count > clusters + 2)
    throw new BlockError(
      "bad-option",
      `Directory does not fit in FAT${bits} (capacity ${((clusters * clusterBytes) / 2 ** 20).toFixed(2)} MB)`,
    );
  cursor.next += count;
  const out = Array.from({ length: count }, (_, i) => first + i);
  for (const [i, cluster] of out.entries()) volume.link(cluster, out[i + 1] ?? END);
  return out;
}

function writeFolders(volume: Volume, placed: Placed, label: string): void {
  const { geometry } = volume;
  const isRoot = placed.parent === undefined;
  const space =
    isRoot && geometry.bits !== 32
      ? volume.head.subarray(geometry.rootAt * SECTOR, geometry.dataAt * SECTOR)
      : new Uint8Array(placed.clusters.length * geometry.clusterBytes);
  let at = 0;
  const put = (
    name: { short: string; long?: string },
    attributes: number,
    of: Placed,
    first: number,
    size: number,
  ): void => {
    at = putName(space, at, name);
    putEntry(space.subarray(at, at + ENTRY), attributes, first, size, of.node.time.sec);
    at += ENTRY;
  };
  if (isRoot) put({ short: label.slice(0, 11).padEnd(11) }, ATTR.label | ATTR.archive, placed, 0, 0);
  else {
    const above = placed.parent!;
    put({ short: ".".padEnd(11) }, ATTR.folder, placed, placed.clusters[0]!, 0);
    put({ short: "..".padEnd(11) }, ATTR.folder, above, above.parent === undefined ? 0 : above.clusters[0]!, 0);
  }
  for (const child of placed.children) {
    const { node, clusters } = child;
    put(node.fat, node.isFolder ? ATTR.folder : ATTR.archive, child, clusters[0] ?? 0, node.size);
    if (node.isFolder) writeFolders(volume, child, label);
  }
  for (const [i, cluster] of placed.clusters.entries())
    volume.own.set(cluster, space.slice(i * geometry.clusterBytes, (i + 1) * geometry.clusterBytes));
}

function putEntry(entry: Uint8Array, attributes: number, first: number, size: number, sec: number): void {
  const view = new DataView(entry.buffer, entry.byteOffset, ENTRY);
  const { date, time } = fatTime(sec);
  entry[11] = attributes;
  view.setUint16(14, time, true);
  view.setUint16(16, date, true);
  view.setUint16(18, date, true);
  view.setUint16(20, first >>> 16, true);
  view.setUint16(22, time, true);
  view.setUint16(24, date, true);
  view.setUint16(26, first & 0xffff, true);
  view.setUint32(28, size, true);
}

function writeBoot({ geometry: g, head }: Volume, label: string): void {
  const boot = head.subarray(g.start * SECTOR, (g.start + 1) * SECTOR);
  const view = new DataView(boot.buffer, boot.byteOffset, SECTOR);
  const volumeSectors = g.sectors - g.start;
  const small = volumeSectors < 0x10000 && g.bits !== 32;
  boot.set([0xeb, g.bits === 32 ? 0x58 : 0x3e, 0x90]);
  putText(boot, 3, "MSWIN4.1");
  view.setUint16(11, SECTOR, true);
  boot[13] = g.sectorsPerCluster;
  view.setUint16(14, g.reserved, true);
  boot[16] = 2;
  view.setUint16(17, g.rootEntries, true);
  view.setUint16(19, small ? volumeSectors : 0, true);
  boot[21] = g.floppy ? 0xf0 : 0xf8;
  view.setUint16(22, g.bits === 32 ? 0 : g.fatSectors, true);
  view.setUint16(24, g.sectorsPerTrack, true);
  view.setUint16(26, g.heads, true);
  view.setUint32(28, g.start, true);
  view.setUint32(32, small ? 0 : volumeSectors, true);
  if (g.bits === 32) {
    view.setUint32(36, g.fatSectors, true);
    view.setUint32(44, 2, true);
    view.setUint16(48, 1, true);
    view.setUint16(50, 6, true);
    writeInfo(head, g.start + 1);
  }
  const at = g.bits === 32 ? 64 : 36;
  boot[at] = g.floppy ? 0 : 0x80;
  boot[at + 2] = 0x29;
  view.setUint32(at + 3, 0xfabe1afd, true);
  putText(boot, at + 7, label.slice(0, 11).padEnd(11));
  putText(boot, at + 18, `FAT${g.bits}`.padEnd(8));
  boot.set([0x55, 0xaa], 510);
  if (g.bits === 32)
    for (const i of [0, 1])
      head.copyWithin((g.start + 6 + i) * SECTOR, (g.start + i) * SECTOR, (g.start + i + 1) * SECTOR);
  if (!g.floppy) writePartition(head, g);
}

/** FSInfo: free counts unknown. */
function writeInfo(head: Uint8Array, sector: number): void {
  const view = new DataView(head.buffer, head.byteOffset + sector * SECTOR, SECTOR);
  view.setUint32(0, 0x41615252, true);
  view.setUint32(484, 0x61417272, true);
  view.setUint32(488, 0xffffffff, true);
  view.setUint32(492, 0xffffffff, true);
  view.setUint32(508, 0xaa550000, true);
}

/** A partition table with one active entry. */
function writePartition(head: Uint8Array, g: Geometry): void {
  const view = new DataView(head.buffer, head.byteOffset, SECTOR);
  const chs = (sector: number): number[] => {
    const cylinder = Math.floor(sector / (g.heads * g.sectorsPerTrack));
    if (cylinder > 1023) return [0xff, 0xff, 0xff];
    const rest = sector % (g.heads * g.sectorsPerTrack);
    const n = (rest % g.sectorsPerTrack) + 1;
    return [Math.floor(rest / g.sectorsPerTrack), n | ((cylinder >> 2) & 0xc0), cylinder & 255];
  };
  view.setUint32(440, 0xbe1afdfa, true);
  head.set([0x80, ...chs(g.start), { 12: 1, 16: 6, 32: 0x0c }[g.bits], ...chs(g.sectors - 1)], 446);
  view.setUint32(454, g.start, true);
  view.setUint32(458, g.sectors - g.start, true);
  head.set([0x55, 0xaa], 510);
}

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}
