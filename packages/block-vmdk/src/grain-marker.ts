import { BlockError, type BlockNode, type Codecs, Fields } from "@mimus/block";
import { SECTOR } from "./sparse-header.ts";

/** Bytes before the data of a compressed grain: its first sector on the disk (64 bits) and the data's length (32 bits). */
const MARKER_BYTES = 12;

/** What is known of a grain that is to be unpacked. */
export interface PackedGrain {
  readonly filename: string;
  readonly grain: number;
  /** Bytes of a grain, and of this one inside the disk. */
  readonly bytes: number;
  readonly used: number;
  readonly markers: boolean;
  readonly codecs: Codecs;
}

/** Reads and unpacks a grain. Source: VMware, "Virtual Disk Format 5.0", "Compressed Grains". @throws BlockError */
export async function unpackGrain(file: BlockNode, at: number, g: PackedGrain): Promise<Uint8Array> {
  // Deflate makes hopeless data longer by few bytes.
  const most = g.bytes + (g.bytes >> 8) + 1024;
  let start = at;
  let length = Math.min(most, file.size - at);
  if (length < MARKER_BYTES) throw damaged(g, at, `lies at ${at}, and the file ends at ${file.size}`);
  const first = new Uint8Array(Math.min(length + MARKER_BYTES, file.size - at));
  await file.read(at, first);
  if (g.markers) {
    const f = new Fields(first, { filename: g.filename, littleEndian: true, base: at });
    length = f.u32(8, "size of a grain");
    start = at + MARKER_BYTES;
    if (length > most || start + length > file.size)
      throw damaged(g, at, `has ${length} bytes of data, which must be at most ${Math.min(most, file.size - start)}`);
  }
  const data = first.subarray(start - at, start - at + length);
  const out = new Uint8Array(g.bytes);
  try {
    out.set(await inflateEither(data, g));
  } catch (e) {
    throw new BlockError("corrupt", `'${g.filename}': the data of grain ${g.grain} at ${at} cannot be unpacked`, {
      at,
      cause: e,
    });
  }
  return out;
}

/** The last grain may be stored whole or as far as the disk reaches. */
async function inflateEither(data: Uint8Array, g: PackedGrain): Promise<Uint8Array> {
  if (g.used === g.bytes) return g.codecs.inflate(data, g.bytes);
  try {
    return await g.codecs.inflate(data, g.bytes);
  } catch {
    return g.codecs.inflate(data, g.used);
  }
}

function damaged(g: PackedGrain, at: number, why: string): BlockError {
  return new BlockError("corrupt", `'${g.filename}': grain ${g.grain} ${why}`, { at });
}

/** A grain as it is stored: marker, data, and zeroes up to a whole sector. */
export function packGrain(sector: number, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil((MARKER_BYTES + data.length) / SECTOR) * SECTOR);
  const view = new DataView(out.buffer);
  view.setUint32(0, sector >>> 0, true);
  view.setUint32(4, Math.floor(sector / 2 ** 32), true);
  view.setUint32(8, data.length, true);
  out.set(data, MARKER_BYTES);
  return out;
}
