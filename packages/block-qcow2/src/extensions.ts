import { decodeUtf8, encodeUtf8 } from "@mimus/bits";
import { BlockError, Fields } from "@mimus/block";
import * as c from "./constants.ts";
import type { Header } from "./header.ts";
import { encodeHeader, HEADER_LENGTH } from "./header.ts";

/** What the header extension of bitmaps says. */
interface BitmapsExtension {
  count: number;
  directoryAt: number;
  directoryBytes: number;
}

/** Everything after the fixed header in the first cluster. */
export interface Extensions {
  backingFormat: string | undefined;
  backingFile: string | undefined;
  dataFile: string | undefined;
  bitmaps: BitmapsExtension | undefined;
  /** Where the LUKS header lies in the image. */
  encryption: { at: number; length: number } | undefined;
  /** Extensions of other programs, kept. */
  unknown: { type: number; data: Uint8Array }[];
}

/** Reads the extensions and the backing file's name out of the first cluster. Source: qcow2 specification, "Header extensions". */
export function parseExtensions(cluster: Uint8Array, h: Header, filename: string): Extensions {
  const f = new Fields(cluster, { filename, littleEndian: false });
  const found: Extensions = {
    backingFormat: undefined,
    backingFile: undefined,
    dataFile: undefined,
    bitmaps: undefined,
    encryption: undefined,
    unknown: [],
  };
  const end = h.backingAt > 0 ? h.backingAt : cluster.length;
  for (let at = h.headerLength; at + 8 <= end;) {
    const type = f.u32(at, "extension type");
    const length = f.bound("extension length", f.u32(at + 4, "extension length"), 0, end - at - 8, at + 4);
    if (type === c.EXT_END) break;
    readExtension(found, type, f, at + 8, length);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  if (h.backingAt > 0 && h.backingLength > 0)
    found.backingFile = decode(f.slice(h.backingAt, h.backingLength, "backing file name"));
  return found;
}

function readExtension(found: Extensions, type: number, f: Fields, at: number, length: number): void {
  const data = f.slice(at, length, "extension");
  if (type === c.EXT_BACKING_FORMAT) found.backingFormat = decode(data.subarray(0, 255));
  else if (type === c.EXT_DATA_FILE) found.dataFile = decode(data.subarray(0, c.MAX_BACKING_NAME));
  else if (type === c.EXT_ENCRYPTION) {
    if (length !== 16) throw f.wrong("encryption header extension length", String(length), "must be 16", at);
    found.encryption = {
      at: f.aligned("encryption header offset", f.u64(at, "encryption header offset"), f.bytes.length, at),
      length: f.bound("encryption header length", f.u64(at + 8, "encryption header length"), 0, 64 << 20, at + 8),
    };
  } else if (type === c.EXT_BITMAPS) {
    if (length !== 24) throw f.wrong("bitmaps extension length", String(length), "must be 24", at);
    const [high, low] = f.halves(at + 8, "bitmap_directory_size");
    const [offsetHigh, offsetLow] = f.halves(at + 16, "bitmap_directory_offset");
    found.bitmaps = {
      count: f.u32(at, "nb_bitmaps"),
      directoryBytes: high * 2 ** 32 + low,
      directoryAt: offsetHigh * 2 ** 32 + offsetLow,
    };
  } else if (type !== c.EXT_FEATURES) found.unknown.push({ type, data: data.slice() });
}

/** Bytes that a disk writes whole or not at all. */
const SECTOR = 512;
/** Where a long backing name may lie: two places, so that a new one never overwrites the old. */
const NAME_PLACES: readonly number[] = [1024, 2048 + SECTOR];

/**
 * The first cluster anew, from its start to the end of what is used; sets the header's length and backing fields. All of it
 * fits into the first sector if that is possible, so that it changes at once; else a backing file's name gets a place where
 * none was before. `fixed`: bytes from the start on that are new; behind them only the name is. `filename`: for messages.
 * @throws BlockError "bad-option" when it does not fit into a cluster
 */
export function encodeFirstCluster(filename: string, h: Header, ext: Extensions): { bytes: Uint8Array; fixed: number } {
  const room = 2 ** h.clusterBits;
  h.headerLength = h.version === 2 ? 72 : HEADER_LENGTH + h.rest.length;
  const name = ext.backingFile === undefined ? new Uint8Array(0) : encode(ext.backingFile);
  const pieces = extensionsOf(h, ext);
  const lengthOf = (list: typeof pieces): number =>
    list.reduce((n, p) => n + 8 + Math.ceil(p.data.length / 8) * 8, h.headerLength + 8);
  // The table of feature names is for people: it gives way.
  if (h.version === 3) {
    const names = { type: c.EXT_FEATURES, data: featureNames() };
    if (lengthOf([...pieces, names]) + name.length <= Math.min(room, SECTOR)) pieces.push(names);
  }
  const fixed = lengthOf(pieces);
  const place =
    fixed + name.length <= SECTOR || fixed > NAME_PLACES[0]!
      ? fixed
      : (NAME_PLACES.find((at) => Math.floor(at / 1024) !== Math.floor(h.backingAt / 1024)) ?? fixed);
  const at = place + name.length <= room ? place : fixed;
  if (at + name.length > room)
    throw new BlockError(
      "bad-option",
      `'${filename}': a header of ${fixed + name.length} bytes does not fit into a cluster of ${room} bytes`,
    );
  const bytes = new Uint8Array(name.length > 0 ? at + name.length : fixed);
  putExtensions(bytes, pieces, h.headerLength);
  h.backingAt = name.length > 0 ? at : 0;
  h.backingLength = name.length;
  bytes.set(name, name.length > 0 ? at : 0);
  encodeHeader(h, bytes);
  return { bytes, fixed };
}

function extensionsOf(h: Header, ext: Extensions): { type: number; data: Uint8Array }[] {
  const pieces: { type: number; data: Uint8Array }[] = [];
  if (ext.backingFormat !== undefined) pieces.push({ type: c.EXT_BACKING_FORMAT, data: encode(ext.backingFormat) });
  if (ext.dataFile !== undefined && h.version === 3) pieces.push({ type: c.EXT_DATA_FILE, data: encode(ext.dataFile) });
  if (ext.encryption) pieces.push({ type: c.EXT_ENCRYPTION, data: pair(ext.encryption.at, ext.encryption.length) });
  if (ext.bitmaps && h.version === 3) pieces.push({ type: c.EXT_BITMAPS, data: bitmapsExtension(ext.bitmaps) });
  return [...pieces, ...ext.unknown];
}

function putExtensions(into: Uint8Array, pieces: readonly { type: number; data: Uint8Array }[], from: number): void {
  const v = new DataView(into.buffer);
  let at = from;
  for (const { type, data } of pieces) {
    v.setUint32(at, type);
    v.setUint32(at + 4, data.length);
    into.set(data, at + 8);
    at += 8 + Math.ceil(data.length / 8) * 8;
  }
}

function featureNames(): Uint8Array {
  const out = new Uint8Array(48 * c.FEATURE_NAMES.length);
  for (const [i, [kind, bit, name]] of c.FEATURE_NAMES.entries()) {
    out[i * 48] = kind;
    out[i * 48 + 1] = bit;
    out.set(encode(name), i * 48 + 2);
  }
  return out;
}

function bitmapsExtension(b: BitmapsExtension): Uint8Array {
  const out = new Uint8Array(24);
  new DataView(out.buffer).setUint32(0, b.count);
  out.set(pair(b.directoryBytes, b.directoryAt), 8);
  return out;
}

function pair(a: number, b: number): Uint8Array {
  const out = new Uint8Array(16);
  const v = new DataView(out.buffer);
  v.setUint32(0, Math.floor(a / 2 ** 32));
  v.setUint32(4, a >>> 0);
  v.setUint32(8, Math.floor(b / 2 ** 32));
  v.setUint32(12, b >>> 0);
  return out;
}

/** Text of a field that may be padded with NUL. */
export function decode(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Bytes of a text. */
export function encode(text: string): Uint8Array {
  return encodeUtf8(text);
}
