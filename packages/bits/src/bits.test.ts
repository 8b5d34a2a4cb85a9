import { expect, it } from "vitest";
import * as b from "./index.ts";

it("extracts and deposits fields", () => {
  expect(b.extract(0xdeadbeef, 8, 8)).toBe(0xbe);
  expect(b.extract(0xdeadbeef, 0, 32)).toBe(0xdeadbeef);
  expect(b.extract(0xdeadbeef, 1, 31)).toBe(0xdeadbeef >>> 1);
  expect(b.extractSigned(0x80, 4, 4)).toBe(-8);
  expect(b.deposit(0xffffffff, 4, 8, 0)).toBe(0xfffff00f);
  expect(b.deposit(0, 0, 32, -1)).toBe(0xffffffff);
  expect(b.deposit(0, 31, 1, 1)).toBe(0x80000000);
  expect(b.signExtend(0xff, 8)).toBe(-1);
  expect(b.popcount(0xf0f0f001)).toBe(13);
  expect([b.ctz(0), b.ctz(1), b.ctz(0x80000000)]).toEqual([32, 0, 31]);
  expect(b.bit(4, 2)).toBe(true);
});

it("aligns beyond 32 bits", () => {
  expect(b.alignUp(2 ** 40 + 1, 4096)).toBe(2 ** 40 + 4096);
  expect(b.alignDown(2 ** 40 + 5000, 4096)).toBe(2 ** 40 + 4096);
  expect([0, 1, 3, 2 ** 52, 2 ** 52 + 1, -2].map(b.isPowerOfTwo)).toEqual([false, true, false, true, false, false]);
});

it("swaps bytes and takes 64-bit numbers apart", () => {
  expect(b.swap32(0x11223384)).toBe(0x84332211);
  expect(b.swap16(0x1234)).toBe(0x3412);
  expect(b.swap(0x1ff, 1)).toBe(0xff);
  const n = 2 ** 52 + 123456789;
  expect(b.fromHalves(b.low32(n), b.high32(n))).toBe(n);
  const view = b.viewOf(new Uint8Array(8));
  b.writeU64(view, 0, n);
  expect(b.readU64(view, 0)).toBe(n);
  expect(b.bigFromHalves(-1, -1)).toBe(2n ** 64n - 1n);
});

it("multiplies 32 by 32 bits like bigint", () => {
  const out = new Uint32Array(2);
  for (const x of [0, 1, 0xffff, 0x10000, 0x12345678, 0xffffffff])
    for (const y of [0, 1, 0xffff, 0x80000001, 0xffffffff]) {
      b.mul32(x, y, out);
      expect(b.bigFromHalves(out[0]!, out[1]!)).toBe(BigInt(x) * BigInt(y));
    }
});

it("codes UTF-8 like the host", () => {
  const text = "aß€😀\0\ud800z";
  expect(b.encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
  const bytes = [0x61, 0xc0, 0x80, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xff, 0xed, 0x7a];
  expect(b.decodeUtf8(Uint8Array.from(bytes)).replaceAll(/\ufffd+/g, "?")).toBe("a?€😀?z");
  expect(b.decodeLatin1(Uint8Array.of(0x41, 0xff))).toBe("Aÿ");
  expect(b.hex(255, 4)).toBe("0x00ff");
});
