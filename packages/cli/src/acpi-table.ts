/** `-acpitable`: a table for the guest besides the board's. */
import { type KeyValues, keyValues } from "./args/keyval.ts";
import { onlyParameters, wholeNumber } from "./args/values.ts";
import { UsageError } from "./errors.ts";
import { readOptionFile } from "./option-file.ts";

/** Bytes of a table's header. Source: ACPI 6.4, table 5.4: signature, length, revision, checksum, OEM, creator. */
const HEADER = 36;
/** Fields that are text: where, and how long. */
const TEXTS: Readonly<Record<string, readonly [at: number, size: number]>> = {
  sig: [0, 4],
  oem_id: [10, 6],
  oem_table_id: [16, 8],
  asl_compiler_id: [28, 4],
};
const FIELDS = [...Object.keys(TEXTS), "rev", "oem_rev", "asl_compiler_rev"];

/** A table from a file with its header, or from data with a header of the given fields in front. @throws UsageError */
export function acpiTable(text: string): Uint8Array {
  const options = keyValues("acpitable", text);
  const { file, data, ...fields } = options;
  onlyParameters("acpitable", options, ["file", "data", ...FIELDS]);
  if ((file === undefined) === (data === undefined))
    throw new UsageError(`-acpitable ${text}: needs either file=FILE (with header) or data=FILE (without)`);
  if (data !== undefined && typeof fields["sig"] !== "string")
    throw new UsageError(`-acpitable ${text}: data= needs sig=XXXX`);
  const parts = String(file ?? data)
    .split(":")
    .map((path) => readOptionFile("acpitable", path));
  const table = Buffer.concat(file === undefined ? [standardHeader(), ...parts] : parts);
  if (table.length < HEADER)
    throw new UsageError(`-acpitable ${text}: a table has at least the ${HEADER} bytes of its header`);
  setFields(table, fields);
  table.writeUInt32LE(table.length, 4);
  table[9] = 0;
  table[9] = -table.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return new Uint8Array(table);
}

/** What QEMU puts where nothing is said. */
function standardHeader(): Buffer {
  const header = Buffer.alloc(HEADER);
  header[8] = 1;
  header.set(padded("QEMU", 6), 10);
  header.set(padded("QEMUQEMU", 8), 16);
  header.writeUInt32LE(1, 24);
  header.set(padded("QEMU", 4), 28);
  header.writeUInt32LE(1, 32);
  return header;
}

function setFields(table: Buffer, fields: KeyValues): void {
  for (const [key, [at, size]] of Object.entries(TEXTS))
    if (fields[key] !== undefined) table.set(padded(String(fields[key]), size), at);
  const revision = (key: string, most: number): number | undefined => {
    const n = wholeNumber(`acpitable ${key}=`, fields[key]);
    if (n !== undefined && n > most) throw new UsageError(`-acpitable ${key}=${n}: expected a number of 0 to ${most}`);
    return n;
  };
  table[8] = revision("rev", 0xff) ?? table[8]!;
  table.writeUInt32LE(revision("oem_rev", 0xffffffff) ?? table.readUInt32LE(24), 24);
  table.writeUInt32LE(revision("asl_compiler_rev", 0xffffffff) ?? table.readUInt32LE(32), 32);
}

const padded = (text: string, size: number): Buffer => Buffer.from(text.padEnd(size, "\0").slice(0, size), "latin1");
