import { MemoryFile, openImage } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { testFormat } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { bochs } from "./index.ts";

const EXTENT = 4096;
const SIZE = 10_240;

/** Three extents; the last is stored, its first and third sector have data. */
function image(version: 1 | 2): Uint8Array {
  const out = new Uint8Array(512 + 16 + 512 + EXTENT);
  const view = new DataView(out.buffer);
  const text = (at: number, s: string): void =>
    out.set(
      Array.from(s, (c) => c.charCodeAt(0)),
      at,
    );
  text(0, "Bochs Virtual HD Image");
  text(32, "Redolog");
  text(48, "Growing");
  view.setUint32(64, version << 16, true);
  view.setUint32(68, 512, true);
  view.setUint32(72, 4, true);
  view.setUint32(76, 1, true);
  view.setUint32(80, EXTENT, true);
  view.setUint32(version === 1 ? 84 : 88, SIZE, true);
  for (let i = 0; i < 4; i++) view.setUint32(512 + 4 * i, i === 2 ? 0 : 0xffffffff, true);
  out[528] = 0b101;
  out.fill(7, 528 + 512, 528 + 512 + 512);
  out.fill(9, 528 + 512 + 1024, 528 + 512 + 1536);
  return out;
}

async function open(bytes: Uint8Array): Promise<BlockNode> {
  const file = new MemoryFile("x.bochs");
  await file.write(0, bytes);
  return openImage(bochs, file, { readOnly: true });
}

testFormat(bochs, {
  images: [new Map([["disk.img", image(1)]]), new Map([["disk.img", image(2)]])],
  counts: { mutations: 300 },
});

describe("bochs", () => {
  it.each([1, 2] as const)("reads version %s", async (version) => {
    const node = await open(image(version));
    expect(node.size).toBe(SIZE);
    const all = new Uint8Array(SIZE).fill(1);
    await node.read(0, all);
    expect(all.subarray(0, 8192).every((b) => b === 0)).toBe(true);
    expect([all[8192], all[8703], all[8704], all[9216], all[9727], all[9728]]).toEqual([7, 7, 0, 9, 9, 0]);
    expect(await node.blockStatus?.(0, SIZE)).toMatchObject({ length: 4096, allocated: false });
    expect(await node.blockStatus?.(8192, 2048)).toMatchObject({ length: 512, allocated: true, offset: 1040 });
  });

  it("names what is wrong", async () => {
    const changed = (at: number, ...bytes: number[]): Promise<BlockNode> => {
      const out = image(2);
      out.set(bytes, at);
      return open(out);
    };
    await expect(changed(72, 255, 255, 255, 255)).rejects.toThrow(/catalog size 4294967295 must be 1 to 1048576/);
    await expect(changed(72, 2)).rejects.toThrow(/catalog size 2 must be at least 3/);
    await expect(changed(80, 0, 1, 0, 0)).rejects.toThrow(/extent size 256/);
    await expect(changed(80, 1, 16, 0, 0)).rejects.toThrow(/power of two/);
    await expect(changed(80, 0, 0, 1, 0)).rejects.toThrow(/bitmap size 1 must be at least 16/);
    await expect(changed(66, 3)).rejects.toMatchObject({ kind: "not-this-format" });
    await expect(changed(94, 255, 255)).rejects.toThrow(/disk size/);
    const node = await changed(520, 9);
    await expect(node.read(8192, new Uint8Array(1))).rejects.toThrow(/catalog\[2\]/);
  });
});
