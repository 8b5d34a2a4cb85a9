import { describe, expect, it } from "vitest";
import { DecodeError } from "./output.ts";
import { xxh64Low } from "./xxh64.ts";
import { zstdDecompress } from "./zstd.ts";

const RAW = 0;
const RLE = 1;
const PACKED = 2;

/** A block; `length`: what the header says where that is not the number of bytes. */
function block(type: number, bytes: readonly number[], last = true, length = bytes.length): number[] {
  const header = (last ? 1 : 0) | (type << 1) | (length << 3);
  return [header & 255, (header >> 8) & 255, header >> 16, ...bytes];
}

/** A frame with a window of 128 KiB that says nothing of its size. */
function frame(...blocks: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3, ...blocks.flat()]);
}

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const A = 0x61;
const ABCDE = [5 << 3, A, A + 1, A + 2, A + 3, A + 4];
/** Codes for literal length, offset and match length that are all the same and need no state. */
const same = (length: number, offset: number, match: number): number[] => [0x54, length, offset, match];

describe("zstd blocks", () => {
  it("are raw, one byte repeated, or empty", () => {
    const packed = frame(block(RAW, [A, A + 1], false), block(RLE, [A], false, 3), block(RAW, []));
    expect(text(zstdDecompress(packed, 5))).toBe("abaaa");
    expect(zstdDecompress(frame(block(RAW, [])), 0)).toEqual(new Uint8Array(0));
  });

  it("hold literals alone, raw or one byte repeated", () => {
    expect(text(zstdDecompress(frame(block(PACKED, [...ABCDE, 0])), 5))).toBe("abcde");
    expect(text(zstdDecompress(frame(block(PACKED, [(4 << 3) | 1, A, 0])), 4))).toBe("aaaa");
    // The same lengths in two and in three bytes.
    expect(text(zstdDecompress(frame(block(PACKED, [(4 << 4) | 5, 0, A, 0])), 4))).toBe("aaaa");
    expect(text(zstdDecompress(frame(block(PACKED, [(4 << 4) | 13, 0, 0, A, 0])), 4))).toBe("aaaa");
  });

  it("hold sequences: literals, and what stands further back", () => {
    // Offset code 2 with the bits 10: 4 + 2, which is a distance of 3.
    expect(text(zstdDecompress(frame(block(PACKED, [...ABCDE, 1, ...same(5, 2, 0), 0b110])), 8))).toBe("abcdecde");
    // Two sequences; of the second the literals are those that are left.
    expect(text(zstdDecompress(frame(block(PACKED, [...ABCDE, 2, ...same(2, 2, 0), 0b10101])), 11))).toBe(
      "ababacdcdce",
    );
  });

  it("repeat offsets", () => {
    // Offset 1 is the last one, at the start 1; behind no literals it is the one before, at the start 4.
    expect(text(zstdDecompress(frame(block(PACKED, [...ABCDE, 1, ...same(5, 0, 0), 1])), 8))).toBe("abcdeeee");
    const before = block(PACKED, [...ABCDE, 0], false);
    expect(text(zstdDecompress(frame(before, block(PACKED, [0, 1, ...same(0, 0, 0), 1])), 8))).toBe("abcdebcd");
  });

  it.each([
    ["a match before the start", [...ABCDE, 1, ...same(5, 3, 0), 0b1111], /goes back 12 of 5 bytes/],
    ["a distance of 0", [...ABCDE, 1, ...same(0, 1, 0), 0b11], /goes back 0 of 0 bytes/],
    ["too few literals", [...ABCDE, 1, ...same(6, 0, 0), 1], /more literals than there are/],
    ["a stream of no end", [...ABCDE, 1, ...same(5, 0, 0), 0], /has no end/],
    ["bits that are left", [...ABCDE, 1, ...same(5, 0, 0), 2], /bits follow the last/],
    ["bits that are missing", [...ABCDE, 1, ...same(5, 2, 0), 1], /sequences end early/],
    ["a code that does not exist", [...ABCDE, 1, ...same(36, 0, 0), 1], /literal length code 36/],
    ["a repeated table at first", [...ABCDE, 1, 0xfc, 1], /no table of literal length codes/],
    ["a reserved bit", [...ABCDE, 1, 0x55, 5, 0, 0, 1], /reserved bit/],
    ["bytes behind no sequences", [...ABCDE, 0, 0], /where there are no sequences/],
    ["no sequences at all", ABCDE, /sequences end early/],
    ["literals that end early", [6 << 3, 1, 2], /literals end early/],
    ["a code of a block before at first", [3, 0, 0, 0], /there is none/],
    ["a Huffman code of nothing", [0x12, 0x40, 0, 0, 0], /weight codes is missing/],
    ["more literals than a block has", [13, 0xff, 0xff, A, 0], /literals in a block of at most/],
  ])("are refused for %s", (_what, bytes, message) => {
    expect(() => zstdDecompress(frame(block(PACKED, bytes)), 100)).toThrow(message);
    expect(() => zstdDecompress(frame(block(PACKED, bytes)), 100)).toThrow(DecodeError);
  });

  it("make no more than 128 KiB each, and no more than is wanted", () => {
    // 100 sequences of 65,539 + 65,535 bytes each.
    const bomb = frame(block(PACKED, [(1 << 3) | 1, A, 1, ...same(1, 0, 52), 255, 255, 1]));
    expect(() => zstdDecompress(bomb, 1 << 20)).toThrow(/more than the 131072 bytes/);
    expect(() => zstdDecompress(bomb, 1000)).toThrow(/more than the 1000 bytes/);
  });

  it("hold what the header claims", () => {
    const claims = (size: number): Uint8Array => Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, size, ...block(RAW, [A, A])]); // prettier-ignore
    expect(text(zstdDecompress(claims(2), 2))).toBe("aa");
    expect(() => zstdDecompress(claims(1), 2)).toThrow(/at most 1 are allowed/);
    expect(() => zstdDecompress(claims(3), 2)).toThrow(/claim 3 bytes where 2 are wanted/);
  });

  it("are checked against the sum behind them", () => {
    const summed = (low: number): Uint8Array => {
      const bytes = frame(block(RAW, [A, A + 1, A + 2]), [low & 255, (low >> 8) & 255, (low >> 16) & 255, low >>> 24]);
      bytes[4] = 4;
      return bytes;
    };
    expect(text(zstdDecompress(summed(0xad770999), 3))).toBe("abc");
    expect(() => zstdDecompress(summed(0xad770998), 3)).toThrow(/checksum/);
  });
});

it("XXH64 of texts that others have published", () => {
  const of = (s: string): number => xxh64Low(Uint8Array.from(s, (c) => c.charCodeAt(0)));
  expect([of(""), of("a"), of("abc")]).toEqual([0x51d8e999, 0xa98c6e5b, 0xad770999]);
});
