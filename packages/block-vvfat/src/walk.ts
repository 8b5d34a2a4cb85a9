import type { FatTime } from "./fat-time.ts";
import { SECTOR } from "./geometry.ts";
import { ATTR, ENTRY, LongName, shortKey, shortText } from "./names.ts";
import type { Volume } from "./volume.ts";

/** A file or folder as the guest's directories have it now. */
export interface Found {
  readonly name: string;
  readonly isFolder: boolean;
  readonly clusters: readonly number[];
  readonly size: number;
  readonly children: readonly Found[];
  /** When it was last written, as its entry says. */
  readonly written: FatTime;
}

/** The guest is in the middle of a change, or has damaged the disk: nothing can be said of the files now. */
export class Unfinished extends Error {}

const DOTS: ReadonlySet<string> = new Set([".".padEnd(11), "..".padEnd(11)]);
const MAX_DEPTH = 100;
/** The top folder has no entry. */
const NEVER: FatTime = { date: 0, time: 0 };

/** Reads all directories. @throws Unfinished when chains and sizes do not fit together, or a name cannot be a host's */
export function readFiles(volume: Volume): Found {
  const { geometry } = volume;
  const used = new Uint8Array(geometry.clusters + 2);
  if (geometry.bits === 32) return folder(volume, "", 2, used, 0, NEVER);
  const bytes = volume.head.subarray(geometry.rootAt * SECTOR, geometry.dataAt * SECTOR);
  const children = entries(volume, bytes, used, 0);
  return { name: "", isFolder: true, clusters: [], size: 0, written: NEVER, children };
}

function folder(volume: Volume, name: string, first: number, used: Uint8Array, depth: number, written: FatTime): Found {
  if (depth > MAX_DEPTH) throw new Unfinished("folders too deep");
  const clusters = claim(volume, first, used, name);
  const { clusterBytes } = volume.geometry;
  const bytes = new Uint8Array(clusters.length * clusterBytes);
  for (const [i, cluster] of clusters.entries()) {
    const own = volume.own.get(cluster);
    if (!own) throw new Unfinished(`folder '${name}' has a cluster that was never written`);
    bytes.set(own, i * clusterBytes);
  }
  return { name, isFolder: true, clusters, size: 0, written, children: entries(volume, bytes, used, depth) };
}

function entries(volume: Volume, bytes: Uint8Array, used: Uint8Array, depth: number): Found[] {
  const out: Found[] = [];
  const names = new Set<string>();
  const long = new LongName();
  for (let at = 0; at + ENTRY <= bytes.length; at += ENTRY) {
    const entry = bytes.subarray(at, at + ENTRY);
    if (entry[0] === 0) break;
    if (entry[0] === 0xe5) continue;
    if ((entry[11]! & 0x3f) === ATTR.long) {
      long.add(entry);
      continue;
    }
    const name = long.take(shortKey(entry)) ?? shortText(entry);
    if (entry[11]! & ATTR.label || DOTS.has(shortKey(entry))) continue;
    if (!isHostName(name) || names.has(name.toLowerCase())) throw new Unfinished(`name '${name}' cannot be a file's`);
    names.add(name.toLowerCase());
    out.push(node(volume, entry, name, used, depth));
  }
  return out;
}

function node(volume: Volume, entry: Uint8Array, name: string, used: Uint8Array, depth: number): Found {
  const view = new DataView(entry.buffer, entry.byteOffset, ENTRY);
  const high = volume.geometry.bits === 32 ? view.getUint16(20, true) : 0;
  const first = high * 65536 + view.getUint16(26, true);
  const written = { time: view.getUint16(22, true), date: view.getUint16(24, true) };
  if (entry[11]! & ATTR.folder) return folder(volume, name, first, used, depth + 1, written);
  const size = view.getUint32(28, true);
  const clusters = first === 0 ? [] : claim(volume, first, used, name);
  if (clusters.length < Math.ceil(size / volume.geometry.clusterBytes))
    throw new Unfinished(`'${name}' has ${clusters.length} clusters for ${size} bytes`);
  return { name, isFolder: false, clusters, size, written, children: [] };
}

function claim(volume: Volume, first: number, used: Uint8Array, name: string): number[] {
  const clusters = volume.chain(first);
  if (!clusters) throw new Unfinished(`'${name}' has a broken chain of clusters`);
  for (const cluster of clusters) {
    if (used[cluster]) throw new Unfinished(`'${name}' shares cluster ${cluster}`);
    used[cluster] = 1;
  }
  return clusters;
}

/** Nothing that would leave its folder or that no file system takes. */
function isHostName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return name !== "" && name !== "." && name !== ".." && !/[\u0000/\\]/.test(name) && name.isWellFormed();
}
