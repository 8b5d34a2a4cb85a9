import { Decompress } from "fzstd";
import { DecodeError, Output } from "./output.ts";
import { zstdFrame } from "./zstd-frame.ts";

/** One zstd frame, block by block, so that a bomb ends at `size`. Bytes after the frame are ignored. @throws DecodeError */
export function zstdDecompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const frame = zstdFrame(from, size);
  const out = new Output("zstd", size);
  const stream = new Decompress((block) => out.literals(block, 0, block.length));
  try {
    stream.push(frame, true);
  } catch (e) {
    if (e instanceof DecodeError) throw e;
    throw new DecodeError("zstd", e instanceof Error ? e.message : String(e));
  }
  return out.done();
}
