import { ascii, checksum, concat, le } from "../bytes.ts";
import { CHECKSUM_AT, HEADER_SIZE, type Oem, table } from "./header.ts";
import { FADT_POINTERS } from "./fixed.ts";

/** Where the guest's firmware puts a file: in high memory, or in the segment F000h that old operating systems search. */
export type Zone = "high" | "fseg";

/** Bytes of a command, and of a file name in it. */
const COMMAND_SIZE = 128;
const NAME_SIZE = 56;

/**
 * The script that firmware follows to put tables into memory: it alone knows where memory is free.
 * Source: QEMU, docs/specs/fw_cfg and the guest's side in SeaBIOS, "ROM loader" ("etc/table-loader").
 */
export class TableLoader {
  readonly #commands: Uint8Array[] = [];

  /** Reads a file into memory at a boundary of `align` bytes. */
  allocate(file: string, align: number, zone: Zone): this {
    return this.#command(1, name(file), le(4, align), Uint8Array.of(zone === "high" ? 1 : 2));
  }

  /** Adds the address of file `target` to the `size` bytes at `offset` of `file`. */
  pointer(file: string, target: string, offset: number, size: 1 | 2 | 4 | 8): this {
    return this.#command(2, name(file), name(target), le(4, offset), Uint8Array.of(size));
  }

  /** Sets the byte at `at` so that the `length` bytes from `start` on add up to 0. */
  checksum(file: string, at: number, start: number, length: number): this {
    return this.#command(3, name(file), le(4, at), le(4, start), le(4, length));
  }

  #command(code: number, ...fields: readonly Uint8Array[]): this {
    const bytes = new Uint8Array(COMMAND_SIZE);
    bytes.set(concat([le(4, code), ...fields]));
    this.#commands.push(bytes);
    return this;
  }

  get bytes(): Uint8Array {
    return concat(this.#commands);
  }
}

const name = (file: string): Uint8Array => ascii(file, NAME_SIZE, "\0");

/** The three files of the firmware configuration device that carry ACPI tables. */
export interface AcpiFiles {
  readonly tables: Uint8Array;
  readonly rsdp: Uint8Array;
  readonly loader: Uint8Array;
}

const TABLES = "etc/acpi/tables";
const RSDP = "etc/acpi/rsdp";
/** FACS must lie on such a boundary. */
const TABLES_ALIGN = 64;

/** All tables in one file, and the script that links them. Every table after FACS stands behind the one before it. */
export function acpiFiles(
  oem: Oem,
  t: { facs: Uint8Array; dsdt: Uint8Array; fadt: Uint8Array; others: readonly Uint8Array[] },
): AcpiFiles {
  const loader = new TableLoader().allocate(TABLES, TABLES_ALIGN, "high");
  const parts: Uint8Array[] = [];
  let end = 0;
  const append = (bytes: Uint8Array): number => {
    const at = end;
    parts.push(bytes);
    end += bytes.length;
    return at;
  };
  const facsAt = append(t.facs);
  const dsdtAt = append(t.dsdt);
  const fadtBytes = t.fadt.slice();
  fadtBytes.set(le(4, facsAt), FADT_POINTERS.facs);
  fadtBytes.set(le(4, dsdtAt), FADT_POINTERS.dsdt);
  const fadtAt = append(fadtBytes);
  for (const field of [FADT_POINTERS.facs, FADT_POINTERS.dsdt]) loader.pointer(TABLES, TABLES, fadtAt + field, 4);
  const listed = [fadtAt, ...t.others.map(append)];
  const rsdt = table("RSDT", 1, oem, ...listed.map((at) => le(4, at)));
  const rsdtAt = append(rsdt);
  for (let i = 0; i < listed.length; i++) loader.pointer(TABLES, TABLES, rsdtAt + HEADER_SIZE + 4 * i, 4);
  // What was linked has another sum now.
  for (const [at, bytes] of [
    [fadtAt, fadtBytes],
    [rsdtAt, rsdt],
  ] as const)
    loader.checksum(TABLES, at + CHECKSUM_AT, at, bytes.length);
  const tables = concat(parts);
  for (const at of [fadtAt, rsdtAt]) tables[at + CHECKSUM_AT] = 0;
  loader.allocate(RSDP, 16, "fseg").pointer(RSDP, TABLES, RSDP_POINTER, 4).checksum(RSDP, RSDP_CHECKSUM, 0, RSDP_SIZE);
  return { tables, rsdp: rsdpOf(oem, rsdtAt), loader: loader.bytes };
}

const RSDP_SIZE = 20;
const RSDP_CHECKSUM = 8;
const RSDP_POINTER = 16;

/** The structure that operating systems search for, revision 0. Source: ACPI 1.0b, 5.2.4.1. */
function rsdpOf(oem: Oem, rsdt: number): Uint8Array {
  return concat([ascii("RSD PTR ", 8), Uint8Array.of(0), ascii(oem.id, 6), Uint8Array.of(0), le(4, rsdt)]);
}

/** Whether the bytes of a table add up to 0. */
export function sumIsRight(bytes: Uint8Array): boolean {
  return checksum(bytes) === 0;
}
