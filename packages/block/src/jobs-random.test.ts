import { describe, expect, it } from "vitest";
import { type Dress, layerGraph } from "../tests/layer-graph.ts";
import type { BlockBackend, BlockGraph, BlockNode, GraphNode, Job } from "./index.ts";
import { allocatedAbove } from "./chain.ts";
import { FaultyFile, Jobs, MemoryFile } from "./index.ts";

const SIZE = 1 << 18;
const UNIT = 512;

/** Layers whose requests take their time. */
const slow: Dress = (node) => {
  const read = node.read.bind(node);
  const write = node.write.bind(node);
  return {
    image: { ...node.image, changeBacking: async () => undefined },
    read: async (at, into) => (await pause(), read(at, into)),
    write: async (at, from) => (await pause(), write(at, from)),
  };
};

const pause = (): Promise<void> => new Promise((resolve) => queueTicks(1 + Math.floor(random() * 6), resolve));
function queueTicks(n: number, done: () => void): void {
  if (n <= 0) done();
  else void Promise.resolve().then(() => queueTicks(n - 1, done));
}
let seed = 1;
/** xorshift32: the same run for the same seed. */
function random(): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) / 2 ** 32;
}

interface Rig {
  readonly graph: BlockGraph;
  readonly jobs: Jobs;
  readonly backend: BlockBackend;
  readonly model: Uint8Array;
  readonly target: MemoryFile;
  readonly faulty: FaultyFile;
}

async function chain(): Promise<Rig> {
  const { graph, files } = layerGraph(slow);
  const model = new Uint8Array(SIZE).fill(1);
  const target = new MemoryFile("target", SIZE);
  const faulty = new FaultyFile(target);
  faulty.gate = pause;
  files.add("base", new MemoryFile("base", model.slice())).add("x", 512).add("target", faulty);
  let below = "base";
  await graph.open({
    driver: "raw",
    "node-name": "base",
    "read-only": true,
    file: { driver: "file", filename: "base" },
  });
  let top: GraphNode | undefined;
  for (const name of ["one", "two", "top"]) {
    top = await graph.open({
      driver: "layer",
      "node-name": name,
      file: { driver: "file", filename: "x" },
      backing: below,
    });
    for (let i = 0; i < 40; i++) await put(top, model);
    graph.node(below).monitor = false;
    below = name;
  }
  const backend = graph.addBackend("d0");
  graph.give(backend, top as GraphNode);
  return { graph, jobs: new Jobs(graph), backend, model, target, faulty };
}

/** One change at a random place from `from` on, in the node and in the model. */
async function put(node: Pick<BlockNode, "write">, model: Uint8Array, from = 0, room = SIZE): Promise<void> {
  const at = from + Math.floor((random() * room) / UNIT) * UNIT;
  const length = Math.min(from + room - at, UNIT * (1 + Math.floor(random() * 20)));
  const value = Math.floor(random() * 256);
  model.fill(value, at, at + length);
  await node.write(at, new Uint8Array(length).fill(value));
}

/** Writes until the job is over, in four places at once. Requests in flight never overlap: their order would be open. */
async function busy(rig: Rig, job: Job): Promise<void> {
  const part = SIZE / 4;
  const writer = async (from: number): Promise<void> => {
    while (job.status !== "concluded" && job.status !== "null") {
      await put(rig.backend, rig.model, from, part);
      if (random() < 0.2) await new Promise((r) => void setTimeout(r, 0));
    }
  };
  await Promise.all([0, 1, 2, 3].map((i) => writer(i * part)));
}

async function same(node: BlockNode | undefined, model: Uint8Array): Promise<void> {
  const all = new Uint8Array(SIZE);
  await node?.read(0, all);
  const wrong = all.findIndex((b, i) => b !== model[i]);
  expect(wrong, `byte ${wrong} is ${all[wrong]}, wanted ${model[wrong]}`).toBe(-1);
}

const KINDS = ["stream", "commit", "active", "mirror", "blocking", "backup"] as const;

async function start(rig: Rig, kind: (typeof KINDS)[number]): Promise<{ job: Job; once: Uint8Array }> {
  const { graph, jobs, backend } = rig;
  const node = graph.node(backend.node?.name ?? "");
  const target = async (): Promise<GraphNode> => graph.openFile("target", { driver: "raw" });
  const id = { id: "j" };
  if (kind === "stream") return started(jobs.stream(node, {}, id), rig);
  if (kind === "commit") return started(jobs.commit(node, { top: graph.node("two") }, id), rig);
  if (kind === "active") return started(jobs.commit(node, {}, id), rig);
  if (kind === "backup") {
    const { job, body } = jobs.backup(node, await target(), { sync: "full" }, id);
    let then = rig.model.slice();
    await graph.drained([node], () => {
      then = rig.model.slice();
      body.freeze();
      job.start();
    });
    return { job, once: then };
  }
  const copyMode = kind === "mirror" ? "background" : "write-blocking";
  return started(jobs.mirror(node, await target(), { sync: "full", copyMode, granularity: 4096 }, id), rig);
}
function started(job: Job, rig: Rig): { job: Job; once: Uint8Array } {
  job.start();
  return { job, once: rig.model };
}

describe("jobs under a guest that writes", { timeout: 60_000 }, () => {
  for (const kind of KINDS)
    it(`${kind}: no byte is lost`, async () => {
      for (let round = 1; round <= 4; round++) {
        seed = round * 7919;
        const rig = await chain();
        const { job, once } = await start(rig, kind);
        const guest = busy(rig, job);
        if (kind === "active" || kind === "mirror" || kind === "blocking") {
          for (let tries = 0; !job.isReady && tries < 2000; tries++) await new Promise((r) => void setTimeout(r, 0));
          expect(job.isReady).toBe(true);
          job.complete();
        }
        await job.done;
        await guest;
        expect(job.error).toBeUndefined();
        await same(rig.backend.node, rig.model);
        if (kind === "backup") await same(await openRaw(rig), once);
        if (kind === "mirror" || kind === "blocking") expect(rig.backend.node?.filename).toBe("target");
        if (kind === "stream") expect([...rig.graph.nodes()].map((n) => n.name)).toEqual(["top"]);
        if (kind === "active") expect(rig.backend.node?.name).toBe("base");
        if (kind === "commit")
          expect((await allocatedAbove(rig.graph.node("top"), undefined, 0, 512)).length).toBe(512);
        await put(rig.backend, rig.model);
        await same(rig.backend.node, rig.model);
        await rig.graph.closeAll();
      }
    });

  it("failures of the target end the job and leave the guest alone", async () => {
    for (const kind of ["mirror", "blocking", "backup"] as const)
      for (let at = 0; at < 12; at++) {
        seed = at + 1;
        const rig = await chain();
        const { job } = await start(rig, kind);
        const ops = ["write", "zero", "punch", "flush"] as const;
        const calls = (): number => rig.faulty.calls.filter((c) => ops.some((op) => op === c.op)).length;
        const before = calls();
        rig.faulty.fail({ at, ops, every: true });
        const guest = busy(rig, job);
        for (let tries = 0; job.status === "running" && tries < 2000; tries++)
          await new Promise((r) => void setTimeout(r, 0));
        if (job.status === "ready") job.complete();
        await job.done;
        await guest;
        const failed = calls() - before > at;
        rig.faulty.fail(undefined);
        expect(job.error !== undefined, `${kind}, failure ${at}`).toBe(failed);
        if (failed) expect(rig.backend.node?.name).toBe("top");
        await put(rig.backend, rig.model);
        await same(rig.backend.node, rig.model);
        await rig.graph.closeAll();
      }
  });
});

async function openRaw(rig: Rig): Promise<BlockNode> {
  for (const node of rig.graph.nodes()) if (node.filename === "target" && node.driver === "raw") return node;
  return rig.graph.openFile("target", { driver: "raw" });
}
