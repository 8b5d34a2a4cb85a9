import { describe, expect, it } from "vitest";
import { layerGraph } from "../tests/layer-graph.ts";
import type { BlkdebugNode } from "./filters/blkdebug.ts";
import { type BlockGraph, FaultyFile, MemoryFile, openDrive } from "./index.ts";

const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);
const kind = (k: string): unknown => expect.objectContaining({ name: "BlockError", kind: k });

const raw = (filename: string): Record<string, unknown> => ({ driver: "raw", file: { driver: "file", filename } });

describe("throttling", () => {
  it("keeps the average over a run, with a burst ahead", async () => {
    const { graph, files, time } = layerGraph();
    files.add("d.img", 1 << 20);
    const { backend } = await openDrive(
      graph,
      { file: "d.img", format: "raw", "throttling.iops-total": "100" },
      { interface: "virtio", snapshot: false },
    );
    const buffer = new Uint8Array(512);
    await Promise.all(Array.from({ length: 200 }, (_, i) => backend.read(i * 512, buffer)));
    // 10 are ahead of the rate, 190 take 1.9 s.
    expect(time()).toBeGreaterThan(1700);
    expect(time()).toBeLessThan(2300);
  });

  it("is shared by the nodes of a group", async () => {
    const { graph, files, time } = layerGraph();
    files.add("a.img", 1 << 20).add("b.img", 1 << 20);
    graph.addThrottleGroup("tg", { "limits.bps-write": 512 * 100 });
    const a = await graph.open({ driver: "throttle", "throttle-group": "tg", file: raw("a.img") });
    const b = await graph.open({ driver: "throttle", "throttle-group": "tg", file: raw("b.img") });
    const bytes = filled(512, 1);
    await Promise.all([a, b].flatMap((n) => Array.from({ length: 60 }, (_, i) => n.write(i * 512, bytes))));
    await a.read(0, bytes);
    expect(time()).toBeGreaterThan(900);
    expect(() => graph.removeThrottleGroup("tg")).toThrow("object 'tg' is in use");
    expect(graph.removeThrottleGroup("no")).toBe(false);
    await expect(graph.open({ driver: "throttle", "throttle-group": "no", file: "x" })).rejects.toEqual(
      kind("not-found"),
    );
    for (const node of [a, b]) await graph.close(node.name);
    expect(graph.removeThrottleGroup("tg")).toBe(true);
  });
});

it("a throttle group refuses limits that there are not", () => {
  const { graph } = layerGraph();
  expect(() => graph.addThrottleGroup("tg", { limits: "5" })).toThrow("'limits' needs names");
  expect(() => graph.addThrottleGroup("tg", { "limits.x": "1" })).toThrow(
    "invalid parameter 'limits.x' (known: iops-size",
  );
});

describe("copy-on-read", () => {
  it("fetches each cluster once, and never over newer bytes", async () => {
    const { graph, files } = layerGraph();
    const below = new FaultyFile(new MemoryFile("base", filled(1 << 20, 7)));
    files.add("base", below).add("top", 512);
    const options = { driver: "copy-on-read", "file.driver": "layer", "file.file.driver": "file" };
    const n = await graph.open({
      ...options,
      "node-name": "cor",
      "file.file.filename": "top",
      "file.backing": raw("base"),
    });
    const into = new Uint8Array(4096);
    await n.read(1000, into);
    expect(into).toEqual(filled(4096, 7));
    const reads = below.calls.filter((c) => c.op === "read").length;
    await Promise.all([n.read(0, into), n.write(0, filled(512, 9)), n.read(512, new Uint8Array(512))]);
    expect(below.calls.filter((c) => c.op === "read")).toHaveLength(reads);
    await n.read(0, into);
    expect(into.subarray(0, 513)).toEqual(Uint8Array.from([...filled(512, 9), 7]));
  });
});

describe("blkdebug", () => {
  it("fails what rules say, in the states they name", async () => {
    const { graph, files } = layerGraph();
    const rules = `[set-state]\nevent = "flush_to_disk"\nstate = "1"\nnew_state = "2"\n\n[inject-error]\nevent = "write_aio"\nstate = "2"\nerrno = "28"\nonce = "on"\n`;
    files.add("d.img", 4096).add("rules", new TextEncoder().encode(rules));
    const n = await graph.openFile("blkdebug:rules:d.img", { driver: "raw" });
    await n.write(0, filled(512, 1));
    await n.flush();
    await expect(n.write(0, filled(512, 1))).rejects.toEqual(kind("no-space"));
    await n.write(0, filled(512, 1));
    const one = await graph.open({
      driver: "blkdebug",
      image: raw("d.img"),
      "inject-error": [{ event: "none", iotype: "read", sector: 1 }],
    });
    await one.read(0, new Uint8Array(512));
    await expect(one.read(0, new Uint8Array(1024))).rejects.toEqual(kind("io"));
  });
});

describe("limits of blkdebug", () => {
  const image = { driver: "null-co" };

  it.each([
    { align: 3 },
    { align: 2 ** 31 },
    { align: 4096, "max-transfer": 100 },
    { align: 4096, "opt-write-zero": 100 },
    { align: 512, "max-write-zero": 700 },
    { align: 512, "opt-discard": 700 },
    { "max-discard": 2 ** 32 },
  ])("%o cannot be met", async (limits) => {
    const [name, value] = Object.entries(limits).at(-1) ?? [];
    await expect(layerGraph().graph.open({ driver: "blkdebug", image, ...limits })).rejects.toThrow(
      `blkdebug: Cannot meet constraints with ${name} ${value}`,
    );
  });

  it.each([{ align: 0 }, { align: 2 ** 30 }, { "max-transfer": 100 }, { align: 512, "max-discard": 1024 }])(
    "%o can be met",
    async (limits) => {
      await layerGraph().graph.open({ driver: "blkdebug", image, ...limits });
    },
  );
});

describe("blkverify", () => {
  it("finds the first byte that differs", async () => {
    const { graph, files } = layerGraph();
    const bad = filled(4096, 1);
    files.add("raw", filled(4096, 1)).add("test", bad.with(700, 2));
    const n = await graph.open({ driver: "blkverify", test: raw("test"), raw: raw("raw") });
    await n.read(0, new Uint8Array(512));
    await expect(n.read(512, new Uint8Array(512))).rejects.toThrow(/mismatch at offset 700/);
    await n.write(512, filled(512, 5));
    await n.read(512, new Uint8Array(512));
  });
});

describe("breakpoints", () => {
  it("stop zeroing before and after, each once, and leave other requests alone", async () => {
    const { graph, files } = layerGraph();
    files.add("d.img", 4096);
    const node = await graph.open({ driver: "blkdebug", image: { driver: "file", filename: "d.img" } });
    const points = (node.inner as BlkdebugNode).breakpoints;
    const news: string[] = [];
    expect(points.set("no_such_event", "x")).toBe(false);
    for (const event of ["pwritev_zero", "pwritev_done"])
      points.set(event, event, (what, tag) => news.push(`${what} ${tag}`));
    const zeroed = node.writeZeroes(0, 512, false);
    await points.reached("pwritev_zero");
    await node.read(0, new Uint8Array(512));
    expect(points.resume("pwritev_zero")).toBe(true);
    await points.reached("pwritev_done");
    expect(points.remove("pwritev_done")).toBe(false);
    await zeroed;
    await node.writeZeroes(0, 512, false);
    expect(news).toEqual(["pwritev_zero", "pwritev_done"].flatMap((e) => [`Suspended ${e}`, `Resuming ${e}`]));
  });
});

describe("preallocate", () => {
  it("refuses ends that are not those of sectors", async () => {
    const { graph, files } = layerGraph();
    files.add("d.img", 512);
    const open = graph.open({
      driver: "preallocate",
      "prealloc-align": 700,
      file: { driver: "file", filename: "d.img" },
    });
    await expect(open).rejects.toThrow("preallocate: option 'prealloc-align': 700 is not a multiple of 512");
  });

  it("takes space ahead and gives it back", async () => {
    const { graph, files } = layerGraph();
    const f = new MemoryFile("d.img", 512);
    files.add("d.img", f);
    const n = await graph.open({
      driver: "preallocate",
      "prealloc-size": "1M",
      "prealloc-align": 4096,
      file: { driver: "file", filename: "d.img" },
    });
    await n.write(512, filled(512, 1));
    expect([n.size, await f.size()]).toEqual([1024, (1 << 20) + 4096]);
    await graph.close(n.name);
    expect(await f.size()).toBe(1024);
  });
});

describe("blklogwrites", () => {
  it("logs writes, flushes and discards, and goes on where it ended", async () => {
    const { graph, files } = layerGraph();
    const log = new MemoryFile("log", 512);
    files.add("d.img", 1 << 16).add("log", log);
    const open = (append: boolean): ReturnType<BlockGraph["open"]> =>
      graph.open({
        driver: "blklogwrites",
        file: { ...raw("d.img"), discard: "unmap" },
        log: { driver: "file", filename: "log" },
        "log-append": append,
      });
    const n = await open(false);
    await n.write(512, filled(1024, 3));
    await n.flush();
    await graph.close(n.name);
    const again = await open(true);
    await again.discard?.(0, 512);
    await graph.close(again.name);
    const bytes = log.content();
    const view = new DataView(bytes.buffer);
    expect([view.getUint32(0, true), view.getUint32(16, true), view.getUint32(24, true)]).toEqual([0x77736872, 5, 512]); // two flushes at closing
    const entry = (at: number): number[] => [0, 8, 16].map((o) => view.getUint32(at + o, true));
    expect([entry(512), entry(2048), entry(3072)]).toEqual([
      [1, 2, 0],
      [0, 0, 1],
      [0, 1, 4],
    ]);
    expect(bytes[1024]).toBe(3);
  });
});
