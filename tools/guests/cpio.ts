/** One member of an archive. */
export interface CpioEntry {
  readonly name: string;
  /** File type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Device numbers of a character or block special file. */
  readonly device?: readonly [major: number, minor: number];
}

export const DIRECTORY = 0o040755;
export const EXECUTABLE = 0o100755;
export const REGULAR = 0o100644;
export const CHARACTER = 0o020600;

/**
 * A cpio archive in the "new ASCII" format that Linux unpacks as its initramfs; the same entries give the same bytes.
 * Source: Linux documentation, "initramfs buffer format".
 */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const entry of [...entries, { name: "TRAILER!!!", mode: 0 }]) {
    const name = Buffer.from(`${entry.name}\0`);
    const data = Buffer.from(entry.data ?? []);
    const [major, minor] = entry.device ?? [0, 0];
    const fields = [inode++, entry.mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), name]), 4), padded(data, 4));
  }
  return padded(Buffer.concat(parts), 512);
}

function padded(data: Buffer, unit: number): Buffer {
  return Buffer.concat([data, Buffer.alloc((unit - (data.length % unit)) % unit)]);
}
