import type { BlockNode } from "@mimus/block";
import { BlockError, Fields } from "@mimus/block";

// Source: "Demystifying the DMG File Format" (J. Levin, 2013), the koly block; measured on images of hdiutil.

/** Bytes of the trailer. */
export const TRAILER = 512;
const KOLY = 0x6b6f6c79;
/** Longest property list or resource fork: more would take too long to read. */
const MAX_MAP = 16 << 20;

/** Where the parts of a UDIF image lie; bytes. */
export interface Trailer {
  readonly dataAt: number;
  readonly resources: { readonly at: number; readonly length: number } | undefined;
  readonly plist: { readonly at: number; readonly length: number } | undefined;
}

/** The trailer at a file's end. The end is known to the sector only, so it is searched for in the last two. */
export async function readTrailer(file: BlockNode, filename: string): Promise<Trailer> {
  const start = Math.max(0, file.size - 2 * TRAILER);
  const tail = new Uint8Array(file.size - start);
  await file.read(start, tail);
  const at = lastKoly(tail);
  if (at < 0) throw new BlockError("not-this-format", `'${filename}': no koly block at the end`);
  const base = start + at;
  const f = new Fields(tail.subarray(at, at + TRAILER), { filename, littleEndian: false, base });
  const version = f.u32(4, "koly version");
  if (version !== 4)
    throw new BlockError("unsupported-feature", `'${filename}': koly version ${version} must be 4`, { at: base + 4 });
  const segments = f.u32(60, "segment count");
  if (segments > 1)
    throw new BlockError("unsupported-feature", `'${filename}': segment count ${segments} must be 1`, {
      at: base + 60,
    });
  const part = (name: string, offset: number): { at: number; length: number } | undefined => {
    const begin = f.u64(offset, `${name} offset`);
    const length = f.u64(offset + 8, `${name} length`);
    if (length === 0) return undefined;
    f.bound(`${name} length`, length, 1, MAX_MAP, offset + 8);
    f.bound(`${name} offset`, begin, 0, Math.max(0, base - length), offset);
    return { at: begin, length };
  };
  return {
    dataAt: f.bound("data fork offset", f.u64(24, "data fork offset"), 0, base, 24),
    resources: part("resource fork", 40),
    plist: part("property list", 216),
  };
}

/** True when a trailer is there, for the probe of the first bytes: they may be the whole file. */
export function lastKoly(tail: Uint8Array): number {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tail.length - TRAILER; at >= 0; at--)
    if (tail[at] === 0x6b && view.getUint32(at) === KOLY && view.getUint32(at + 8) === TRAILER) return at;
  return -1;
}
