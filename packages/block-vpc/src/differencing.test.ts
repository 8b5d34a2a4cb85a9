import { type BlockNode, createImage, MemoryFile, openImage } from "@mimus/block";
import { DiskModel, Seeded, testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vpc } from "./format.ts";

const SIZE = 5 * 1024 * 1024;
const host = testHost();

async function chain(): Promise<{
  files: Map<string, MemoryFile>;
  model: DiskModel;
  open: (name: string) => Promise<BlockNode>;
}> {
  const files = new Map<string, MemoryFile>();
  const file = (name: string): MemoryFile => {
    const f = files.get(name) ?? new MemoryFile(name);
    files.set(name, f);
    return f;
  };
  const open = (name: string, readOnly = false): Promise<BlockNode> =>
    openImage(vpc, file(name), { readOnly, host, backing: (below) => open(below, true) });
  const model = new DiskModel(SIZE);
  const random = new Seeded(5);
  await createImage(vpc, file("base.vhd"), SIZE, { host, options: { force_size: true } });
  const base = await open("base.vhd");
  for (let n = 0; n < 20; n++) {
    const at = random.below(SIZE - 9000);
    const bytes = random.bytes(1 + random.below(9000));
    model.write(at, bytes);
    await base.write(at, bytes);
  }
  await base.close();
  for (const [below, name] of [
    ["base.vhd", "mid.vhd"],
    ["mid.vhd", "top.vhd"],
  ] as const) {
    const node = await open(below, true);
    const backing = { filename: below, format: "vpc", node };
    await createImage(vpc, file(name), SIZE, { host, options: { backing_file: below }, backing });
    await node.close();
  }
  return { files, model, open };
}

async function compare(node: BlockNode, model: DiskModel): Promise<void> {
  const all = new Uint8Array(node.size);
  await node.read(0, all);
  expect(model.difference(0, all)).toBeUndefined();
}

describe("differencing disks", () => {
  it("keep sectors of their own over their parents' through random operations", async () => {
    const { model, open } = await chain();
    const random = new Seeded(9);
    for (let round = 0; round < 6; round++) {
      const node = await open("top.vhd");
      await compare(node, model);
      expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
      for (let n = 0; n < 40; n++) {
        const acts: Promise<void>[] = [];
        // Neighbours inside one sector, at the same time.
        const at = random.below(SIZE - 30_000);
        for (let k = 0, here = at; k < 3; k++) {
          const bytes = random.bytes(1 + random.below(random.below(4) === 0 ? 9000 : 300));
          model.write(here, bytes);
          acts.push(node.write(here, bytes));
          here += bytes.length;
        }
        await Promise.all(acts);
        if (random.below(4) === 0) {
          const [zeroAt, length] = [random.below(SIZE - 5000), 1 + random.below(5000)];
          model.zero(zeroAt, length);
          await node.writeZeroes?.(zeroAt, length, true);
        }
      }
      await compare(node, model);
      await node.close();
    }
  });

  it("say which sectors are their own", async () => {
    const { open } = await chain();
    const node = await open("top.vhd");
    await node.write(2048, new Uint8Array(1000).fill(1));
    expect(await node.blockStatus?.(0, SIZE)).toMatchObject({ length: 2048, allocated: false });
    expect(await node.blockStatus?.(2048, SIZE - 2048)).toMatchObject({ length: 1024, allocated: true, data: true });
    expect(await node.image?.info?.()).toMatchObject({ backingFile: "mid.vhd" });
    await node.close();
  });

  it("refuse another parent, and open without one when told so", async () => {
    const { files, open } = await chain();
    await createImage(vpc, files.get("mid.vhd") ?? new MemoryFile(), SIZE, {
      host: testHost(7),
      options: { force_size: true },
    });
    await expect(open("top.vhd")).rejects.toThrow("is not the parent that it was made for");
    files.delete("mid.vhd");
    await expect(
      openImage(vpc, files.get("top.vhd") ?? new MemoryFile(), { host, backing: null }),
    ).resolves.toBeDefined();
  });
});
