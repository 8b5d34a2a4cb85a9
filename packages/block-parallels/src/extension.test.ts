import { createImage, MemoryFile, openImage } from "@mimus/block";
import { describe, expect, it } from "vitest";
import { parallels } from "./format.ts";
import { md5 } from "./md5.ts";

const CLUSTER = 4096;
const hex = (bytes: Uint8Array): string => [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");

/** An image with a bitmap: the first 4096 bytes of bits stored, then ones, then zeroes. */
async function withBitmap(): Promise<MemoryFile> {
  const file = new MemoryFile("a.hds");
  const size = 3 * CLUSTER * 8 * 512;
  await createImage(parallels, file, size, { options: { cluster_size: CLUSTER } });
  const bitsAt = await file.size();
  await file.write(bitsAt, new Uint8Array(CLUSTER).fill(0x11));
  const ext = new Uint8Array(CLUSTER);
  const view = new DataView(ext.buffer);
  ext.set([0x87, 0xea, 0xdc, 0x23, 0xef, 0x4c, 0x23, 0xab]);
  ext.set([0x4a, 0xb3, 0x2c, 0x25, 0xae, 0x5f, 0x38, 0x20], 24);
  view.setUint32(40, 32 + 3 * 8, true);
  view.setUint32(48, size / 512, true);
  for (let i = 0; i < 16; i++) ext[56 + i] = i;
  view.setUint32(72, 1, true);
  view.setUint32(76, 3, true);
  view.setUint32(80, bitsAt / 512, true);
  view.setUint32(88, 1, true);
  ext.set(md5(ext.subarray(24)), 8);
  await file.write(bitsAt + CLUSTER, ext);
  const at = new Uint8Array(8);
  new DataView(at.buffer).setUint32(0, (bitsAt + CLUSTER) / 512, true);
  await file.write(56, at);
  return file;
}

describe("the format extension", () => {
  it("gives its dirty bitmaps", async () => {
    const node = await openImage(parallels, await withBitmap(), { readOnly: true });
    const name = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    expect(await node.image?.bitmaps?.list()).toEqual([{ name, granularity: 512, auto: false, inUse: false }]);
    const bits = (await node.image?.bitmaps?.load(name)) ?? new Uint8Array(0);
    expect([bits.length, bits[0], bits[CLUSTER - 1], bits[CLUSTER], bits[2 * CLUSTER]]).toEqual([
      3 * CLUSTER,
      0x11,
      0x11,
      0xff,
      0,
    ]);
    await expect(node.image?.bitmaps?.load("x")).rejects.toMatchObject({ kind: "not-found" });
    await expect(node.image?.bitmaps?.remove(name)).rejects.toMatchObject({ kind: "unsupported-feature" });
    expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  });

  it("goes when the disk changes", async () => {
    const file = await withBitmap();
    const warned: string[] = [];
    const node = await openImage(parallels, file, { warn: (m) => warned.push(m) });
    await node.write(0, new Uint8Array(512).fill(1));
    await node.close();
    expect(warned).toEqual(["'a.hds': its dirty bitmaps are dropped, because the disk changes without them"]);
    const again = await openImage(parallels, file, { readOnly: true });
    expect(again.image?.bitmaps).toBeUndefined();
  });

  it("is left alone when its checksum is wrong", async () => {
    const file = await withBitmap();
    await file.write((await file.size()) - 1, Uint8Array.of(1));
    const warned: string[] = [];
    const node = await openImage(parallels, file, { readOnly: true, warn: (m) => warned.push(m) });
    expect(node.image?.bitmaps).toBeUndefined();
    expect(warned[0]).toContain("extension checksum");
  });
});

describe("an image that was not closed", () => {
  it("is corrupt to a check, repaired, and may be written when its table is whole", async () => {
    const file = new MemoryFile("a.hds");
    await createImage(parallels, file, 1 << 20, { options: { cluster_size: CLUSTER } });
    await file.write(44, new TextEncoder().encode("Ynot"));
    const reader = await openImage(parallels, file, { readOnly: true });
    expect(await reader.image?.check?.("none")).toMatchObject({ corruptions: 1 });
    const warned: string[] = [];
    const node = await openImage(parallels, file, { warn: (m) => warned.push(m) });
    expect(warned).toEqual(["'a.hds' was not closed properly; its table is whole"]);
    await node.close();
    expect(file.content()[44]).toBe(0);
    await file.write(44, new TextEncoder().encode("Ynot"));
    await file.write(64, Uint8Array.of(0xff, 0xff));
    await expect(openImage(parallels, file)).rejects.toThrow("its table has 1 errors");
  });
});

it("MD5 is the one of RFC 1321", () => {
  expect(hex(md5(new Uint8Array(0)))).toBe("d41d8cd98f00b204e9800998ecf8427e");
  expect(hex(md5(new TextEncoder().encode("message digest")))).toBe("f96b697d7cb7938d525a2f31aaf161d0");
});
