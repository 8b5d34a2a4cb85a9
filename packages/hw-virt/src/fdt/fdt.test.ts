import fc from "fast-check";
import { expect, it } from "vitest";
import { cells64, FdtError, FdtNode, readFdt, writeFdt } from "./index.ts";

function sample(): FdtNode {
  const root = new FdtNode("");
  root.set("#address-cells", [2]).set("compatible", ["a,b", "c"]).set("flag", true);
  root.child("chosen").set("bootargs", "console=ttyS0 ünïcode");
  root.child("memory@80000000").set("reg", [...cells64(0x80000000), ...cells64(2 ** 33)]);
  return root;
}

it("reads what it writes", () => {
  const root = sample();
  expect(readFdt(writeFdt(root))).toEqual(root);
});

it("writes each property name once", () => {
  const root = sample();
  root.child("memory@0").set("reg", [0]);
  const text = String.fromCharCode(...writeFdt(root));
  expect(text.split("reg\0")).toHaveLength(2);
});

it("finds nodes by path, with or without the unit address", () => {
  const root = sample();
  expect(root.at("/memory")?.name).toBe("memory@80000000");
  expect(root.at("/memory@80000000")?.name).toBe("memory@80000000");
  expect(root.at("/nothing/there")).toBeUndefined();
});

it("refuses blobs that lie", () => {
  const blob = writeFdt(sample());
  const lie = (at: number, value: number): Uint8Array => {
    const copy = blob.slice();
    new DataView(copy.buffer).setUint32(at, value);
    return copy;
  };
  expect(() => readFdt(blob.subarray(0, 39))).toThrow(/no header/);
  expect(() => readFdt(lie(0, 0))).toThrow(/d00dfeed/);
  expect(() => readFdt(lie(4, 2 ** 31))).toThrow(/says 2147483648 bytes/);
  expect(() => readFdt(lie(8, 0xfffffffc))).toThrow(/structure block/);
  expect(() => readFdt(lie(12, 0xffffff00))).toThrow(/strings block/);
  expect(() => readFdt(lie(56, 7))).toThrow(/no root/);
  const named = new FdtNode("");
  named.child("a\nb");
  expect(() => readFdt(writeFdt(named))).toThrow(/control character 10$/);
});

it("refuses a tree that is too deep", () => {
  const root = new FdtNode("");
  let node = root;
  for (let i = 0; i < 100; i++) node = node.child("n");
  expect(() => readFdt(writeFdt(root))).toThrow(/deeper than 64/);
});

it("survives any change of any byte", () => {
  const blob = writeFdt(sample());
  fc.assert(
    fc.property(fc.nat(blob.length - 1), fc.nat(255), (at, value) => {
      const copy = blob.slice();
      copy[at] = value;
      try {
        readFdt(copy);
      } catch (error) {
        expect(error).toBeInstanceOf(FdtError);
      }
    }),
    { numRuns: 2000 },
  );
});
