import { DecodeError, Output } from "./output.ts";

// Source: the opcode table of Apple's LZVN, as LZFSE's public description has it (github.com/lzfse/lzfse, BSD; not its code).

/** Decodes LZVN up to its end-of-stream code into `out`; returns the bytes of `from` used. @throws DecodeError */
export function lzvnDecode(from: Uint8Array, start: number, end: number, out: Output): number {
  let at = start;
  let distance = 0;
  const byte = (i: number): number => {
    if (i >= end) throw new DecodeError("lzvn", "the data end early");
    return from[i]!;
  };
  for (;;) {
    const code = byte(at);
    const kind = code >> 4;
    let literals = 0;
    let length = 0;
    let size = 1;
    if (kind === 15) {
      length = code & 15 || byte(at + 1) + 16; // match with the last distance
      size = code & 15 ? 1 : 2;
    } else if (kind === 14) {
      literals = code & 15 || byte(at + 1) + 16;
      size = code & 15 ? 1 : 2;
    } else if (kind === 10 || kind === 11) {
      const pair = byte(at + 1) | (byte(at + 2) << 8); // medium distance, 14 bits
      literals = (code >> 3) & 3;
      length = (((code & 7) << 2) | (pair & 3)) + 3;
      distance = pair >> 2;
      size = 3;
    } else if (kind === 7 || kind === 13) throw new DecodeError("lzvn", `code 0x${code.toString(16)}`);
    else {
      literals = code >> 6;
      length = ((code >> 3) & 7) + 3;
      if ((code & 7) === 7) {
        distance = byte(at + 1) | (byte(at + 2) << 8);
        size = 3;
      } else if ((code & 7) === 6) {
        if (literals === 0) {
          if (code === 0x06) return at + 8 - start; // the end has seven bytes of padding
          if (code !== 0x0e && code !== 0x16) throw new DecodeError("lzvn", `code 0x${code.toString(16)}`);
          at++; // does nothing
          continue;
        }
      } else {
        distance = ((code & 7) << 8) | byte(at + 1);
        size = 2;
      }
    }
    at += size;
    if (literals > 0) {
      if (at + literals > end) throw new DecodeError("lzvn", "the data end early");
      out.literals(from, at, literals);
      at += literals;
    }
    if (length > 0) out.match(distance, length);
  }
}
