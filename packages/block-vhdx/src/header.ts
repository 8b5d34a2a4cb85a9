import type { BlockNode, FormatHost } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";
import { isSealed, seal } from "./crc32c.ts";
import { GUID_BYTES, NO_GUID } from "./guid.ts";

export const MIB: number = 1 << 20;
/** Bytes of a header's structure. */
const HEADER_BYTES = 4096;
/** The two headers, of which the one with the greater sequence number counts. */
const HEADER_AT: readonly number[] = [64 << 10, 128 << 10];
const SIGNATURE = 0x64616568; // "head"

/** Source: [MS-VHDX] 2.2.2, "Headers". */
export interface Header {
  /** Which of the two. */
  readonly index: number;
  readonly sequence: number;
  readonly fileWriteGuid: Uint8Array;
  readonly dataWriteGuid: Uint8Array;
  /** All zero when there is nothing to replay. */
  readonly logGuid: Uint8Array;
  readonly logBytes: number;
  readonly logAt: number;
}

/** The header that counts. @throws BlockError "corrupt" when none does */
export async function readHeader(file: BlockNode, filename: string): Promise<Header> {
  let best: Header | undefined;
  for (const [index, at] of HEADER_AT.entries()) {
    if (at + HEADER_BYTES > file.size) continue;
    const bytes = new Uint8Array(HEADER_BYTES);
    await file.read(at, bytes);
    const header = parse(bytes, index, filename, at);
    if (header && (!best || header.sequence > best.sequence)) best = header;
  }
  if (!best)
    throw new BlockError("corrupt", `'${filename}': neither of the two headers is valid`, { at: HEADER_AT[0] ?? 0 });
  const { logAt, logBytes } = best;
  const f = new Fields(new Uint8Array(0), { filename, littleEndian: true, base: HEADER_AT[best.index] ?? 0 });
  f.aligned("log length", logBytes, MIB, 68);
  f.aligned("log offset", logAt, MIB, 72);
  f.bound("log offset", logAt, MIB, Math.max(MIB, file.size - logBytes), 72);
  return best;
}

function parse(bytes: Uint8Array, index: number, filename: string, base: number): Header | undefined {
  const f = new Fields(bytes, { filename, littleEndian: true, base });
  if (f.u32(0, "signature") !== SIGNATURE || !isSealed(bytes) || f.u16(66, "version") !== 1) return undefined;
  if (f.u16(64, "log version") !== 0) return undefined;
  const [high] = f.halves(8, "sequence number");
  if (high >= 1 << 21) return undefined;
  return {
    index,
    sequence: f.u64(8, "sequence number"),
    fileWriteGuid: f.slice(16, GUID_BYTES, "file write GUID").slice(),
    dataWriteGuid: f.slice(32, GUID_BYTES, "data write GUID").slice(),
    logGuid: f.slice(48, GUID_BYTES, "log GUID").slice(),
    logBytes: f.u32(68, "log length"),
    logAt: f.u64(72, "log offset"),
  };
}

/** Writes the header that does not count now, with the next number: then it counts. It is stable afterwards. */
export async function writeHeader(
  file: BlockNode,
  now: Header,
  change: Partial<Omit<Header, "index" | "sequence">>,
): Promise<Header> {
  const next: Header = { ...now, ...change, index: 1 - now.index, sequence: now.sequence + 1 };
  await file.write(HEADER_AT[next.index] ?? 0, build(next));
  await file.flush();
  return next;
}

/** Both headers of a new image. */
export async function writeNewHeaders(
  file: BlockNode,
  logAt: number,
  logBytes: number,
  host: FormatHost,
): Promise<void> {
  const header: Header = {
    index: 0,
    sequence: 1,
    fileWriteGuid: newGuid(host),
    dataWriteGuid: newGuid(host),
    logGuid: NO_GUID,
    logAt,
    logBytes,
  };
  await file.write(HEADER_AT[0] ?? 0, build(header));
  await file.write(HEADER_AT[1] ?? 0, build({ ...header, sequence: 2 }));
}

/** A random GUID, version 4. */
export function newGuid(host: FormatHost): Uint8Array {
  const out = new Uint8Array(GUID_BYTES);
  host.random(out);
  out[7] = ((out[7] ?? 0) & 0x0f) | 0x40;
  out[8] = ((out[8] ?? 0) & 0x3f) | 0x80;
  return out;
}

function build(h: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SIGNATURE, true);
  view.setBigUint64(8, BigInt(h.sequence), true);
  bytes.set(h.fileWriteGuid, 16);
  bytes.set(h.dataWriteGuid, 32);
  bytes.set(h.logGuid, 48);
  view.setUint16(66, 1, true);
  view.setUint32(68, h.logBytes, true);
  view.setBigUint64(72, BigInt(h.logAt), true);
  return seal(bytes);
}
