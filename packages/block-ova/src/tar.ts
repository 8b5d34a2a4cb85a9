import { decodeUtf8 } from "@mimus/bits";
import { BlockError, type BlockNode } from "@mimus/block";

const RECORD = 512;
/** Members of an archive, at most, and bytes of a long name or of extended records. */
const MOST_MEMBERS = 4096;
const MOST_EXTRA = 1 << 16;

/** A file in the archive. */
export interface TarMember {
  readonly name: string;
  /** Where its bytes begin in the archive. */
  readonly at: number;
  readonly size: number;
}

/** True for the header of a tar archive's member. */
export function isTar(head: Uint8Array): boolean {
  return text(head, 257, 5) === "ustar";
}

/** Name in a member's header, without any extension. */
export function headerName(head: Uint8Array): string {
  const prefix = text(head, 257, 6) === "ustar" && head[262] === 0 ? text(head, 345, 155) : "";
  return (prefix === "" ? "" : `${prefix}/`) + text(head, 0, 100);
}

/** Lists the files of an archive, in order. Source: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's long names. @throws BlockError */
export async function listTar(file: BlockNode): Promise<TarMember[]> {
  const filename = file.filename ?? file.name;
  const members: TarMember[] = [];
  const head = new Uint8Array(RECORD);
  let name: string | undefined;
  let size: number | undefined;
  let records = 0;
  for (let at = 0; at + RECORD <= file.size;) {
    await file.read(at, head);
    if (head.every((b) => b === 0)) break;
    if (++records > MOST_MEMBERS) throw corrupt(filename, at, `has more than ${MOST_MEMBERS} members`);
    if (!sumIsRight(head)) throw corrupt(filename, at, "the header's checksum is wrong");
    const own = numberOf(head, 124, 12, filename, at);
    const type = String.fromCharCode(head[156] ?? 0);
    const start = at + RECORD;
    const extra = type === "x" || type === "L";
    const length = extra || size === undefined ? own : size;
    if (start + length > file.size)
      throw corrupt(filename, at, `a member of ${length} bytes at ${start} must lie in the file of ${file.size}`);
    if (extra) {
      if (own > MOST_EXTRA)
        throw corrupt(filename, at, `extended header of ${own} bytes must be at most ${MOST_EXTRA}`);
      const bytes = new Uint8Array(own);
      await file.read(start, bytes);
      if (type === "L") name = decodeUtf8(bytes).replace(/\0[^]*$/, "");
      else ({ name, size } = { name, size, ...paxOf(bytes, filename, at) });
    } else {
      if (type === "0" || type === "\0" || type === "7")
        members.push({ name: name ?? headerName(head), at: start, size: length });
      [name, size] = [undefined, undefined];
    }
    at = start + Math.ceil(length / RECORD) * RECORD;
  }
  return members;
}

/** `path` and `size` of extended records: "length key=value\n". */
function paxOf(bytes: Uint8Array, filename: string, at: number): { name?: string; size?: number } {
  const out: { name?: string; size?: number } = {};
  for (let here = 0; here < bytes.length;) {
    const [digits] = /^\d{1,6} /.exec(text(bytes, here, 7)) ?? [];
    const length = digits === undefined ? 0 : Number(digits);
    if (digits === undefined || length <= digits.length || here + length > bytes.length)
      throw corrupt(filename, at, "an extended record has no length");
    const [, key, value = ""] =
      /^([^=]*)=([^]*)\n$/.exec(decodeUtf8(bytes.subarray(here + digits.length, here + length))) ?? [];
    if (key === "path") out.name = value;
    if (key === "size" && /^\d{1,15}$/.test(value)) out.size = Number(value);
    here += length;
  }
  return out;
}

/** Octal digits, or 256-based when the top bit is set. */
function numberOf(head: Uint8Array, at: number, length: number, filename: string, base: number): number {
  if ((head[at] ?? 0) & 0x80) {
    let value = (head[at] ?? 0) & 0x7f;
    for (let i = 1; i < length; i++) value = value * 256 + (head[at + i] ?? 0);
    if (value > Number.MAX_SAFE_INTEGER) throw corrupt(filename, base, "size must be at most 2^53 - 1");
    return value;
  }
  const digits = text(head, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw corrupt(filename, base, `size '${digits}' must be an octal number`);
  return digits === "" ? 0 : Number.parseInt(digits, 8);
}

function sumIsRight(head: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < RECORD; i++) sum += i >= 148 && i < 156 ? 0x20 : (head[i] ?? 0);
  return Number.parseInt(text(head, 148, 8).trim(), 8) === sum;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  let out = "";
  for (let i = at; i < at + length && i < bytes.length && bytes[i] !== 0; i++)
    out += String.fromCharCode(bytes[i] ?? 0);
  return out;
}

function corrupt(filename: string, at: number, why: string): BlockError {
  return new BlockError("corrupt", `'${filename}': tar member at ${at}: ${why}`, { at });
}
