import { describe, expect, it } from "vitest";
import { layerGraph } from "../tests/layer-graph.ts";
import { type BlockBackend, type BlockGraph, FaultyFile, MemoryFile, openDrive } from "./index.ts";

const content = Uint8Array.from({ length: 64 << 10 }, (_, i) => i * 3 + (i >> 9));

async function drive(options: Record<string, string> = {}): Promise<{ drive: BlockBackend; graph: BlockGraph }> {
  const { graph, files } = layerGraph();
  const file = new FaultyFile(new MemoryFile("d.img", content));
  file.quick = true;
  files.add("d.img", file).add("layer", 512);
  const { backend } = await openDrive(
    graph,
    { file: "d.img", format: "raw", ...options },
    { interface: "virtio", snapshot: false },
  );
  return { drive: backend, graph };
}

/** Reads 700 bytes at 1000 without waiting; undefined where that takes some. */
function take(backend: BlockBackend): Uint8Array | undefined {
  const into = new Uint8Array(700);
  return backend.readNow(1000, [into.subarray(0, 1), into.subarray(1)]) ? into : undefined;
}

describe("a read that takes no waiting", () => {
  it("goes through the nodes that leave bytes as they are, and is counted", async () => {
    const { drive: whole } = await drive();
    expect(take(whole)).toEqual(content.subarray(1000, 1700));
    expect(whole.stats).toMatchObject({ readOps: 1, readBytes: 700, failedOps: 0 });
    const { drive: window } = await drive({ offset: "4096", size: "8192" });
    expect(take(window)).toEqual(content.subarray(5096, 5796));
    expect(window.readNow(8000, [new Uint8Array(193)])).toBe(false);
    expect(window.readNow(-1, [new Uint8Array(1)])).toBe(false);
    expect(window.stats).toMatchObject({ readOps: 1, readBytes: 700, failedOps: 0 });
  });

  it("is none where limits, filters or a drained section have their say", async () => {
    expect(take((await drive({ "throttling.iops-total": "100" })).drive)).toBeUndefined();
    expect(take((await drive({ "copy-on-read": "on" })).drive)).toBeUndefined();
    const { drive: paused, graph } = await drive();
    for (const node of graph.nodes()) {
      await graph.drained([node], () => {
        expect(take(paused)).toBeUndefined();
      });
      expect(take(paused)).toBeDefined();
    }
    paused.setNode(undefined);
    expect(take(paused)).toBeUndefined();
  });
});
