import { describe, expect, it } from "vitest";
import { type Dress, layerGraph } from "../tests/layer-graph.ts";
import type { BlockGraph, BlockNode, GraphNode, JobEvent, MemoryFiles } from "./index.ts";
import { chainOf, FaultyFile, Jobs, MemoryFile } from "./index.ts";

const SIZE = 1 << 20;
const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);

/** Layers that say what their image records as its backing file. */
const recording: Dress = () => {
  let backing: string | undefined;
  return {
    image: {
      changeBacking: async (name) => void (backing = name),
      info: async () => (backing === undefined ? {} : { backingFile: backing }),
    },
  };
};

interface Rig {
  graph: BlockGraph;
  jobs: Jobs;
  files: MemoryFiles;
  events: JobEvent[];
  base: MemoryFile;
  top: GraphNode;
}

/** base (raw, all 1) <- mid (2 at 0) <- top (3 at 64 KiB). */
async function chain(): Promise<Rig> {
  const { graph, files } = layerGraph(recording);
  const base = new MemoryFile("base", filled(SIZE, 1));
  files.add("base", base).add("x", 512);
  await graph.open({
    driver: "raw",
    "node-name": "base",
    "read-only": true,
    file: { driver: "file", filename: "base" },
  });
  const over = async (name: string, backing: string): Promise<GraphNode> =>
    graph.open({ driver: "layer", "node-name": name, file: { driver: "file", filename: "x" }, backing });
  const mid = await over("mid", "base");
  await mid.write(0, filled(65536, 2));
  const top = await over("top", "mid");
  await top.write(65536, filled(65536, 3));
  mid.monitor = false;
  graph.node("base").monitor = false;
  const jobs = new Jobs(graph);
  const events: JobEvent[] = [];
  jobs.onEvent = (e) => events.push(e);
  return { graph, jobs, files, events, base, top };
}
async function sample(node: BlockNode): Promise<number[]> {
  const out: number[] = [];
  for (const at of [0, 65536, 131072]) {
    const b = new Uint8Array(1);
    await node.read(at, b);
    out.push(b[0] ?? -1);
  }
  return out;
}
const names = (events: JobEvent[]): string[] =>
  events.map((e) => (e.name === "JOB_STATUS_CHANGE" ? String(e.data["status"]) : e.name));

describe("stream", () => {
  it("pulls the whole chain into the top, under writes", async () => {
    const { graph, jobs, top, events } = await chain();
    const job = jobs.stream(top, {}, { device: "top" });
    job.start();
    await top.write(131072, filled(512, 9));
    await job.done;
    expect(job.error).toBeUndefined();
    expect(chainOf(top).map((n) => n.name)).toEqual(["top"]);
    expect([...graph.nodes()].map((n) => n.name).filter((n) => !n.startsWith("#"))).toEqual(["top"]);
    expect(await sample(top)).toEqual([2, 3, 9]);
    expect((await top.image?.info?.())?.backingFile).toBeUndefined();
    expect(names(events)).toEqual([
      "created",
      "running",
      "waiting",
      "pending",
      "BLOCK_JOB_COMPLETED",
      "concluded",
      "null",
    ]);
  });

  it("stops above a base", async () => {
    const { graph, jobs, top } = await chain();
    const job = jobs.stream(top, { base: graph.node("base") }, { device: "top" });
    job.start();
    await job.done;
    expect(chainOf(top).map((n) => n.name)).toEqual(["top", "base"]);
    expect((await top.blockStatus(131072, 512)).allocated).toBe(false);
    expect(await sample(top)).toEqual([2, 3, 1]);
  });
});

describe("commit", () => {
  it("folds an image in the middle into the one below", async () => {
    const { graph, jobs, top, base } = await chain();
    const job = jobs.commit(top, { top: graph.node("mid") }, { device: "top" });
    job.start();
    await job.done;
    expect(job.error).toBeUndefined();
    expect(chainOf(top).map((n) => n.name)).toEqual(["top", "base"]);
    expect(base.content()[0]).toBe(2);
    expect(graph.node("base").readOnly).toBe(true);
    expect((await top.image?.info?.())?.backingFile).toBe("base");
  });

  it("of the active image is ready, then pivots", async () => {
    const { graph, jobs, top, base, events } = await chain();
    const backend = graph.addBackend("d0");
    graph.give(backend, top);
    const job = jobs.commit(top, {}, { id: "j" });
    job.start();
    while (job.status !== "ready") await new Promise((r) => void setTimeout(r, 1));
    await backend.write(200000, filled(100, 7));
    job.complete();
    await job.done;
    expect(job.error).toBeUndefined();
    expect(backend.node?.name).toBe("base");
    expect([...graph.nodes()].map((n) => n.driver)).toEqual(["file", "raw"]);
    const all = base.content();
    expect([all[0], all[65536], all[131072], all[200000]]).toEqual([2, 3, 1, 7]);
    await backend.write(0, filled(512, 8));
    expect(base.content()[0]).toBe(8);
    expect(names(events)).toContain("BLOCK_JOB_READY");
  });
});

describe("mirror", () => {
  it("keeps up with writes and takes over; a soft cancel leaves the source", async () => {
    const { graph, jobs, files, top } = await chain();
    const target = new MemoryFile("target", SIZE);
    files.add("target", target);
    const backend = graph.addBackend("d0");
    graph.give(backend, top);
    const open = (): Promise<GraphNode> => graph.openFile("target", { driver: "raw" });
    for (const pivot of [false, true]) {
      const node = await open();
      const job = jobs.mirror(
        top,
        node,
        { sync: "full", copyMode: pivot ? "write-blocking" : "background" },
        { id: "m" },
      );
      job.start();
      while (job.status !== "ready") {
        await backend.write(300000, filled(1000, 4));
        await new Promise((r) => void setTimeout(r, 1));
      }
      await backend.write(400000, filled(1000, pivot ? 6 : 5));
      if (pivot) job.complete();
      else job.cancel();
      await job.done;
      expect(job.error).toBeUndefined();
      const all = target.content();
      expect([all[0], all[65536], all[131072], all[300000], all[400000]]).toEqual([2, 3, 1, 4, pivot ? 6 : 5]);
      expect(backend.node).toBe(pivot ? node : top);
      if (!pivot) await graph.close(node.name);
    }
  });

  it("stops at an error of the target and goes on when it is resumed", async () => {
    const { graph, jobs, files, top, events } = await chain();
    const faulty = new FaultyFile(new MemoryFile("target", SIZE));
    files.add("target", faulty);
    const node = await graph.openFile("target", { driver: "raw" });
    faulty.fail({ at: 0, ops: ["write", "zero", "punch"], code: "ENOSPC" });
    const job = jobs.mirror(top, node, { sync: "full" }, { id: "m", onTargetError: "enospc" });
    job.start();
    while (job.status !== "paused") await new Promise((r) => void setTimeout(r, 1));
    expect(job.ioStatus).toBe("nospace");
    expect(events.find((e) => e.name === "BLOCK_JOB_ERROR")?.data).toEqual({
      device: "m",
      operation: "write",
      action: "stop",
    });
    job.resume();
    while (!job.isReady) await new Promise((r) => void setTimeout(r, 1));
    job.cancel(true);
    await job.done;
    expect(names(events).slice(-4)).toEqual(["aborting", "BLOCK_JOB_CANCELLED", "concluded", "null"]);
  });
});

describe("backup", () => {
  it("copies the disk as it was when it started", async () => {
    const { graph, jobs, files, top } = await chain();
    const target = new MemoryFile("target", SIZE);
    files.add("target", target);
    const node = await graph.openFile("target", { driver: "raw" });
    const { job, body } = jobs.backup(top, node, { sync: "full" }, { id: "b", speed: SIZE });
    await graph.drained([top], () => {
      body.freeze();
      job.start();
    });
    await top.write(131072, filled(4096, 9)); // before the job has got anywhere
    await top.write(SIZE - 4096, filled(4096, 9));
    await job.done;
    expect(job.error).toBeUndefined();
    expect([0, 65536, 131072, SIZE - 1].map((i) => target.content()[i])).toEqual([2, 3, 1, 1]);
    expect(await sample(top)).toEqual([2, 3, 9]);
  });

  it("copies what a bitmap says, and resets it", async () => {
    const { graph, jobs, files, top } = await chain();
    const target = new MemoryFile("target", SIZE);
    files.add("target", target);
    const bitmap = await graph.bitmaps.add(top, "b0", { granularity: 65536 });
    await top.write(0, filled(10, 5));
    await top.write(200000, filled(10, 5));
    expect(bitmap.bits.bytes).toBe(131072);
    const node = await graph.openFile("target", { driver: "raw" });
    const { job } = jobs.backup(top, node, { sync: "bitmap", bitmap }, { id: "b" });
    job.start();
    await job.done;
    expect(bitmap.bits.set).toBe(0);
    expect([0, 70000, 200000].map((i) => target.content()[i])).toEqual([5, 0, 5]);
  });

  it("keeps its speed", async () => {
    const { graph, jobs, files, top } = await chain();
    files.add("target", SIZE);
    const node = await graph.openFile("target", { driver: "raw" });
    const { job } = jobs.backup(top, node, { sync: "full" }, { id: "b", speed: SIZE / 2 });
    const start = graph.clock?.now() ?? 0;
    job.start();
    await job.done;
    expect((graph.clock?.now() ?? 0) - start).toBeGreaterThan(900);
    expect([job.current, job.total]).toEqual([SIZE, SIZE]);
  });
});

describe("a job", () => {
  it("takes each verb only in its states", async () => {
    const { jobs, top } = await chain();
    const job = jobs.stream(top, {}, { device: "top", autoFinalize: false, autoDismiss: false });
    expect(() => job.complete()).toThrow("Job 'top' in state 'created' cannot accept command verb 'complete'");
    job.start();
    while (job.status !== "pending") await new Promise((r) => void setTimeout(r, 1));
    expect(() => job.pause()).toThrow(/in state 'pending' cannot accept command verb 'pause'/);
    await job.finalize();
    expect(job.status).toBe("concluded");
    job.dismiss();
    expect(jobs.list()).toEqual([]);
  });
});
