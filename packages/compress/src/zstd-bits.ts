import { DecodeError } from "./output.ts";

// Source: RFC 8878, section 4.1 "FSE": "bitstream ... to be read in reverse direction".

/** Bits of a stream that is read from its end: those below the marker, the highest bit of the last byte. */
export function streamBits(bytes: Uint8Array, from: number, to: number): number {
  const last = to > from ? bytes[to - 1]! : 0;
  if (last === 0) throw new DecodeError("zstd", "a stream of bits has no end");
  return (to - from - 1) * 8 + 31 - Math.clz32(last);
}

/** Bits `at` to `at + count` - 1 of a stream, at most 25; the view goes on for 4 bytes behind them. */
export function bitsAt(view: DataView, at: number, count: number): number {
  return (view.getInt32(at >> 3, true) >>> (at & 7)) & ((1 << count) - 1);
}
