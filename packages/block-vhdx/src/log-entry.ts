import { crc32c, seal } from "./crc32c.ts";
import { GUID_BYTES, sameGuid } from "./guid.ts";

/** Bytes in which the log and what it changes are counted. */
export const LOG_SECTOR = 4096;
const HEADER_BYTES = 64;
const DESCRIPTOR_BYTES = 32;
const ENTRY = 0x65676f6c; // "loge"
const ZERO = 0x6f72657a; // "zero"
const DESC = 0x63736564; // "desc"
const DATA = 0x61746164; // "data"

/** What one descriptor of an entry does to the file. `data`: index of its sector among the entry's data sectors. */
export type LogChange =
  | { readonly kind: "zero"; readonly at: number; readonly length: number }
  | { readonly kind: "data"; readonly at: number; readonly bytes: Uint8Array };

/** Header of a log entry. Source: [MS-VHDX] 2.3.1.1, "Entry Header". */
export interface EntryHeader {
  readonly bytes: number;
  /** Offset in the log of the oldest entry that is still needed. */
  readonly tail: number;
  readonly sequence: number;
  readonly descriptors: number;
  readonly flushedBytes: number;
  readonly lastBytes: number;
}

/** The header at the start of a log sector; undefined when no entry of this log begins there. */
export function parseEntryHeader(sector: Uint8Array, logGuid: Uint8Array, logBytes: number): EntryHeader | undefined {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  if (view.getUint32(0, true) !== ENTRY || !sameGuid(sector.subarray(32, 32 + GUID_BYTES), logGuid)) return undefined;
  const header: EntryHeader = {
    bytes: view.getUint32(8, true),
    tail: view.getUint32(12, true),
    sequence: u64(view, 16),
    descriptors: view.getUint32(24, true),
    flushedBytes: u64(view, 48),
    lastBytes: u64(view, 56),
  };
  const { bytes, tail, sequence, descriptors } = header;
  if (bytes % LOG_SECTOR !== 0 || bytes === 0 || bytes > logBytes || tail % LOG_SECTOR !== 0 || tail >= logBytes)
    return undefined;
  if (sequence < 1 || descriptorSectors(descriptors) * LOG_SECTOR > bytes) return undefined;
  if (header.flushedBytes < 0 || header.lastBytes < 0) return undefined;
  return header;
}

/** The changes of a whole entry; undefined when it is torn: a wrong checksum, descriptor or sector. */
export function parseEntry(entry: Uint8Array, header: EntryHeader): LogChange[] | undefined {
  const view = new DataView(entry.buffer, entry.byteOffset, entry.byteLength);
  if (view.getUint32(4, true) !== crc32c(entry, 4)) return undefined;
  const changes: LogChange[] = [];
  let data = descriptorSectors(header.descriptors) * LOG_SECTOR;
  for (let i = 0, at = HEADER_BYTES; i < header.descriptors; i++, at += DESCRIPTOR_BYTES) {
    const kind = view.getUint32(at, true);
    const target = u64(view, at + 16);
    if (u64(view, at + 24) !== header.sequence || target < 0 || target % LOG_SECTOR !== 0) return undefined;
    if (kind === ZERO) {
      const length = u64(view, at + 8);
      if (length < 0 || length % LOG_SECTOR !== 0 || target + length > Number.MAX_SAFE_INTEGER) return undefined;
      changes.push({ kind: "zero", at: target, length });
      continue;
    }
    if (kind !== DESC || data + LOG_SECTOR > entry.length || view.getUint32(data, true) !== DATA) return undefined;
    const sequence = view.getUint32(data + 4, true) * 2 ** 32 + view.getUint32(data + LOG_SECTOR - 4, true);
    if (sequence !== header.sequence) return undefined;
    const bytes = entry.slice(data, data + LOG_SECTOR);
    bytes.set(entry.subarray(at + 8, at + 16)); // leading bytes
    bytes.set(entry.subarray(at + 4, at + 8), LOG_SECTOR - 4); // trailing bytes
    changes.push({ kind: "data", at: target, bytes });
    data += LOG_SECTOR;
  }
  return changes;
}

/** What a new entry says. `sectors`: changes of 4096 bytes each. */
export interface NewEntry {
  readonly logGuid: Uint8Array;
  readonly sequence: number;
  readonly tail: number;
  readonly flushedBytes: number;
  readonly lastBytes: number;
  readonly sectors: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

/** Bytes of an entry that changes so many sectors. */
export function entryBytes(sectors: number): number {
  return (descriptorSectors(sectors) + sectors) * LOG_SECTOR;
}

/** The bytes of an entry. */
export function buildEntry(e: NewEntry): Uint8Array {
  const out = new Uint8Array(entryBytes(e.sectors.length));
  const view = new DataView(out.buffer);
  const [low, high] = [e.sequence >>> 0, Math.floor(e.sequence / 2 ** 32)];
  view.setUint32(0, ENTRY, true);
  view.setUint32(8, out.length, true);
  view.setUint32(12, e.tail, true);
  put64(view, 16, e.sequence);
  view.setUint32(24, e.sectors.length, true);
  out.set(e.logGuid, 32);
  put64(view, 48, e.flushedBytes);
  put64(view, 56, e.lastBytes);
  let data = descriptorSectors(e.sectors.length) * LOG_SECTOR;
  for (const [i, { at, bytes }] of e.sectors.entries()) {
    const d = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    view.setUint32(d, DESC, true);
    out.set(bytes.subarray(LOG_SECTOR - 4), d + 4);
    out.set(bytes.subarray(0, 8), d + 8);
    put64(view, d + 16, at);
    put64(view, d + 24, e.sequence);
    out.set(bytes, data);
    view.setUint32(data, DATA, true);
    view.setUint32(data + 4, high, true);
    view.setUint32(data + LOG_SECTOR - 4, low, true);
    data += LOG_SECTOR;
  }
  return seal(out);
}

function descriptorSectors(count: number): number {
  return Math.ceil((HEADER_BYTES + count * DESCRIPTOR_BYTES) / LOG_SECTOR);
}

/** -1 above 2^53 - 1: no such offset or number can be right. */
function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high >= 1 << 21 ? -1 : high * 2 ** 32 + view.getUint32(at, true);
}

function put64(view: DataView, at: number, n: number): void {
  view.setUint32(at, n >>> 0, true);
  view.setUint32(at + 4, Math.floor(n / 2 ** 32), true);
}
