import { BlockError, Fields } from "@mimus/block";
import { geometryFor, MAX_GEOMETRY_SECTORS, MAX_SECTORS, sectorsOf } from "./geometry.ts";
import type { Geometry } from "./geometry.ts";

/** Bytes of the footer, at the end of the file; growing disks have a copy at the start. */
export const FOOTER_BYTES = 512;
const COOKIE = "conectix";
const CHECKSUM_AT = 64;
/** Seconds from 1970 to 2000, where the format's time begins. */
const EPOCH_2000 = 946_684_800;

export const FIXED = 2;
export const DYNAMIC = 3;
export const DIFFERENCING = 4;

/** The footer of a VHD. Source: Virtual Hard Disk Image Format Specification 1.0, "Hard Disk Footer Format". */
export interface Footer {
  /** Offset of the dynamic disk header; undefined for fixed disks. */
  readonly headerAt: number | undefined;
  readonly creator: string;
  readonly currentBytes: number;
  readonly geometry: Geometry;
  /** {@link FIXED}, {@link DYNAMIC} or {@link DIFFERENCING}. */
  readonly type: number;
  readonly checksumGood: boolean;
  readonly uuid: Uint8Array;
  /** Seconds since 1 January 2000. */
  readonly timestamp: number;
  /** The footer as it is in the file. */
  readonly bytes: Uint8Array;
}

/** True when the bytes begin as a footer does. */
export function isFooter(bytes: Uint8Array): boolean {
  for (let i = 0; i < COOKIE.length; i++) if (bytes[i] !== COOKIE.charCodeAt(i)) return false;
  return true;
}

/** The one's complement of the sum of all bytes, the checksum's own four left out. */
export function checksum(bytes: Uint8Array, checksumAt: number): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) if (i < checksumAt || i >= checksumAt + 4) sum += bytes[i] ?? 0;
  return ~sum >>> 0;
}

/** Reads a footer whose cookie is right. @throws BlockError "corrupt" or "unsupported-feature" */
export function parseFooter(bytes: Uint8Array, filename: string, base: number): Footer {
  const f = new Fields(bytes, { filename, littleEndian: false, base });
  const version = f.u32(12, "file format version");
  if (version >>> 16 !== 1)
    throw new BlockError("unsupported-feature", `'${filename}': file format version ${version >>> 16} must be 1`, {
      at: base + 12,
    });
  const type = f.bound("disk type", f.u32(60, "disk type"), FIXED, DIFFERENCING, 60);
  return {
    headerAt: type === FIXED ? undefined : f.u64(16, "data offset"),
    creator: f.text(28, 4, "creator application"),
    currentBytes: f.u64(48, "current size"),
    geometry: {
      cylinders: f.u16(56, "cylinders"),
      heads: f.u8(58, "heads"),
      sectorsPerTrack: f.u8(59, "sectors per track"),
    },
    type,
    checksumGood: f.u32(CHECKSUM_AT, "checksum") === checksum(bytes, CHECKSUM_AT),
    uuid: f.slice(68, 16, "unique id").slice(),
    timestamp: f.u32(24, "time stamp"),
    bytes,
  };
}

/** Which of the two sizes of a footer counts: "current_size" or "chs"; undefined = as the creator means it. */
export type SizeRule = "current_size" | "chs" | undefined;

/** Creators whose disks are as large as the field says. The others (Virtual PC) mean cylinders × heads × sectors. */
const CURRENT_SIZE_CREATORS: readonly string[] = ["win ", "qem2", "d2v ", "tap", "CTXS"];

/** Bytes of the disk. @throws BlockError "corrupt" above 2040 GiB */
export function diskBytes(footer: Footer, rule: SizeRule, filename: string): number {
  const chs = sectorsOf(footer.geometry);
  const byChs = rule === undefined ? !CURRENT_SIZE_CREATORS.includes(footer.creator) : rule === "chs";
  const sectors = byChs && chs !== MAX_GEOMETRY_SECTORS ? chs : Math.floor(footer.currentBytes / 512);
  if (sectors > MAX_SECTORS)
    throw new BlockError("corrupt", `'${filename}': current size ${footer.currentBytes} must be at most 2040 GiB`, {
      at: 48,
    });
  return sectors * 512;
}

/** What a new footer says. */
export interface NewFooter {
  readonly headerAt: number | undefined;
  readonly bytes: number;
  readonly geometry: Geometry;
  /** Four characters. */
  readonly creator: string;
  readonly type: number;
  readonly uuid: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The bytes of a new footer. */
export function buildFooter(given: NewFooter): Uint8Array {
  const out = new Uint8Array(FOOTER_BYTES);
  const view = new DataView(out.buffer);
  text(out, 0, COOKIE);
  view.setUint32(8, 2); // reserved: always set
  view.setUint32(12, 0x10000);
  if (given.headerAt === undefined) out.fill(0xff, 16, 24);
  else view.setBigUint64(16, BigInt(given.headerAt));
  view.setUint32(24, secondsSince2000(given.now));
  text(out, 28, given.creator);
  view.setUint32(32, 0x50003);
  text(out, 36, "Wi2k");
  view.setBigUint64(40, BigInt(given.bytes));
  view.setBigUint64(48, BigInt(given.bytes));
  view.setUint16(56, given.geometry.cylinders);
  view.setUint8(58, given.geometry.heads);
  view.setUint8(59, given.geometry.sectorsPerTrack);
  view.setUint32(60, given.type);
  out.set(given.uuid, 68);
  view.setUint32(CHECKSUM_AT, checksum(out, CHECKSUM_AT));
  return out;
}

/** The format's time. */
function secondsSince2000(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000) - EPOCH_2000) >>> 0;
}

/** The geometry of a footer whose size is exact: the largest, so that readers look at the size. */
export const EXACT_SIZE_GEOMETRY: Geometry = geometryFor(MAX_GEOMETRY_SECTORS);

function text(out: Uint8Array, at: number, value: string): void {
  for (let i = 0; i < value.length; i++) out[at + i] = value.charCodeAt(i);
}
