import { describe, expect, it } from "vitest";
import { adcDecompress } from "./adc.ts";
import { bzip2Decompress } from "./bzip2.ts";
import { inflateRaw, inflateZlib } from "./inflate.ts";
import { lzfseDecompress } from "./lzfse.ts";
import { DecodeError } from "./output.ts";
import { portable } from "./portable.ts";
import { pattern, VECTORS } from "./vectors.ts";
import { xzDecompress } from "./xz.ts";
import { zstdDecompress } from "./zstd.ts";

type Decoder = (from: Uint8Array, size: number) => Uint8Array;

function fromBase64(text: string): Uint8Array {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const out: number[] = [];
  let bits = 0;
  let have = 0;
  for (const c of text.replaceAll("=", "")) {
    bits = ((bits << 6) | digits.indexOf(c)) & 0xffff;
    have += 6;
    if (have >= 8) out.push((bits >> (have -= 8)) & 255);
  }
  return Uint8Array.from(out);
}

const CASES: readonly (readonly [string, Uint8Array, number, Decoder])[] = [
  ["deflate", fromBase64(VECTORS.deflate), 6000, inflateRaw],
  ["zlib", fromBase64(VECTORS.zlib), 6000, inflateZlib],
  ["zstd", fromBase64(VECTORS.zstd), 6000, zstdDecompress],
  ["bzip2", fromBase64(VECTORS.bzip2), 6000, bzip2Decompress],
  ["xz", fromBase64(VECTORS.xz), 6000, xzDecompress],
  ["xz with CRC32", fromBase64(VECTORS.xzCrc32), 6000, xzDecompress],
  ["lzfse", fromBase64(VECTORS.lzfse), 6000, lzfseDecompress],
  ["lzvn", fromBase64(VECTORS.lzvn), 900, lzfseDecompress],
];

describe.each(CASES)("%s", (name, packed, size, decode) => {
  it("decodes what its own tool makes", () => {
    expect(decode(packed, size)).toEqual(pattern(size));
  });

  it("ignores what follows the stream", () => {
    const longer = new Uint8Array(packed.length + 600).fill(0xaa);
    longer.set(packed);
    expect(decode(longer, size)).toEqual(pattern(size));
  });

  it("refuses a size that is not the data's", () => {
    for (const wrong of [0, 1, size - 1, size + 1]) expect(() => decode(packed, wrong)).toThrow(DecodeError);
  });

  it("refuses data that end early", () => {
    // The index and footer of xz, and what follows the last block elsewhere, are not needed for the bytes.
    const needed = name.startsWith("xz") ? packed.length - 40 : packed.length - 12;
    for (let end = 0; end < needed; end += 1 + (end >> 5))
      expect(() => decode(packed.subarray(0, end), size), `${end}`).toThrow(DecodeError);
  });

  it("never fails in another way on damaged data", () => {
    for (let i = 0; i < 400; i++) {
      const bad = new Uint8Array(packed);
      bad[(i < 100 ? i : i * 37) % packed.length]! ^= 1 + ((i * 41) % 255);
      try {
        expect(decode(bad, size)).toHaveLength(size);
      } catch (e) {
        expect(e).toBeInstanceOf(DecodeError);
      }
    }
  });
});

describe("adc", () => {
  it("decodes literals, short and long matches", () => {
    const packed = [0x82, 1, 2, 3, 0x04, 2, 0x42, 0, 0];
    expect([...adcDecompress(Uint8Array.from(packed), 13)]).toEqual([1, 2, 3, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("refuses matches before the start, early ends and too much", () => {
    for (const [packed, size] of [
      [[0x00, 0], 3],
      [[0x82, 1], 3],
      [[0x81, 1, 2], 3],
      [[0x83, 1, 2, 3, 4], 3],
      [[0x40], 3],
    ] as const)
      expect(() => adcDecompress(Uint8Array.from(packed), size)).toThrow(DecodeError);
  });
});

describe("portable codecs", () => {
  it("give back what they take", async () => {
    for (const length of [0, 1, 65536]) {
      const bytes = pattern(length);
      expect(await portable.inflateRaw(await portable.deflateRaw(bytes, 6, 12), length)).toEqual(bytes);
      expect(await portable.inflate(await portable.deflate(bytes, 1), length)).toEqual(bytes);
    }
  });

  it("keep matches inside the window that is asked for", async () => {
    // Random bytes, and the same again further back than the window: nothing to find.
    let seed = 1;
    const noise = Uint8Array.from({ length: 5000 }, () => (seed = (seed * 75 + 74) % 65537));
    const twice = new Uint8Array(10_000);
    twice.set(noise);
    twice.set(noise, 5000);
    const narrow = await portable.deflateRaw(twice, 9, 12);
    const wide = await portable.deflateRaw(twice, 9, 15);
    expect(wide.length).toBeLessThan(6000);
    expect(narrow.length).toBeGreaterThan(9900);
    for (const packed of [narrow, wide]) expect(await portable.inflateRaw(packed, 10_000)).toEqual(twice);
  });

  it("give the start of longer data where that is asked for", async () => {
    const packed = await portable.deflateRaw(pattern(6000), 6, 15);
    for (const size of [0, 1, 700, 5999, 6000])
      expect(await portable.inflateRawStart?.(packed, size)).toEqual(pattern(6000).subarray(0, size));
    await expect(portable.inflateRawStart?.(packed, 6001)).rejects.toThrow(DecodeError);
  });

  it("stop a bomb at the wanted size", async () => {
    const bomb = await portable.deflateRaw(new Uint8Array(1 << 24), 9, 15);
    await expect(portable.inflateRaw(bomb, 65536)).rejects.toThrow(/more than the 65536/);
    // A zstd frame of blocks that each repeat one byte 128 KiB long, with a window of 2 GiB.
    const frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8];
    for (let i = 0; i < 1000; i++) frame.push(0x02, 0, 0x10, 7);
    frame.push(0x03, 0, 0x10, 7);
    await expect(portable.zstdDecompress(Uint8Array.from(frame), 65536)).rejects.toThrow(/more than the 65536/);
  });
});
