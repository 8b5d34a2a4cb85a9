import { checksum, concat } from "@mimus/acpi";
import { BoardError } from "../errors.ts";

/** The two files that firmware takes the SMBIOS tables from. */
export interface SmbiosFiles {
  readonly tables: Uint8Array;
  readonly anchor: Uint8Array;
}

/**
 * Tables and entry point; firmware puts in the address and makes the sums right, as it may add tables of its own.
 * Source: DSP0134 3.6, 5.2.1 "SMBIOS 2.1 entry point", 5.2.2 "SMBIOS 3.0 entry point".
 */
export function smbiosFiles(structures: readonly Uint8Array[], entryPoint: "32" | "64"): SmbiosFiles {
  const tables = concat(structures);
  if (entryPoint === "32" && tables.length > 0xffff)
    throw new BoardError(
      "too-large",
      `-smbios: the tables have ${tables.length} bytes; with smbios-entry-point-type=32 they have at most 65535`,
    );
  const largest = Math.max(...structures.map((s) => s.length));
  return {
    tables,
    anchor: entryPoint === "32" ? entry21(tables.length, largest, structures.length) : entry30(tables.length),
  };
}

function entry21(length: number, largest: number, count: number): Uint8Array {
  const bytes = new Uint8Array(31);
  const view = new DataView(bytes.buffer);
  put(bytes, 0, "_SM_");
  bytes.set([31, 2, 8], 5);
  view.setUint16(8, largest, true);
  put(bytes, 16, "_DMI_");
  view.setUint16(22, length, true);
  view.setUint16(28, count, true);
  bytes[30] = 0x28;
  bytes[21] = checksum(bytes.subarray(16));
  bytes[4] = checksum(bytes);
  return bytes;
}

function entry30(length: number): Uint8Array {
  const bytes = new Uint8Array(24);
  put(bytes, 0, "_SM3_");
  bytes.set([24, 3, 0, 0, 1], 6);
  new DataView(bytes.buffer).setUint32(12, length, true);
  bytes[5] = checksum(bytes);
  return bytes;
}

function put(bytes: Uint8Array, at: number, text: string): void {
  bytes.set(
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
    at,
  );
}
