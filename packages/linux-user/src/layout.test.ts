import { expect, it } from "vitest";

import type { Abi } from "./abi.ts";
import { array, layout, pad } from "./layout.ts";

const abi = (wordBits: 32 | 64, bigEndian: boolean, align64: 4 | 8 = 8): Abi => ({
  machine: "test", wordBits, bigEndian, align64, syscalls: "generic", pageSize: 4096,
}); // prettier-ignore
const INNER = layout({ a: "u8", b: "long" });
const ALL = layout({ x: "u8", s: "s16", i: INNER, n: array("u16", 3), hole: pad(3), q: "b64", t: "s64", p: "ptr" });

it("lays out as C does, for each width", () => {
  expect(ALL.on(abi(64, false)).offsets).toMatchObject({ x: 0, s: 2, i: 8, n: 24, q: 40, t: 48, p: 56 });
  expect(ALL.on(abi(64, false)).size).toBe(64);
  expect(ALL.on(abi(32, false)).offsets).toMatchObject({ x: 0, s: 2, i: 4, n: 12, q: 24, t: 32, p: 40 });
  expect(ALL.on(abi(32, false, 4)).size).toBe(44);
  expect(layout({ a: "u8", b: "u32" }, { packed: true }).on(abi(64, false)).size).toBe(5);
});

it("reads back what it wrote, in each byte order and width", () => {
  const values = {
    x: 200,
    s: -3,
    i: { a: 1, b: -5 },
    n: [1, 2, 65535],
    q: 0xfedc_ba98_7654_3210n,
    t: -(2 ** 40) - 1,
    p: 0xfff0_0000,
  };
  for (const a of [abi(64, false), abi(64, true), abi(32, false), abi(32, true)]) {
    const bound = ALL.on(a);
    const view = new DataView(new ArrayBuffer(bound.size + 8));
    new Uint8Array(view.buffer).fill(0xee);
    bound.write(view, 8, values);
    expect(bound.read(view, 8)).toEqual(values);
    expect(view.getUint8(7)).toBe(0xee);
    expect(view.getUint16(8 + bound.offsets.s, !a.bigEndian)).toBe(0xfffd);
  }
});
