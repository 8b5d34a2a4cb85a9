import block, { BlockGraph, MemoryFiles } from "@mimus/block";
import type { GraphNode } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import plugin from "./index.ts";

// The steps of the format, as blkdebug's rules name them: each can fail, and nothing is lost but room.

const SIZE = 8 << 20;
const CLUSTER = 4096;

function graphOf(files: MemoryFiles): BlockGraph {
  const registry = new Registry().use(block).use(plugin);
  return new BlockGraph({ registry, files, warn: () => undefined, format: testHost() });
}

async function image(more: object = {}): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const graph = graphOf(files);
  await graph.create("qcow2", "d.qcow2", SIZE, { cluster_size: CLUSTER, ...more });
  const node = await graph.open(opened());
  await node.write(0, new Uint8Array(3 * CLUSTER).fill(1));
  await node.image?.writeCompressed?.(8 * CLUSTER, new Uint8Array(CLUSTER).fill(2));
  await graph.closeAll();
  return files;
}

/** Options of the image on blkdebug with these rules. */
function opened(rules: object = {}): Record<string, unknown> {
  const below = { driver: "file", filename: "d.qcow2" };
  return {
    driver: "qcow2",
    "node-name": "n0",
    file: { driver: "blkdebug", "node-name": "b0", image: below, ...rules },
  };
}

const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(7);
/** What meets an event, on an open image. */
const STEPS: Record<string, (node: GraphNode) => Promise<unknown>> = {
  read_aio: (n) => n.read(100, new Uint8Array(10)),
  read_compressed: (n) => n.read(8 * CLUSTER, new Uint8Array(CLUSTER)),
  l2_load: (n) => n.read(0, new Uint8Array(1)),
  write_aio: (n) => n.write(0, bytes(10)),
  cow_read: (n) => n.write(8 * CLUSTER + 100, bytes(10)),
  cow_write: (n) => n.write(8 * CLUSTER + 100, bytes(10)),
  cluster_alloc_space: (n) => n.write(20 * CLUSTER + 100, bytes(10)),
  refblock_alloc: (n) => n.write(20 * CLUSTER, bytes(CLUSTER)),
  write_compressed: async (n) => n.image?.writeCompressed?.(20 * CLUSTER, bytes(CLUSTER)),
  cluster_alloc_bytes: async (n) => n.image?.writeCompressed?.(20 * CLUSTER, bytes(CLUSTER)),
  l2_update_compressed: async (n) => {
    await n.image?.writeCompressed?.(20 * CLUSTER, bytes(CLUSTER));
    await n.flush();
  },
  cluster_alloc: (n) => n.write(20 * CLUSTER, bytes(CLUSTER)),
  refblock_load: (n) => n.write(20 * CLUSTER, bytes(CLUSTER)),
  l2_update: async (n) => {
    await n.write(20 * CLUSTER, bytes(CLUSTER));
    await n.flush();
  },
  refblock_update_part: async (n) => {
    await n.write(20 * CLUSTER, bytes(CLUSTER));
    await n.flush();
  },
  cluster_free: async (n) => {
    await n.discard?.(0, CLUSTER);
    await n.flush();
  },
  vmstate_save: async (n) => n.image?.vmState?.write(0, bytes(512)),
  vmstate_load: async (n) => {
    await n.image?.vmState?.write(0, bytes(512));
    await n.image?.vmState?.read(0, bytes(512));
  },
  l1_grow_alloc_table: async (n) => n.resize?.(2 ** 32),
  l1_grow_write_table: async (n) => n.resize?.(2 ** 32),
  l1_grow_activate_table: async (n) => n.resize?.(2 ** 32),
  l1_shrink_write_table: async (n) => n.resize?.(CLUSTER),
  empty_image_prepare: async (n) => n.image?.makeEmpty?.(),
  flush_to_disk: async (n) => {
    await n.write(0, bytes(10));
    await n.flush();
  },
};

describe("steps of the format", () => {
  it.each(Object.keys(STEPS))("%s fails once", async (event) => {
    const files = await image();
    const graph = graphOf(files);
    const step = STEPS[event] as (node: GraphNode) => Promise<unknown>;
    const node = await graph.open({ ...opened({ "inject-error": [{ event, once: true }] }), discard: "unmap" });
    await expect(step(node), "fails").rejects.toThrow();
    await step(node);
    await node.flush();
    await graph.closeAll();
    const again = graphOf(files);
    const after = await again.open({ ...opened(), "read-only": true });
    expect(await after.image?.check?.("none")).toMatchObject({ corruptions: 0 });
    await again.closeAll();
  });

  it("reftable_load fails the image's opening", async () => {
    const graph = graphOf(await image());
    await expect(graph.open(opened({ "inject-error": [{ event: "reftable_load" }] }))).rejects.toThrow();
  });

  it.each([
    "reftable_grow",
    "refblock_alloc",
    "refblock_alloc_write_table",
    "refblock_alloc_switch_table",
    "l1_update",
  ])("%s fails once while the image grows", async (event) => {
    const files = new MemoryFiles();
    const graph = graphOf(files);
    await graph.create("qcow2", "d.qcow2", 64 << 20, { cluster_size: 512 });
    const node = await graph.open(opened({ "inject-error": [{ event, once: true }] }));
    let failed = 0;
    for (let at = 0; at < 10 << 20; at += 1 << 20)
      await node
        .write(at, bytes(1 << 20))
        .then(
          () => node.flush(),
          () => failed++,
        )
        .catch(() => failed++);
    expect(failed).toBe(1);
    await node.flush();
    expect((await node.image?.check?.("none"))?.messages.filter((m) => m.startsWith("ERROR"))).toEqual([]);
    await graph.closeAll();
  });

  it("l1_grow_activate_table fails, and the table that holds is still written to", async () => {
    const files = await image();
    const graph = graphOf(files);
    const node = await graph.open(opened({ "inject-error": [{ event: "l1_grow_activate_table", once: true }] }));
    await expect(node.resize?.(2 ** 32)).rejects.toThrow();
    // The header is written again, for another reason.
    await node.image?.changeBacking?.("elsewhere", "raw");
    await node.image?.changeBacking?.(undefined, undefined);
    await node.write(1500 * CLUSTER, bytes(CLUSTER));
    await node.write(100 * CLUSTER, bytes(CLUSTER));
    await graph.closeAll();
    const again = graphOf(files);
    const after = await again.open(opened());
    expect(after.size).toBe(SIZE);
    const into = new Uint8Array(CLUSTER);
    await after.read(1500 * CLUSTER, into);
    expect(into).toEqual(bytes(CLUSTER));
    expect(await after.image?.check?.("none")).toMatchObject({ corruptions: 0 });
    await again.closeAll();
  });

  it("change blkdebug's state in the order in which they come", async () => {
    const rules = {
      "set-state": [
        { event: "l2_load", state: 1, new_state: 2 },
        { event: "read_aio", state: 2, new_state: 3 },
      ],
      "inject-error": [{ event: "read_compressed", state: 3, errno: 28 }],
    };
    const graph = graphOf(await image());
    const node = await graph.open(opened(rules));
    await node.read(8 * CLUSTER, new Uint8Array(CLUSTER));
    await node.read(0, new Uint8Array(512));
    await expect(node.read(8 * CLUSTER, new Uint8Array(CLUSTER))).rejects.toThrow();
  });

  it("stop at breakpoints", async () => {
    const graph = graphOf(await image());
    const node = await graph.open(opened());
    const { breakpoints } = graph.node("b0").inner as unknown as {
      breakpoints: {
        set(event: string, tag: string): boolean;
        reached(tag: string): Promise<void>;
        resume(tag: string): boolean;
      };
    };
    expect(breakpoints.set("l2_load", "a")).toBe(true);
    let done = false;
    const into = new Uint8Array(4);
    const reading = node.read(0, into).then(() => (done = true));
    await breakpoints.reached("a");
    expect(done).toBe(false);
    expect(breakpoints.resume("a")).toBe(true);
    await reading;
    expect(into[0]).toBe(1);
    await graph.closeAll();
  });

  it("are refused by other names", async () => {
    const graph = graphOf(await image());
    await expect(graph.open(opened({ "inject-error": [{ event: "l3_load" }] }))).rejects.toThrow("event");
  });
});
