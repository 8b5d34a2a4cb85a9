import { BlockError } from "@mimus/block";

// Source: Microsoft FAT32 File System Specification 1.03 (2000), "Boot Sector and BPB" and "FAT Type Determination".

export const SECTOR = 512;
export type FatBits = 12 | 16 | 32;

/** The shape of the disk; sectors unless the name says otherwise. */
export interface Geometry {
  readonly bits: FatBits;
  readonly floppy: boolean;
  readonly sectors: number;
  /** Where the volume begins: 63 on a disk with a partition table, 0 on a floppy. */
  readonly start: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  readonly sectorsPerCluster: number;
  readonly reserved: number;
  readonly fatSectors: number;
  /** Entries of the root directory; 0 = it is a chain of clusters (FAT32). */
  readonly rootEntries: number;
  /** First sector of the root directory (FAT12, FAT16) and of cluster 2. */
  readonly rootAt: number;
  readonly dataAt: number;
  /** Clusters are numbered from 2 to `clusters` + 1. */
  readonly clusters: number;
  readonly clusterBytes: number;
}

/** Cluster counts that a type may have: other programs tell the type by the count. */
const MOST_CLUSTERS: Readonly<Record<FatBits, number>> = { 12: 4084, 16: 65524, 32: 0x0ffffff4 };
const FEWEST_CLUSTERS: Readonly<Record<FatBits, number>> = { 12: 1, 16: 4085, 32: 65525 };

interface Disk {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

/** QEMU's disks: 504 MiB, with FAT12 31.5 MiB; floppies of 2.88 MB, with FAT12 asked for 1.44 MB. */
function diskFor(fatType: 0 | FatBits, floppy: boolean): Disk {
  if (floppy) return { cylinders: 80, heads: 2, sectorsPerTrack: fatType === 12 ? 18 : 36 };
  return { cylinders: fatType === 12 ? 64 : 1024, heads: 16, sectorsPerTrack: 63 };
}

/** Lays out a disk. `fatType` 0 = QEMU's choice. `rootEntries`: that the root directory needs. @throws BlockError "bad-option" */
export function layOut(fatType: 0 | FatBits, floppy: boolean, rootEntries: number): Geometry {
  const { cylinders, heads, sectorsPerTrack } = diskFor(fatType, floppy);
  const bits = fatType === 0 ? (floppy ? 12 : 16) : fatType;
  const sectors = cylinders * heads * sectorsPerTrack;
  const start = floppy ? 0 : 63;
  const entries = bits === 32 ? 0 : Math.ceil(Math.max(rootEntries, floppy ? 224 : 512) / 16) * 16;
  if (entries > 65520) throw new BlockError("bad-option", `${rootEntries} entries in the folder must be at most 65520`);
  const reserved = bits === 32 ? 32 : 1;
  for (let perCluster = 1; perCluster <= 128; perCluster *= 2) {
    const fatSectors = fatSize(sectors - start - reserved - entries / 16, perCluster, bits);
    const rootAt = start + reserved + 2 * fatSectors;
    const dataAt = rootAt + entries / 16;
    const clusters = Math.floor((sectors - dataAt) / perCluster);
    if (clusters > MOST_CLUSTERS[bits]) continue;
    if (clusters < FEWEST_CLUSTERS[bits]) break;
    if (!floppy && bits === 32 && perCluster < 8 && clusters / 2 >= FEWEST_CLUSTERS[32]) continue;
    return {
      bits,
      floppy,
      sectors,
      start,
      heads,
      sectorsPerTrack,
      sectorsPerCluster: perCluster,
      reserved,
      fatSectors,
      rootEntries: entries,
      rootAt,
      dataAt,
      clusters,
      clusterBytes: perCluster * SECTOR,
    };
  }
  throw new BlockError(
    "bad-option",
    `fat-type ${bits} does not fit on a ${floppy ? "floppy" : "disk"} of ${sectors} sectors`,
  );
}

/** Sectors of a FAT that has an entry for every cluster. */
function fatSize(sectors: number, perCluster: number, bits: FatBits): number {
  let size = 1;
  for (;;) {
    const clusters = Math.floor((sectors - 2 * size) / perCluster) + 2;
    const needed = Math.ceil((clusters * bits) / 8 / SECTOR);
    if (needed <= size) return size;
    size = needed;
  }
}
