import { type BlockFormat, type BlockNode, createImage, MemoryFile, openImage } from "@mimus/block";
import { describe, expect, it } from "vitest";
import { Seeded } from "../random.ts";
import { DiskModel } from "./model.ts";
import { testHost } from "./rig.ts";

/** How to try differencing disks. */
export interface DifferencingOptions {
  /** That makes images over others. */
  readonly format: BlockFormat;
  /** Options of `create` for every image of the chain, besides `backing_file`. */
  readonly create: Readonly<Record<string, unknown>>;
  /** Part of the message for a parent that is another one than when the disk was made. */
  readonly refusal: string;
}

const SIZE = 5 * 1024 * 1024;

/** base <- mid <- top; the base has content. */
async function chain({ format, create }: DifferencingOptions): Promise<{
  files: Map<string, MemoryFile>;
  model: DiskModel;
  open: (name: string) => Promise<BlockNode>;
}> {
  const host = testHost();
  const files = new Map<string, MemoryFile>();
  const file = (name: string): MemoryFile => {
    const f = files.get(name) ?? new MemoryFile(name);
    files.set(name, f);
    return f;
  };
  const open = (name: string, readOnly = false): Promise<BlockNode> =>
    openImage(format, file(name), { readOnly, host, backing: (below) => open(below, true) });
  const model = new DiskModel(SIZE);
  const random = new Seeded(5);
  await createImage(format, file("base.img"), SIZE, { host, options: create });
  const base = await open("base.img");
  for (let n = 0; n < 20; n++) {
    const at = random.below(SIZE - 9000);
    const bytes = random.bytes(1 + random.below(9000));
    model.write(at, bytes);
    await base.write(at, bytes);
  }
  await base.close();
  for (const [below, name] of [
    ["base.img", "mid.img"],
    ["mid.img", "top.img"],
  ] as const) {
    const node = await open(below, true);
    const backing = { filename: below, format: format.name, node };
    await createImage(format, file(name), SIZE, { host, options: { ...create, backing_file: below }, backing });
    await node.close();
  }
  return { files, model, open };
}

async function compare(node: BlockNode, model: DiskModel): Promise<void> {
  const all = new Uint8Array(node.size);
  await node.read(0, all);
  expect(model.difference(0, all)).toBeUndefined();
}

/** The suite of formats whose disks hold single sectors over a parent that they know by its identity. */
export function testDifferencing(options: DifferencingOptions): void {
  describe(`differencing disks of ${options.format.name}`, () => {
    it("keep sectors of their own over their parents' through random operations", async () => {
      const { model, open } = await chain(options);
      const random = new Seeded(9);
      for (let round = 0; round < 6; round++) {
        const node = await open("top.img");
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
      const { open } = await chain(options);
      const node = await open("top.img");
      await node.write(2048, new Uint8Array(1000).fill(1));
      expect(await node.blockStatus?.(0, SIZE)).toMatchObject({ length: 2048, allocated: false });
      expect(await node.blockStatus?.(2048, SIZE - 2048)).toMatchObject({ length: 1024, allocated: true, data: true });
      expect(await node.image?.info?.()).toMatchObject({ backingFile: "mid.img" });
      await node.close();
    });

    it("refuse another parent, and open without one when told so", async () => {
      const { files, open } = await chain(options);
      await createImage(options.format, files.get("mid.img") ?? new MemoryFile(), SIZE, {
        host: testHost(7),
        options: options.create,
      });
      await expect(open("top.img")).rejects.toThrow(options.refusal);
      files.delete("mid.img");
      await expect(
        openImage(options.format, files.get("top.img") ?? new MemoryFile(), { host: testHost(), backing: null }),
      ).resolves.toBeDefined();
    });
  });
}
