import { DecodeError } from "./output.ts";

// Source: RFC 8878, sections 3.1.1.1 "Frame Header" and 3.1.1.2 "Blocks".

const MAGIC = 0xfd2fb528;
const FRAME_SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];
/** Most bytes of a block, packed and unpacked. */
const MAX_BLOCK = 128 * 1024;

/** What a frame's header says, and where its parts are: all of them lie inside the data. */
export interface ZstdLayout {
  /** Bytes that come out; undefined when the header does not say. */
  readonly claimed: number | undefined;
  /** Most bytes that one block may become. */
  readonly blockMost: number;
  /** The content has a window of its own, so that byte 5 tells its size. */
  readonly windowed: boolean;
  /** Offset of the first block. */
  readonly blocks: number;
  /** Offset of the content's checksum; undefined when there is none. */
  readonly checksum: number | undefined;
  /** Bytes of the frame. */
  readonly end: number;
}

/** Looks over the first frame, of which `size` bytes are wanted. @throws DecodeError */
export function zstdLayout(from: Uint8Array, size: number): ZstdLayout {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  if (from.length < 6 || view.getUint32(0, true) !== MAGIC) throw new DecodeError("zstd", "no zstd frame");
  const descriptor = from[4]!;
  const single = (descriptor & 0x20) !== 0;
  if (descriptor & 8) throw new DecodeError("zstd", "a reserved bit is set");
  if (descriptor & 3 && dictionary(from, single, descriptor & 3))
    throw new DecodeError("zstd", "a dictionary is wanted");
  const sizeAt = 5 + (single ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3]!;
  const sizeBytes = FRAME_SIZE_BYTES[descriptor >> 6]! || (single ? 1 : 0);
  const claimed = frameSize(view, sizeAt, sizeBytes);
  if (claimed !== undefined && claimed > size)
    throw new DecodeError("zstd", `the data claim ${claimed} bytes where ${size} are wanted`);
  const window = single ? (claimed ?? 0) : windowSize(from[5]!);
  const blocks = sizeAt + sizeBytes;
  const last = endOfBlocks(from, blocks);
  const end = last + (descriptor & 4 ? 4 : 0);
  if (end > from.length) throw new DecodeError("zstd", "the data end early");
  const checksum = descriptor & 4 ? last : undefined;
  return { claimed, blockMost: Math.min(window, MAX_BLOCK), windowed: !single, blocks, checksum, end };
}

/**
 * The first frame alone, made safe for a decoder that allocates what the header claims: the content's size is at most `size`,
 * and a window wider than that is narrowed (no match can use the rest). @throws DecodeError
 */
export function zstdFrame(from: Uint8Array, size: number): Uint8Array {
  const { windowed, end } = zstdLayout(from, size);
  const frame = from.subarray(0, end);
  return windowed ? narrowed(frame, size) : frame;
}

/** Offset behind the last block. */
function endOfBlocks(from: Uint8Array, first: number): number {
  let at = first;
  for (let last = false; !last;) {
    if (at + 3 > from.length) throw new DecodeError("zstd", "the data end early");
    const header = from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const length = header >> 3;
    if (type === 3 || length > MAX_BLOCK) throw new DecodeError("zstd", `block type ${type} of ${length} bytes`);
    at += 3 + (type === 1 ? 1 : length);
  }
  return at;
}

function dictionary(from: Uint8Array, single: boolean, kind: number): boolean {
  const start = single ? 5 : 6;
  return from.subarray(start, start + DICTIONARY_BYTES[kind]!).some((b) => b !== 0);
}

/** Bytes of a window: an exponent and eighths of that power. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

function frameSize(view: DataView, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined;
  if (at + bytes > view.byteLength) throw new DecodeError("zstd", "the data end early");
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

function narrowed(frame: Uint8Array, size: number): Uint8Array {
  let exponent = 0;
  while (2 ** (10 + exponent) < size) exponent++;
  if (frame[5]! >> 3 <= exponent) return frame;
  const copy = new Uint8Array(frame);
  copy[5] = exponent << 3;
  return copy;
}
