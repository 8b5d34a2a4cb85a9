import { type BlockNode, createImage, FileNode, MemoryFile, openImage, type OpenImageOptions } from "@mimus/block";
import { pattern, readAll, refusals, testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { qed } from "./index.ts";

const KiB = 1024;
const MiB = 1 << 20;
const host = testHost();
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
async function make(size: number, options: Record<string, unknown> = {}): Promise<MemoryFile> {
  const file = new MemoryFile("d.qed");
  await createImage(qed, file, size, { options, host });
  return file;
}
const open = (file: MemoryFile, more: OpenImageOptions = {}): Promise<BlockNode> =>
  openImage(qed, file, { host, ...more });
const SMALL = { cluster_size: 4096, table_size: 2 };
/** Where the first level is in an image with SMALL. */
const L1 = 4096;

describe("a QED image", () => {
  it("is refused with the reason when its header is wrong", async () => {
    const good = (await make(MiB)).content();
    const wrong = refusals(good, (bytes) => open(new MemoryFile("d.qed", bytes)));
    await wrong("no QED magic", 0, 0);
    await wrong("features 0x8 must be within 0x7", 16, 8);
    await wrong("features 0x100000000 must", 20, 1);
    await wrong("cluster_size 65537 must be a power of two", 4, 1);
    await wrong("cluster_size 134217728 must be", 4, 0, 0, 0, 8);
    await wrong("table_size 3 must be", 8, 3);
    await wrong("table_size 32 must be", 8, 32);
    await wrong("header_size 0 must be", 12, 0);
    await wrong("image_size 0x80", 55, 128);
    await wrong("image_size 0x100001 must be a multiple", 48, 1);
    await wrong("l1_table_offset 0x10001 must be a multiple", 40, 1);
    await wrong("l1_table_offset 0 must be", 40, 0, 0, 0);
    await wrong("l1_table_offset 16777216 must be", 40, 0, 0, 0, 1);
    good[16] = 1;
    await wrong("backing_filename_size 1024 must be", 61, 4);
    await wrong("backing_filename_offset 0 must be 64", 60, 1);
    await expect(open(new MemoryFile("d.qed"))).rejects.toMatchObject({ kind: "not-this-format" });
    await expect(make(MiB, { cluster_size: 5000 })).rejects.toThrow("QED cluster size 5000 must be within range");
    await expect(make(MiB, { table_size: 17 })).rejects.toThrow("QED table size 17 must be within range");
    await expect(make(8 * 1024 * MiB, SMALL)).rejects.toThrow("QED image size 8589934592 must be at most 4294967296");
    await expect(make(MiB, { backing_file: "x".repeat(1024) })).rejects.toThrow("must be at most 1023");
  });

  it("does not read what wrong tables name, and repairs them", async () => {
    const file = await make(32 * MiB, SMALL);
    const n = await open(file);
    await n.write(0, pattern(3 * 4096, 1));
    await n.write(5 * MiB, pattern(4096, 2));
    await n.close();
    const bytes = file.content();
    const view = new DataView(bytes.buffer);
    const table = view.getUint32(L1, true);
    const try_ = async (change: (b: DataView) => void): Promise<BlockNode> => {
      const copy = bytes.slice();
      change(new DataView(copy.buffer));
      return open(new MemoryFile("d.qed", copy));
    };
    const got = new Uint8Array(512);
    const l1 = await try_((v) => v.setUint32(L1, 77, true));
    await expect(l1.read(0, got)).rejects.toThrow("L1 entry 0 is 0x4d, which must be a cluster of the file");
    expect(await l1.image?.check?.("none")).toMatchObject({ corruptions: 1 });
    expect(await l1.image?.check?.("all")).toMatchObject({ corruptions: 0, corruptionsFixed: 1 });
    await l1.read(0, got);
    expect(got).toEqual(new Uint8Array(512));
    const l2 = await try_((v) => v.setUint32(table + 12, 0x400000, true));
    await expect(l2.read(4096, got)).rejects.toThrow("L2 entry 1 is 0x");
    expect(await l2.image?.check?.("all")).toMatchObject({
      corruptions: 0,
      corruptionsFixed: 1,
      totalClusters: 8192,
      fragmentedClusters: 1,
    });
    const twice = await try_((v) => v.setUint32(table + 8, v.getUint32(table, true), true));
    expect(await twice.image?.check?.("all")).toMatchObject({ corruptions: 1, leaks: 1, allocatedClusters: 4 });
    const shared = await try_((v) => v.setUint32(L1 + 8, table, true));
    expect(await shared.image?.check?.("all")).toMatchObject({ corruptions: 1 });
    const inHeader = await try_((v) => v.setUint32(12, 1, true));
    expect(await inHeader.image?.check?.("none")).toMatchObject({ corruptions: 0 });
  });

  it("gives leaked clusters back, moving others into their place", async () => {
    const file = await make(MiB, SMALL);
    const n = await open(file);
    for (let i = 0; i < 8; i++) await n.write(i * 4096, pattern(4096, i));
    await n.close();
    const bytes = file.content();
    const table = new DataView(bytes.buffer).getUint32(L1, true);
    bytes.fill(0, table + 8, table + 32); // clusters 1 to 3
    const left = new MemoryFile("d.qed", bytes);
    const m = await open(left);
    expect(await m.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 3, allocatedClusters: 5 });
    expect(await m.image?.check?.("leaks")).toMatchObject({ corruptions: 0, leaks: 0, leaksFixed: 3 });
    expect(left.content().length).toBe(bytes.length - 3 * 4096);
    await m.write(900 * KiB, pattern(9, 9));
    const want = new Uint8Array(MiB);
    for (const i of [0, 4, 5, 6, 7]) want.set(pattern(4096, i), i * 4096);
    want.set(pattern(9, 9), 900 * KiB);
    expect(same(await readAll(m), want)).toBe(true);
    await m.close();
    expect(await (await open(left)).image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  });

  it("is checked when it was not closed, and loses what nobody knows", async () => {
    const file = await make(MiB, SMALL);
    const n = await open(file);
    await n.write(0, pattern(4096, 1));
    await n.close();
    const bytes = file.content();
    bytes[16] = 2;
    bytes[32] = 1;
    const view = new DataView(bytes.buffer);
    const table = view.getUint32(L1, true);
    view.setUint32(table + 16, 5, true);
    const readOnly = await open(new MemoryFile("d.qed", bytes), { readOnly: true });
    expect(await readOnly.image?.info?.()).toEqual({ dirty: true });
    const dirty = new MemoryFile("d.qed", bytes);
    const m = await open(dirty);
    expect(await m.image?.info?.()).toEqual({ dirty: false });
    await m.close();
    expect([
      dirty.content()[16],
      dirty.content()[32],
      new DataView(dirty.content().buffer).getUint32(table + 16, true),
    ]).toEqual([0, 0, 0]);
    view.setUint32(table + 16, view.getUint32(table, true), true);
    await expect(open(new MemoryFile("d.qed", bytes))).rejects.toThrow("cannot be repaired");
    bytes[16] = 0;
    const auto = new MemoryFile("d.qed", bytes);
    await (await open(auto)).close();
    expect(auto.content()[32]).toBe(0);
  });

  it("grows, and does not shrink", async () => {
    const file = await make(MiB);
    const n = await open(file);
    await n.resize?.(2 * MiB);
    await n.write(2 * MiB - 5, pattern(5, 1));
    await expect(n.resize?.(MiB)).rejects.toThrow("Shrinking images is currently not supported");
    await expect(n.resize?.(2 * MiB + 1)).rejects.toThrow("must be a multiple of 512");
    await n.close();
    expect((await open(file)).size).toBe(2 * MiB);
  });

  it("stands on others", async () => {
    const below = new MemoryFile("base.raw", pattern(300 * KiB, 1));
    const asked: unknown[] = [];
    const backing = async (...name: unknown[]): Promise<BlockNode> => {
      asked.push(name);
      return FileNode.open("base", below, { readOnly: true });
    };
    const file = await make(MiB, { backing_file: "base.raw", backing_fmt: "raw" });
    const n = await open(file, { backing });
    expect(asked).toEqual([["base.raw", "raw"]]);
    expect(await n.image?.info?.()).toEqual({ backingFile: "base.raw", backingFormat: "raw", dirty: false });
    await n.write(64 * KiB + 1, new Uint8Array(5));
    await n.writeZeroes?.(128 * KiB, 64 * KiB, false);
    const want = new Uint8Array(MiB);
    want.set(pattern(300 * KiB, 1));
    want.fill(0, 64 * KiB + 1, 64 * KiB + 6);
    want.fill(0, 128 * KiB, 192 * KiB);
    expect(same(await readAll(n), want)).toBe(true);
    expect(await n.blockStatus?.(0, MiB)).toMatchObject({ length: 64 * KiB, allocated: false, zero: false });
    expect(await n.blockStatus?.(300 * KiB, KiB)).toMatchObject({ allocated: false, zero: true });
    await n.image?.changeBacking?.("other", "qed");
    expect(await n.image?.info?.()).toEqual({ backingFile: "other", dirty: false });
    await expect(n.image?.changeBacking?.("x".repeat(2000), undefined)).rejects.toThrow("must be at most 1023");
    await n.close();
    await (await open(file, { backing })).close();
    expect(asked[1]).toEqual(["other", undefined]);
    const m = await open(file, { backing: null });
    await m.image?.changeBacking?.(undefined, undefined);
    await m.close();
    expect(await (await open(file)).image?.info?.()).toEqual({ dirty: false });
  });
});
