import type { ClusterNodeOptions } from "@mimus/block";
import { BlockError, ClusterNode } from "@mimus/block";
import type { BlockMap } from "./block-map.ts";
import { batEntries } from "./block-map.ts";
import { MIB } from "./header.ts";
import { MAX_DISK } from "./metadata.ts";
import type { Region } from "./regions.ts";
import { writeRegions } from "./regions.ts";

/** A VHDX without a parent. */
export class Vhdx extends ClusterNode {
  override readonly sectorSize: number;

  constructor(options: ClusterNodeOptions, sectorSize: number) {
    super(options);
    this.sectorSize = sectorSize;
  }
}

/** Makes the disk larger. @throws BlockError "unsupported-feature" for a smaller one */
export async function grow(map: BlockMap, metadataRegion: Region, size: number, filename: string): Promise<void> {
  const { metadata } = map;
  if (size < metadata.diskBytes)
    throw new BlockError(
      "unsupported-feature",
      `'${filename}': size ${size} must be at least ${metadata.diskBytes}: the format only grows`,
    );
  if (size > MAX_DISK || size % metadata.logicalSector !== 0)
    throw new BlockError(
      "bad-option",
      `'${filename}': size ${size} must be a multiple of ${metadata.logicalSector} up to 64 TiB`,
    );
  const needed = batEntries({ ...metadata, diskBytes: size }) * 8;
  if (needed > map.bat.bytes) await moveTable(map, metadataRegion, needed);
  await map.setDiskBytes(size);
  await map.commit();
}

/** Copies the block table to the end of the file, with more room: the region tables then point there. */
async function moveTable(map: BlockMap, metadataRegion: Region, needed: number): Promise<void> {
  await map.commit();
  // The next commit must not bring back what the log holds of the old place.
  const from = map.bat;
  const bytes = Math.ceil(needed / MIB) * MIB;
  const to = { at: map.reserve(bytes), bytes };
  const piece = new Uint8Array(MIB);
  for (let at = 0; at < bytes; at += MIB) {
    if (at < from.bytes) await map.file.read(from.at + at, piece);
    else piece.fill(0);
    await map.file.write(to.at + at, piece);
  }
  await map.file.flush();
  await writeRegions(map.file, to, metadataRegion);
  map.moveBat(to);
}
