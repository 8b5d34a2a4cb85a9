import { DecodeError, Output } from "./output.ts";
import { xxh64Low } from "./xxh64.ts";
import { zstdLayout } from "./zstd-frame.ts";
import { LiteralsReader } from "./zstd-literals.ts";
import { Sequences } from "./zstd-sequences.ts";

// Source: RFC 8878, section 3.1.1 "Zstandard Frames".

/** Bytes that readers of bits may look at behind the last block. */
const BEHIND = 8;

/**
 * One zstd frame; bytes after it are ignored. Nothing is allocated but `size` bytes, a copy of the frame, and what one block
 * needs; a match may go back to the start, however narrow the window. @throws DecodeError
 */
export function zstdDecompress(from: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const { claimed, blockMost, blocks, checksum, end } = zstdLayout(from, size);
  const frame = new Uint8Array(end + BEHIND);
  frame.set(from.subarray(0, end));
  const out = new Output("zstd", size);
  const literals = new LiteralsReader(frame, blockMost);
  const sequences = new Sequences(frame, out);
  let at = blocks;
  for (let last = false; !last;) {
    const header = frame[at]! | (frame[at + 1]! << 8) | (frame[at + 2]! << 16);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    const length = header >> 3;
    at += 3;
    if (type === 2) {
      const [found, behind] = literals.read(at, at + length);
      sequences.run(behind, at + length, found, Math.min(size, out.at + blockMost));
    } else {
      if (length > blockMost)
        throw new DecodeError("zstd", `a block of ${length} bytes, at most ${blockMost} are allowed`);
      if (type === 0) out.literals(frame, at, length);
      else if (out.at + length > size) throw out.tooLong();
      else out.bytes.fill(frame[at]!, out.at, (out.at += length));
    }
    at += type === 1 ? 1 : length;
  }
  const bytes = out.done();
  if (claimed !== undefined && claimed !== size)
    throw new DecodeError("zstd", `the data claim ${claimed} bytes and hold ${size}`);
  if (checksum !== undefined && new DataView(frame.buffer).getUint32(checksum, true) !== xxh64Low(bytes))
    throw new DecodeError("zstd", "the checksum does not match");
  return bytes;
}
