import { ascii, checksum, concat, le } from "../bytes.ts";

/** Who made the tables. */
export interface Oem {
  /** Up to 6 characters. */
  readonly id: string;
  /** Up to 8 characters. */
  readonly tableId: string;
  /** Up to 4 characters. */
  readonly creator?: string;
}

/** Bytes of every table's header, and where its checksum is. */
export const HEADER_SIZE = 36;
/** Offset of the byte that makes the sum of a table's bytes 0, modulo 256. */
export const CHECKSUM_AT = 9;

/** A table: header and body, the checksum right. Source: ACPI 6.4, 5.2.6 "System description table header". */
export function table(signature: string, revision: number, oem: Oem, ...body: readonly Uint8Array[]): Uint8Array {
  const contents = concat(body);
  const bytes = concat([
    ascii(signature, 4),
    le(4, HEADER_SIZE + contents.length),
    Uint8Array.of(revision, 0),
    ascii(oem.id, 6),
    ascii(oem.tableId, 8),
    le(4, 1),
    ascii(oem.creator ?? "BXPC", 4),
    le(4, 1),
    contents,
  ]);
  bytes[CHECKSUM_AT] = checksum(bytes);
  return bytes;
}
