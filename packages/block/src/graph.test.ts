import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import { layerGraph } from "../tests/layer-graph.ts";
import type { BlockNode, HostFile, HostFiles, LockRequest } from "./index.ts";
import plugin, {
  Bitmap,
  BlockGraph,
  createImage,
  defineFormat,
  lockFor,
  MemoryFile,
  MemoryFiles,
  openImage,
  openDrive,
  OverlayNode,
  parseLimits,
  RangeLock,
  raw,
  snapshotAction,
  ThrottleGroup,
  transact,
} from "./index.ts";

const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);
const kind = (k: string): unknown => expect.objectContaining({ name: "BlockError", kind: k });

/** A file that remembers its locks. */
class LockedFile extends MemoryFile {
  readonly locks: LockRequest[] = [];
  async lock(request: LockRequest): Promise<void> {
    this.locks.push(request);
  }
}
/** A layer in memory over `backing`, with a further role. */
const layer = defineFormat({
  name: "layer",
  summary: "test format",
  children: ["data-file"],
  probe: (head) => (head[0] === 0x4c ? 100 : 0),
  async open(file, _options, ctx) {
    await file.close();
    await ctx.children["data-file"]?.close();
    return new OverlayNode(ctx.name, ctx.explicitBacking ?? (await ctx.backing("base")));
  },
});
function setup(files: MemoryFiles = new MemoryFiles()): { graph: BlockGraph; files: MemoryFiles } {
  const registry = new Registry().use(plugin);
  registry.register(layer, "test");
  return { graph: new BlockGraph({ registry, files, warn: () => undefined }), files };
}
const file = (filename: string, more: object = {}): Record<string, unknown> => ({ driver: "file", filename, ...more });

describe("openImage and createImage", () => {
  it("make, open and grow an image without a graph", async () => {
    const disk = new MemoryFile("d.img", filled(5000, 1));
    await createImage(raw, disk, 1000);
    expect(disk.content()).toEqual(new Uint8Array(1024));
    const node = await openImage(raw, disk);
    await node.resize?.(4096);
    await node.write(4095, filled(1, 7));
    expect((await disk.read(4095, new Uint8Array(1))) && disk.content()[4095]).toBe(7);
    await expect(node.write(4095, filled(2, 7))).rejects.toEqual(kind("out-of-range"));
    const closed = await openImage(raw, new MemoryFile("r", 512), { readOnly: true });
    await expect(closed.write(0, filled(1, 1))).rejects.toEqual(kind("read-only"));
    await expect(openImage(raw, new MemoryFile("r", 512), { options: { offset: 1024 } })).rejects.toEqual(
      kind("bad-option"),
    );
  });

  it("refuse what nobody allowed", async () => {
    const head = filled(512, 0x4c);
    await expect(openImage(layer, new MemoryFile("l", head))).rejects.toThrow(
      /names the backing file 'base', and nothing/,
    );
    const below: BlockNode = await openImage(raw, new MemoryFile("b", filled(512, 3)));
    const node = await openImage(layer, new MemoryFile("l", head), { backing: async () => below });
    const into = new Uint8Array(1);
    await node.read(0, into);
    expect(into[0]).toBe(3);
    await expect(createImage(layer, new MemoryFile("l"), 512)).rejects.toThrow(/does not support image creation/);
  });
});

describe("the graph", () => {
  it("locks as what stands on a file needs", async () => {
    const seen = async (open: (graph: BlockGraph) => Promise<unknown>): Promise<LockRequest | undefined> => {
      const disk = new LockedFile("d", filled(4096, 0x4c));
      const { graph } = setup(new MemoryFiles().add("d", disk as HostFile).add("base", 512));
      await open(graph);
      return disk.locks[0];
    };
    const ro = { "read-only": true };
    expect(await seen((g) => g.open({ driver: "raw", file: file("d") }))).toEqual({ uses: 3, shares: 15 });
    expect(await seen((g) => g.open({ driver: "raw", file: file("d") }, { use: "device" }))).toEqual({
      uses: 3,
      shares: 13,
    });
    expect(await seen((g) => g.openFile("d", { backing: file("base") }))).toEqual({ uses: 11, shares: 5 });
    expect(await seen((g) => g.openFile("d", { backing: file("base"), ...ro }))).toEqual({ uses: 1, shares: 5 });
    expect(await seen((g) => g.openFile("d", { backing: file("base"), ...ro, "force-share": true }))).toEqual({
      uses: 1,
      shares: 15,
    });
    await expect(seen((g) => g.open({ driver: "raw", file: file("d"), "force-share": true }))).rejects.toThrow(
      /force-share=on can only be used with read-only images/,
    );
    expect(lockFor("raw", true, false)).toEqual({ uses: 1, shares: 15 });
  });

  it("closes a node when nobody holds it any more", async () => {
    const { graph, files } = setup();
    files.add("l", filled(512, 0x4c)).add("base", 4096).add("x", 512);
    await graph.open({ driver: "raw", "node-name": "base", file: file("base") });
    const top = await graph.open({
      driver: "layer",
      "node-name": "top",
      file: file("l"),
      backing: "base",
      "data-file": file("x"),
    });
    expect(Object.keys(top.children)).toEqual(["backing"]);
    await expect(graph.close("base")).rejects.toThrow(/'base' is used by node 'top' \(as backing\)/);
    graph.node("base").monitor = false;
    await graph.close("top");
    expect([...graph.nodes()]).toEqual([]);
  });

  it("finds loops and opens what it is allowed to", async () => {
    const { graph, files } = setup();
    files.add("base", filled(512, 0x4c));
    await expect(graph.openFile("base")).rejects.toThrow(/a backing chain that loops/);
    files.add("base", filled(512, 0)).add("l", filled(512, 0x4c));
    await expect(graph.openFile("l")).rejects.toThrow(/without its format/);
    const open = new BlockGraph({ ...graph.host, allow: (name) => name === "base" });
    expect((await open.openFile("l")).driver).toBe("layer");
  });

  it("makes images with the options of their format", async () => {
    const { graph, files } = setup();
    await graph.create("raw", "new.img", 1 << 20, { preallocation: "full" });
    expect(await files.files.get("new.img")?.size()).toBe(1 << 20);
    await expect(graph.create("raw", "x", 512, { cluster_size: 4 })).rejects.toThrow(/cluster_size/);
    await expect(graph.create("raw", "x", undefined)).rejects.toThrow("Image creation needs a size parameter");
    await expect(graph.create("layer", "x", 512)).rejects.toThrow(/does not support image creation/);
    await expect(graph.create("file", "x", 512)).rejects.toThrow(/is no image format/);
  });

  it("holds requests back while it is drained, and takes snapshots then", async () => {
    const { graph, files } = setup();
    const base = new MemoryFile("base", 4096);
    files.add("base", base).add("l", filled(512, 0x4c));
    const node = await graph.open({ driver: "raw", "node-name": "n", file: file("base") });
    const over = await graph.open({ driver: "layer", "node-name": "o", file: file("l"), backing: file("base") });
    over.setBacking?.(undefined);
    await over.edges.get("backing")?.close();
    const backend = graph.backend("n");
    await transact(graph, [
      snapshotAction(graph, node, async () => {
        void backend?.write(0, filled(512, 5));
        return over;
      }),
    ]);
    await backend?.drain();
    await backend?.write(512, filled(512, 6));
    expect(backend?.node).toBe(over);
    expect(node.readOnly).toBe(true);
    // The request that was held back went to the overlay, too.
    expect(base.content()).toEqual(new Uint8Array(4096));
    const into = new Uint8Array(1024);
    await over.read(0, into);
    expect([into[0], into[512]]).toEqual([5, 6]);
  });
});

describe("a bitmap", () => {
  it("marks, finds, clears and packs granules", () => {
    const b = new Bitmap(1_000_000, 4096);
    b.mark(5000, 1);
    b.mark(999_999, 1);
    expect([b.set, b.bytes, b.bits]).toEqual([2, 4096 + (1_000_000 - 244 * 4096), 245]);
    expect(b.next(0, 1 << 20)).toEqual({ at: 4096, length: 4096 });
    expect(b.next(8192, 1 << 20)).toEqual({ at: 244 * 4096, length: 1_000_000 - 244 * 4096 });
    const other = new Bitmap(1_000_000, 65536);
    other.unpack(new Uint8Array([0b10]));
    expect(other.next(0, 1 << 20)).toEqual({ at: 65536, length: 65536 });
    b.merge(other);
    expect(b.pack().slice(0, 5)).toEqual(new Uint8Array([2, 0, 0xff, 0xff, 0]));
    b.unmark(0, 900_000);
    b.resize(900_000);
    expect([b.set, b.next(0, 1 << 20)]).toEqual([0, undefined]);
    const all = new Bitmap(2 ** 40, 65536);
    all.mark(65536, 2 ** 40);
    expect([all.set, all.next(0, 2 ** 40)]).toEqual([2 ** 24 - 1, { at: 65536, length: 2 ** 40 - 65536 }]);
    all.unmark(2 ** 30, 2 ** 39);
    expect(all.set).toBe(2 ** 24 - 1 - 2 ** 23);
    const model = new Set<number>();
    const some = new Bitmap(5000 * 512, 512);
    for (let i = 0, x = 1; i < 300; i++) {
      x = (x * 48271) % 0x7fffffff;
      const [from, many] = [x % 5000, (x >>> 13) % 200];
      for (let bit = from; bit < Math.min(5000, from + many); bit++)
        if (i % 3 > 0) model.add(bit);
        else model.delete(bit);
      if (i % 3 > 0) some.mark(from * 512, many * 512);
      else some.unmark(from * 512, many * 512);
    }
    expect(some.set).toBe(model.size);
    for (let bit = 0; bit < 5000; bit++) expect(some.has(bit * 512)).toBe(model.has(bit));
    const wide = new Bitmap(2 ** 44, 65536);
    wide.mark(2 ** 43, 1);
    expect(wide.next(0, 2 ** 40)).toEqual({ at: 2 ** 43, length: 65536 });
  });
});

describe("options that contradict each other, or never end", () => {
  const deep = (levels: number): Record<string, unknown> =>
    levels === 0 ? { driver: "null-co" } : { driver: "raw", file: deep(levels - 1) };
  it.each([
    [
      "a name and options of one node",
      { driver: "raw", file: "a", "file.driver": "null-co" },
      "Parameters 'file.*' used inconsistently",
    ],
    [
      "options and a name of one node",
      { driver: "raw", "file.driver": "null-co", file: "a" },
      "Parameters 'file.*' used inconsistently",
    ],
    ["a deep object", deep(300), "nested more than 256 deep"],
    ["a deep name", { driver: "raw", [`${"file.".repeat(5000)}driver`]: "null-co" }, "nested more than 256 deep"],
    [
      "a prototype",
      JSON.parse('{"driver":"null-co","__proto__":{"size":5}}') as Record<string, unknown>,
      "'__proto__' is unexpected",
    ],
  ])("%s", async (_what, options, message) => {
    const { graph } = layerGraph();
    await expect(graph.open(options)).rejects.toThrow(message);
  });

  it.each([
    [{ format: "" }, "'format': expected the name of a format"],
    [{ format: "raw", driver: "raw" }, "format= and driver= exclude each other"],
    [{ format: "raw", readonly: "on", "read-only": "off" }, "readonly= and read-only= exclude each other"],
    [{ format: "raw", index: "1", bus: "1" }, "index= and bus= exclude each other"],
    [{ format: "raw", id: "1a" }, "'id': expected an identifier"],
    [{ format: "raw", iops_size: "1" }, "iops size requires an iops value"],
  ])("-drive %j", async (options, message) => {
    const { graph, files } = layerGraph();
    files.add("d.img", 1 << 20);
    const opened = openDrive(graph, { file: "d.img", ...options }, { interface: "virtio", snapshot: false });
    await expect(opened).rejects.toThrow(message);
  });
});

describe("limits", () => {
  it("are checked as QEMU checks them", () => {
    const parse = (o: Record<string, unknown>): unknown => parseLimits(o, (k) => k);
    expect(() => parse({ "iops-total-max": 5 })).toThrow(/require corresponding/);
    expect(() => parse({ "iops-total": 10, "iops-total-max": 5 })).toThrow(/cannot be lower/);
    expect(() => parse({ "iops-total": 10, "iops-total-max-length": 5 })).toThrow(/without burst rate/);
    expect(() => parse({ "bps-total": 10, "bps-read": 5 })).toThrow(/at the same time/);
  });

  it("let a burst of its length pass", async () => {
    let now = 0;
    const clock = { now: () => now, delay: async (ns: number) => void (now += ns / 1e6) };
    const group = new ThrottleGroup(
      "g",
      parseLimits({ "iops-total": 10, "iops-total-max": 100, "iops-total-max-length": 2 }, (k) => k),
    );
    for (let i = 0; i < 200; i++) await group.admit(false, 512, clock);
    expect(now).toBeGreaterThan(1500);
    expect(now).toBeLessThan(2500);
    const then = now;
    for (let i = 0; i < 50; i++) await group.admit(false, 512, clock);
    expect(now - then).toBeGreaterThan(2500);
  });

  it("keep overlapping ranges apart", async () => {
    const lock = new RangeLock();
    const order: string[] = [];
    const one = await lock.acquire(0, 100);
    const two = lock.run(50, 100, async () => void order.push("two"));
    await lock.run(200, 1, async () => void order.push("free"));
    order.push("release");
    one();
    await two;
    expect(order).toEqual(["free", "release", "two"]);
  });
});

describe("cache.direct", () => {
  /** Files that remember how they were opened; "old.img" lies where the host's cache cannot be passed by. */
  class CachedFiles extends MemoryFiles {
    readonly opens: string[] = [];
    override async open(path: string, opts: Parameters<HostFiles["open"]>[1]): Promise<HostFile> {
      if (opts.direct === true && path === "old.img") throw new Error("filesystem does not support O_DIRECT");
      this.opens.push(`${path}${opts.writable ? "" : " read-only"}${opts.direct === true ? " direct" : ""}`);
      return super.open(path, opts);
    }
  }
  const options = (direct: boolean, more: object = {}): Record<string, unknown> => ({
    ...{ driver: "raw", "node-name": "n", file: file("d.img"), cache: { direct } },
    ...more,
  });

  it("changes while the node is open, in the files that it opened itself", async () => {
    const files = new CachedFiles().add("d.img", 4096) as CachedFiles;
    const { graph } = setup(files);
    const node = await graph.open(options(false));
    await node.write(0, filled(512, 5));
    await graph.reopen([options(true)]);
    expect(files.opens).toEqual(["d.img", "d.img direct"]);
    expect([node.options.direct, node.edges.get("file")?.target.options.direct]).toEqual([true, true]);
    const into = filled(512, 0);
    await node.read(0, into);
    expect(into).toEqual(filled(512, 5));
    await graph.reopen([options(true, { "read-only": true })]);
    expect(files.opens.at(-1)).toBe("d.img read-only direct");
    await graph.reopen([options(false, { "read-only": true })]);
    expect(files.opens.at(-1)).toBe("d.img read-only");
    await graph.closeAll();
  });

  it("stays where the host refuses it, and where a node has its own", async () => {
    const files = new CachedFiles().add("old.img", 4096).add("d.img", 4096) as CachedFiles;
    const { graph } = setup(files);
    const old = (direct: boolean): Record<string, unknown> => options(direct, { file: file("old.img") });
    const node = await graph.open(old(false));
    await expect(graph.reopen([old(true)])).rejects.toThrow("O_DIRECT");
    expect(node.options.direct).toBe(false);
    await node.write(0, filled(512, 5));
    await graph.closeAll();
    const own = (direct: boolean): Record<string, unknown> =>
      options(direct, { file: file("d.img", { cache: { direct: false } }) });
    await graph.open(own(false));
    files.opens.length = 0;
    await graph.reopen([own(true)]);
    expect(files.opens).toEqual([]);
    await graph.closeAll();
  });
});
