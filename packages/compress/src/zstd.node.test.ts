/** Streams of the encoders that others use: the `zstd` command and Node's library. */
import { execFileSync, spawnSync } from "node:child_process";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DecodeError } from "./output.ts";
import { pattern } from "./vectors.ts";
import { zstdFrame } from "./zstd-frame.ts";
import { zstdDecompress } from "./zstd.ts";

/** Bytes with repeats near and far, of few and of many letters. */
function mixed(length: number, seed: number): Uint8Array {
  const out = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  const roll = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state % below;
  };
  for (let at = 0; at < length;) {
    const end = Math.min(length, at + 1 + roll(roll(4) === 0 ? 400 : 20));
    const back = at > 0 && roll(3) > 0 ? 1 + roll(roll(2) === 0 ? Math.min(at, 30) : at) : 0;
    const letters = 1 + roll(roll(3) === 0 ? 256 : 30);
    for (; at < end; at++) out[at] = back > 0 ? out[at - back]! : 40 + roll(letters);
  }
  return out;
}

const hasZstd = spawnSync("zstd", ["--version"]).status === 0;
if (!hasZstd) process.stderr.write("skipped: zstd is not installed, so its streams are not decoded\n");

describe.skipIf(!hasZstd)("streams of the zstd command", () => {
  const ways = [1, 2, 3, 5, 7, 9, 12, 15, 17, 19].map((level) => `-${level}`);
  ways.push("--ultra -20", "--ultra -22", "--fast=1", "--fast=9", "-6 --long=27", "-3 --no-check");
  ways.push("-9 --no-check --zstd=wlog=10", "-19 --zstd=wlog=12", "-1 --zstd=wlog=10,mml=5");
  const inputs = [pattern(0), pattern(1), pattern(6000), mixed(70_000, 7), mixed(300_000, 8), new Uint8Array(400_000)];

  it.each(ways)("%s", (way) => {
    for (const input of inputs) {
      const packed = execFileSync("zstd", ["-q", "-c", ...way.split(" ")], { input, maxBuffer: 1 << 26 });
      expect(Buffer.compare(zstdDecompress(packed, input.length), input)).toBe(0);
    }
  });
});

describe("streams of Node's library", () => {
  it("come back whatever their level, checksum, size and content", () => {
    const input = fc.record({
      length: fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 70_000 })),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
      level: fc.integer({ min: -5, max: 19 }),
      checksum: fc.boolean(),
      size: fc.boolean(),
    });
    fc.assert(
      fc.property(input, ({ length, seed, level, checksum, size }) => {
        const bytes = mixed(length, seed);
        const packed = zstdCompressSync(bytes, {
          params: {
            [constants.ZSTD_c_compressionLevel]: level,
            [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0,
            [constants.ZSTD_c_contentSizeFlag]: size ? 1 : 0,
          },
        });
        expect(Buffer.compare(zstdDecompress(packed, length), bytes)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it("mean the same with damage, or are refused", () => {
    const whole = zstdCompressSync(mixed(5000, 3), { params: { [constants.ZSTD_c_checksumFlag]: 0 } });
    let taken = 0;
    for (let at = 6; at < whole.length; at++)
      for (const flip of [1, 0x10, 0x80]) {
        const bad = Uint8Array.from(whole);
        bad[at]! ^= flip;
        let own: Uint8Array;
        try {
          own = zstdDecompress(bad, 5000);
        } catch (e) {
          expect(e).toBeInstanceOf(DecodeError);
          continue;
        }
        taken++;
        expect(Buffer.compare(own, zstdDecompressSync(zstdFrame(bad, 5000)))).toBe(0);
      }
    expect(taken).toBeGreaterThan(100);
  });
});
