/** What an image may say that its backing file is. */
import block, { BlockGraph, MemoryFiles } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { testHost } from "@mimus/testkit";
import { expect, it } from "vitest";
import plugin from "./index.ts";

it.each(["blkdebug", "copy-on-read", "null-co"])(
  "an image cannot make its backing file a node of '%s'",
  async (name) => {
    const files = new MemoryFiles().add("secret", new Uint8Array(4096).fill(7));
    const registry = new Registry().use(block).use(plugin);
    const graph = new BlockGraph({ registry, files, warn: () => undefined, format: testHost() });
    await graph.create("qcow2", "a.qcow2", 1 << 20, { backing_file: "secret", backing_fmt: name });
    await expect(graph.openFile("a.qcow2", { driver: "qcow2", "read-only": true })).rejects.toThrow(
      `'a.qcow2' names the backing format '${name}', which is no image format`,
    );
    // A user may.
    const disk = await graph.open({
      ...{ driver: "qcow2", "read-only": true, file: { driver: "file", filename: "a.qcow2" } },
      backing: { driver: "raw", file: { driver: "file", filename: "secret" } },
    });
    const bytes = new Uint8Array(512);
    await disk.read(0, bytes);
    expect(bytes[0]).toBe(7);
    await graph.closeAll();
  },
);
