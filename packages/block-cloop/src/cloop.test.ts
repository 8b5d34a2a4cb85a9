import { MemoryFile, openImage } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { testFormat, testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { cloop } from "./index.ts";

const BLOCK = 1024;

/** Three blocks, of ones, twos and threes. */
async function image(): Promise<Uint8Array> {
  const { codecs } = testHost();
  const blocks = await Promise.all([1, 2, 3].map((n) => codecs.deflate(new Uint8Array(BLOCK).fill(n), 6)));
  const table = 136;
  const start = table + 8 * 4;
  const out = new Uint8Array(start + blocks.reduce((n, b) => n + b.length, 0));
  const view = new DataView(out.buffer);
  out.set(Array.from("#!/bin/sh\n#V2.0 Format\n", (c) => c.charCodeAt(0)));
  view.setUint32(128, BLOCK);
  view.setUint32(132, 3);
  let at = start;
  for (const [i, bytes] of blocks.entries()) {
    view.setUint32(table + 8 * i + 4, at);
    out.set(bytes, at);
    at += bytes.length;
  }
  view.setUint32(table + 8 * 3 + 4, at);
  return out;
}

async function open(bytes: Uint8Array): Promise<BlockNode> {
  const file = new MemoryFile("x.cloop");
  await file.write(0, bytes);
  return openImage(cloop, file, { readOnly: true });
}

testFormat(cloop, { images: [new Map([["disk.img", await image()]])], counts: { mutations: 300 } });

describe("cloop", () => {
  it("reads across blocks", async () => {
    const node = await open(await image());
    expect(node.size).toBe(3 * BLOCK);
    const all = new Uint8Array(2000);
    await node.read(1000, all);
    expect([all[23], all[24], all[24 + 1023], all[24 + 1024], all[1999]]).toEqual([1, 2, 2, 3, 3]);
  });

  it("names what is wrong", async () => {
    const changed = async (at: number, ...bytes: number[]): Promise<Uint8Array> => {
      const out = await image();
      out.set(bytes, at);
      return out;
    };
    await expect(open(await changed(128, 0, 0, 0, 0))).rejects.toThrow(/block_size 0 must be 512/);
    await expect(open(await changed(128, 255, 255, 254, 0))).rejects.toThrow(/block_size 4294966784/);
    await expect(open(await changed(130, 4, 1))).rejects.toThrow(/multiple of 512/);
    await expect(open(await changed(132, 255))).rejects.toThrow(/n_blocks/);
    await expect(open(await changed(0, 0x2a))).rejects.toMatchObject({ kind: "not-this-format" });
    const node = await open(await changed(136, 255, 255, 255, 255));
    await expect(node.read(0, new Uint8Array(1))).rejects.toThrow(/offset of block 0/);
    const garbage = await open(await changed(170, 1, 2, 3, 4));
    await expect(garbage.read(0, new Uint8Array(1))).rejects.toMatchObject({ kind: "corrupt" });
  });
});
