import { isPowerOfTwo } from "@mimus/bits";
import { BlockError, Fields } from "@mimus/block";
import { checksum } from "./footer.ts";

/** Bytes of the dynamic disk header. */
export const HEADER_BYTES = 1024;
const COOKIE = "cxsparse";
const CHECKSUM_AT = 36;
const PARENT_NAME_AT = 64;
const LOCATORS_AT = 576;
/** Entries of the block map take at most this many bytes. */
const MAX_TABLE_BYTES = 2 ** 31;
/** A block entry that says "not there". */
export const UNUSED = 0xffffffff;

/** Where one platform's name of the parent is kept. */
export interface ParentLocator {
  /** "W2ru", "W2ku", "MacX", ... */
  readonly platform: string;
  readonly at: number;
  readonly length: number;
}

/** Source: Virtual Hard Disk Image Format Specification 1.0, "Dynamic Disk Header Format". */
export interface Header {
  readonly tableAt: number;
  readonly entries: number;
  readonly blockBytes: number;
  readonly checksumGood: boolean;
  readonly parentUuid: Uint8Array;
  /** The parent's own file name. */
  readonly parentName: string;
  readonly locators: readonly ParentLocator[];
}

/** Reads the header of a growing disk. @throws BlockError "corrupt" */
export function parseHeader(bytes: Uint8Array, filename: string, base: number, fileBytes: number): Header {
  const f = new Fields(bytes, { filename, littleEndian: false, base });
  if (f.text(0, 8, "header cookie") !== COOKIE)
    throw new BlockError("corrupt", `'${filename}': header cookie must be '${COOKIE}'`, { at: base });
  const tableAt = f.u64(16, "table offset");
  const entries = f.u32(28, "max table entries");
  const blockBytes = f.u32(32, "block size");
  if (!isPowerOfTwo(blockBytes) || blockBytes < 512)
    throw f.wrong("block size", String(blockBytes), "must be a power of two from 512", 32);
  f.bound("max table entries", entries, 0, MAX_TABLE_BYTES / 4, 28);
  f.aligned("table offset", tableAt, 512, 16);
  if (tableAt + entries * 4 > fileBytes)
    throw f.wrong("table offset", String(tableAt), `and ${entries} entries end beyond the file (${fileBytes})`, 16);
  const locators: ParentLocator[] = [];
  for (let at = LOCATORS_AT; at < LOCATORS_AT + 8 * 24; at += 24) {
    const platform = f.text(at, 4, "platform code");
    if (platform !== "")
      locators.push({ platform, length: f.u32(at + 8, "locator length"), at: f.u64(at + 16, "locator offset") });
  }
  return {
    tableAt,
    entries,
    blockBytes,
    checksumGood: f.u32(CHECKSUM_AT, "header checksum") === checksum(bytes, CHECKSUM_AT),
    parentUuid: f.slice(40, 16, "parent unique id").slice(),
    parentName: utf16(f.slice(PARENT_NAME_AT, 512, "parent name"), false),
    locators,
  };
}

/** What a new header says. */
export interface NewHeader {
  readonly tableAt: number;
  readonly entries: number;
  readonly blockBytes: number;
  readonly parent?: {
    readonly uuid: Uint8Array;
    /** Seconds since 2000, of the parent's change. */
    readonly timestamp: number;
    readonly name: string;
    /** Space in the file is a whole number of sectors. */
    readonly locators: readonly ParentLocator[];
  };
}

/** The bytes of a new header. */
export function buildHeader({ tableAt, entries, blockBytes, parent }: NewHeader): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES);
  const view = new DataView(out.buffer);
  for (let i = 0; i < COOKIE.length; i++) out[i] = COOKIE.charCodeAt(i);
  out.fill(0xff, 8, 16);
  view.setBigUint64(16, BigInt(tableAt));
  view.setUint32(24, 0x10000);
  view.setUint32(28, entries);
  view.setUint32(32, blockBytes);
  if (parent) {
    out.set(parent.uuid, 40);
    view.setUint32(56, parent.timestamp);
    out.set(toUtf16(parent.name.slice(-255), false), PARENT_NAME_AT);
    for (const [i, l] of parent.locators.entries()) {
      const at = LOCATORS_AT + i * 24;
      for (let k = 0; k < 4; k++) out[at + k] = l.platform.charCodeAt(k);
      // The specification counts the space in bytes; Virtual PC in sectors. Readers go by the length.
      view.setUint32(at + 4, Math.ceil(l.length / 512) * 512);
      view.setUint32(at + 8, l.length);
      view.setBigUint64(at + 16, BigInt(l.at));
    }
  }
  view.setUint32(CHECKSUM_AT, checksum(out, CHECKSUM_AT));
  return out;
}

/** Text of UTF-16 bytes up to the first NUL. */
export function utf16(bytes: Uint8Array, littleEndian: boolean): string {
  let out = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const [a = 0, b = 0] = [bytes[i], bytes[i + 1]];
    const c = littleEndian ? a | (b << 8) : (a << 8) | b;
    if (c === 0) break;
    out += String.fromCharCode(c);
  }
  return out;
}

/** UTF-16 bytes of a text. */
export function toUtf16(text: string, littleEndian: boolean): Uint8Array {
  const out = new Uint8Array(text.length * 2);
  const view = new DataView(out.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), littleEndian);
  return out;
}
