import { Fields } from "@mimus/block";
import { grainOf, MOST_TABLES, SECTOR, type SparseLayout } from "./sparse-header.ts";

/** Bytes of the header that are looked at. */
export const COWD_HEADER_BYTES = 512;
/** Entries of each grain table of the kind. */
const ENTRIES = 4096;

/** Header of an ESX sparse extent ("COWD"). Source: VMware, "Virtual Disk Format 5.0", "ESX Server Sparse Extents". @throws BlockError */
export function parseCowd(bytes: Uint8Array, filename: string): SparseLayout {
  const f = new Fields(bytes, { filename, littleEndian: true });
  f.bound("version", f.u32(4, "version"), 1, 1, 4);
  const size = f.u32(12, "numSectors") * SECTOR;
  const grain = grainOf(f, f.u32(16, "grainSize"), 16, false) * SECTOR;
  const directoryAt = f.u32(20, "gdOffset") * SECTOR;
  const tables = f.bound("numGDEntries", f.u32(24, "numGDEntries"), 0, MOST_TABLES, 24);
  const needed = Math.ceil(size / (grain * ENTRIES));
  f.bound("numGDEntries", tables, needed, MOST_TABLES, 24);
  const metadata = [{ what: "header", at: 0, bytes: COWD_HEADER_BYTES }];
  const flags = { compressed: false, markers: false, zeroedGrains: false };
  return { size, grain, entries: ENTRIES, tables, directoryAt, ...flags, metadata };
}
