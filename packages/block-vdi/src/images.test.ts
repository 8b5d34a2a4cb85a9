import { type BlockNode, createImage, MemoryFile, openImage } from "@mimus/block";
import { pattern, readAll, refusals, testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vdi } from "./index.ts";

const MiB = 1 << 20;
const host = testHost();
const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
async function make(size: number, options: Record<string, unknown> = {}): Promise<MemoryFile> {
  const file = new MemoryFile("d.vdi");
  await createImage(vdi, file, size, { options, host });
  return file;
}
const open = (file: MemoryFile, readOnly = false): Promise<BlockNode> => openImage(vdi, file, { readOnly, host });

describe("a VDI image", () => {
  it("is refused with the reason when its header is wrong", async () => {
    const good = (await make(5 * MiB)).content();
    const wrong = refusals(good, (bytes) => open(new MemoryFile("d.vdi", bytes)));
    await wrong("no VDI signature", 0x40, 0);
    await wrong("version 1.2 must be 1.1", 0x44, 2);
    await wrong("image_type 4 must be 1 or 2", 0x4c, 4);
    await wrong("offset_bmap 0x201 must be a multiple of 512", 0x154, 1);
    await wrong("offset_bmap 0 must be 512", 0x154, 0, 0);
    await wrong("offset_data 0x401 must be a multiple of 512", 0x158, 1);
    await wrong("offset_data 512 must be behind the block map", 0x158, 0, 2);
    await wrong("sector_size 513 must be 512", 0x168, 1);
    await wrong("block_size 1048577 must be 1048576", 0x178, 1);
    await wrong("block_extra 1 must be 0", 0x17c, 1);
    await wrong("blocks_in_image 4294967295 must be 0 to", 0x180, 255, 255, 255, 255);
    await wrong("disk_size 5242880 must be 0 to 4194304", 0x180, 4);
    await wrong("disk_size 0x0020000000500000 must be at most", 0x176, 0x20);
    await wrong("blocks_allocated 6 must be 0 to 5", 0x184, 6);
    await wrong("uuid_link is set", 0x1a8, 1);
    await wrong("uuid_parent is set", 0x1b8, 1);
    await expect(open(new MemoryFile("d.vdi", good.slice(0, 300)))).rejects.toThrow("offset_bmap");
    await expect(open(new MemoryFile("d.vdi"))).rejects.toMatchObject({ kind: "not-this-format" });
    const far = good.slice();
    far.set([0, 0, 1, 0], 0x158);
    far.set([0, 16], 0x180);
    await expect(open(new MemoryFile("d.vdi", far))).rejects.toThrow("must fit the file");
    await expect(make(MiB, { preallocation: "metadata" })).rejects.toThrow("preallocation 'metadata' must be off");
    await expect(make(2 ** 50)).rejects.toThrow("must be at most");
  });

  it("has blocks that read as zeroes, and wrong ones that do not read", async () => {
    const file = await make(4 * MiB);
    const n = await open(file);
    await n.write(MiB + 5, pattern(100, 1));
    await n.write(0, pattern(100, 2));
    await n.close();
    const bytes = file.content();
    bytes.set([0xfe, 0xff, 0xff, 0xff], 512 + 4); // discarded
    bytes.set([9], 512 + 8);
    bytes.set([0, 0, 0, 0], 512 + 12); // as another one
    bytes.set([1, 0, 0, 0], 512);
    const bad = await open(new MemoryFile("d.vdi", bytes), true);
    const got = new Uint8Array(100);
    await bad.read(MiB, got);
    expect(got).toEqual(new Uint8Array(100));
    await expect(bad.read(2 * MiB, got)).rejects.toThrow("bmap[2] 4294967049 must be 0 to 3");
    expect(await bad.image?.check?.("none")).toMatchObject({ corruptions: 1 });
    bytes.set([1, 0, 0, 0], 512 + 12);
    bytes.set([0xff, 0xff, 0xff, 0xff], 512 + 8);
    const twice = await open(new MemoryFile("d.vdi", bytes), true);
    expect(await twice.image?.check?.("none")).toMatchObject({
      corruptions: 1,
      messages: [expect.stringContaining("also used")],
    });
    await expect(twice.read(3 * MiB, got)).resolves.toBeUndefined();
  });

  it("repairs its count, and uses blocks again that a crash left over", async () => {
    const file = await make(4 * MiB);
    const n = await open(file);
    await n.write(0, pattern(MiB, 3));
    await n.write(MiB, pattern(MiB, 4));
    await n.close();
    const bytes = file.content();
    bytes.set([0xff, 0xff, 0xff, 0xff], 512); // block 0 of the file belongs to nothing now
    const left = new MemoryFile("d.vdi", bytes);
    const view = await open(left, true);
    expect(await view.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 1, leaksFixed: 0 });
    await view.close();
    const w = await open(left);
    await w.write(3 * MiB + 7, pattern(50, 5));
    expect(left.content().length).toBe(bytes.length);
    const want = new Uint8Array(4 * MiB);
    want.set(pattern(MiB, 4), MiB);
    want.set(pattern(50, 5), 3 * MiB + 7);
    expect(same(await readAll(w), want)).toBe(true);
    await w.close();
    const again = await open(left, true);
    expect(await again.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
    bytes.set([0xff, 0xff, 0xff, 0xff], 512 + 4);
    bytes[0x184] = 3;
    const m = await open(new MemoryFile("d.vdi", bytes));
    expect(await m.image?.check?.("all")).toMatchObject({ corruptions: 0, leaks: 0 });
    await m.close();
    const full = await open(left);
    for (let i = 0; i < 4; i++) await full.write(i * MiB, pattern(10, i));
    expect(await full.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
    await full.close();
  });
});
