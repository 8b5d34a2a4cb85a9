import block, { BlockGraph, MemoryFile, MemoryFiles, openImage } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import plugin, { qcow2 } from "./index.ts";

// Bitmaps that an image keeps, while a graph has it open and after a crash.

const SIZE = 1 << 20;
const GRANULARITY = 65536;
const AUTOCLEAR_AT = 95;

function graphOf(files: MemoryFiles): BlockGraph {
  return new BlockGraph({ registry: new Registry().use(block).use(plugin), files, warn: () => undefined });
}

const options = { driver: "qcow2", "node-name": "n0", file: { driver: "file", filename: "d.qcow2" } };

/** An image with the bitmap "b0", in which the first granule is dirty. */
async function made(): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const graph = graphOf(files);
  await graph.create("qcow2", "d.qcow2", SIZE);
  const node = await graph.open(options);
  await graph.bitmaps.add(node, "b0", { granularity: GRANULARITY, persistent: true });
  await node.write(0, new Uint8Array(512).fill(1));
  await graph.closeAll();
  return files;
}

/** The files as they are now: what a crash leaves. */
function left(files: MemoryFiles): MemoryFiles {
  const after = new MemoryFiles();
  for (const [name, file] of files.files) if (file instanceof MemoryFile) after.add(name, file.content().slice());
  return after;
}

async function flags(files: MemoryFiles): Promise<unknown> {
  const node = await openImage(qcow2, await files.open("d.qcow2", { writable: false }), { readOnly: true });
  const list = await node.image?.bitmaps?.list();
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0 });
  await node.close();
  return list?.map((b) => `${b.name}${b.inUse ? " in-use" : ""}${b.auto ? " auto" : ""}`);
}

describe("a bitmap that an image keeps", () => {
  it("is inconsistent after a crash, and neither lost nor believed", async () => {
    const files = await made();
    expect(await flags(files)).toEqual(["b0 auto"]);
    const graph = graphOf(files);
    const node = await graph.open(options);
    await graph.bitmaps.load(node);
    expect(await flags(left(files)), "loaded").toEqual(["b0 in-use auto"]);
    await node.write(5 * GRANULARITY, new Uint8Array(512).fill(2));

    const after = left(files);
    const again = graphOf(after);
    const crashed = await again.open(options);
    await again.bitmaps.load(crashed);
    expect(again.bitmaps.list(crashed).map((b) => [b.name, b.inconsistent, b.enabled])).toEqual([["b0", true, false]]);
    expect(() => again.bitmaps.get(crashed, "b0").check()).toThrow("Bitmap 'b0' is inconsistent and cannot be used");
    await again.closeAll();
    expect(await flags(after), "closed again").toEqual(["b0 in-use auto"]);

    await graph.closeAll();
    expect(await flags(files), "closed").toEqual(["b0 auto"]);
    const last = graphOf(files);
    const found = await last.open({ ...options, "read-only": true });
    await last.bitmaps.load(found);
    expect(last.bitmaps.get(found, "b0").bits.set).toBe(2);
    await last.closeAll();
  });

  it("is up to date in the image while that is read-only", async () => {
    const files = await made();
    const graph = graphOf(files);
    const node = await graph.open(options);
    await graph.bitmaps.load(node);
    await node.write(5 * GRANULARITY, new Uint8Array(512).fill(2));
    await node.reopen({ readOnly: true });
    expect(await flags(left(files)), "read-only").toEqual(["b0 auto"]);
    await node.reopen({ readOnly: false });
    expect(await flags(left(files)), "writable").toEqual(["b0 in-use auto"]);
    await node.resize?.(2 * SIZE);
    expect(await flags(left(files)), "grown").toEqual(["b0 in-use auto"]);
    await graph.closeAll();
    expect(await flags(files)).toEqual(["b0 auto"]);
  });

  it("is inconsistent when a program wrote that knows no bitmaps, also after another is added", async () => {
    const files = await made();
    const file = await files.open("d.qcow2", { writable: true });
    await file.write(AUTOCLEAR_AT, new Uint8Array(1));
    expect(await flags(files)).toEqual(["b0 in-use auto"]);
    const graph = graphOf(files);
    const node = await graph.open(options);
    await graph.bitmaps.load(node);
    await graph.bitmaps.add(node, "b1", { granularity: GRANULARITY, persistent: true });
    await graph.closeAll();
    expect(await flags(files)).toEqual(["b0 in-use auto", "b1 auto"]);
  });

  it("is refused with flags that have no meaning, and with another's name", async () => {
    const files = await made();
    const graph = graphOf(files);
    const node = await graph.open(options);
    await graph.bitmaps.add(node, "b1", { granularity: GRANULARITY, persistent: true });
    await graph.closeAll();
    const image = (files.files.get("d.qcow2") as MemoryFile).content();
    /** Where the directory's entry of a bitmap begins: before length and bytes of its name, without extra data. */
    const entry = (digit: number): number => {
      const wanted = [0, 2, 0, 0, 0, 0, 0x62, digit];
      return image.findIndex((_, at) => wanted.every((byte, i) => image[at + i] === byte)) - 18;
    };
    const opened = (at: number, byte: number): Promise<unknown> => {
      const bytes = image.slice();
      bytes[at] = byte;
      return flags(new MemoryFiles().add("d.qcow2", bytes));
    };
    await expect(opened(entry(0x31) + 15, 10)).rejects.toThrow("bitmap flags 0xa must be at most 0x7");
    await expect(opened(entry(0x31) + 25, 0x30)).rejects.toThrow("bitmap name 'b0' must be there only once");
  });
});
