import { describe, expect, it } from "vitest";
import { FaultyFile } from "./faulty-file.ts";
import { FileNode } from "./file-node.ts";
import { MemoryFile } from "./memory-file.ts";
import { TableCache } from "./table-cache.ts";

async function rig(size = 1 << 16): Promise<{ file: FaultyFile; node: FileNode }> {
  const file = new FaultyFile(new MemoryFile("t", new Uint8Array(size)));
  return { file, node: await FileNode.open("t", file, { readOnly: false }) };
}

describe("the cache of tables", () => {
  it("writes changed sectors alone, between two flushes", async () => {
    const { file, node } = await rig();
    const cache = new TableCache(node);
    const piece = await cache.load(4096, 4096);
    piece.bytes[0] = 1;
    cache.change(piece, 0, 1);
    piece.bytes[513] = 2;
    cache.change(piece, 511, 4); // touches sectors 0 and 1
    piece.bytes[4095] = 3;
    cache.change(piece, 4095, 1);
    file.calls.length = 0;
    await cache.commit();
    expect(file.calls.map((c) => (c.op === "write" ? `${c.at}+${c.data.length}` : c.op))).toEqual([
      "flush",
      "4096+1024",
      "7680+512",
      "flush",
    ]);
    file.calls.length = 0;
    await cache.commit();
    expect(file.calls.map((c) => c.op)).toEqual(["flush"]);
  });

  it("keeps changes when a commit fails, and writes them with the next", async () => {
    const { file, node } = await rig();
    const cache = new TableCache(node);
    const piece = await cache.load(0, 512);
    piece.bytes[7] = 9;
    cache.change(piece, 7, 1);
    for (const ops of [["flush"], ["write"]] as const) {
      file.fail({ at: 0, ops });
      await expect(cache.commit()).rejects.toThrow("EIO");
      expect(cache.changed).toBe(1);
    }
    file.fail(undefined);
    await cache.commit();
    const back = new Uint8Array(512);
    await node.read(0, back);
    expect(back[7]).toBe(9);
  });

  it("reads again what was dropped while it was read", async () => {
    const { node } = await rig();
    const { promise: asked, resolve: answer } = Promise.withResolvers<void>();
    const late = Object.assign(Object.create(node) as typeof node, {
      read: async (at: number, into: Uint8Array) => (await node.read(at, into), asked),
    });
    const cache = new TableCache(late);
    const loading = cache.load(0, 512);
    await node.read(512, new Uint8Array(512)); // by now the old bytes were read
    cache.drop(0);
    await node.write(0, new Uint8Array(512).fill(7));
    answer();
    expect((await loading).bytes[0]).toBe(7);
    expect(cache.peek(0)?.bytes[0]).toBe(7);
  });

  it("reads once for all who ask at the same time, and drops what was not used for long", async () => {
    const { file, node } = await rig();
    const cache = new TableCache(node, { limit: 4096 });
    file.calls.length = 0;
    const [a, b] = await Promise.all([cache.load(0, 1024), cache.load(0, 1024)]);
    expect(a).toBe(b);
    expect(file.calls.filter((c) => c.op === "read")).toHaveLength(1);
    cache.change(a, 0, 1);
    for (let at = 1024; at < 16384; at += 1024) await cache.load(at, 1024);
    expect(cache.peek(0)).toBe(a); // changed: stays
    expect(cache.peek(1024)).toBeUndefined();
    expect(cache.peek(15360)).toBeDefined();
    cache.drop(0);
    expect(cache.changed).toBe(0);
    expect(cache.put(0, new Uint8Array(8)).bytes).toHaveLength(8);
  });
});
