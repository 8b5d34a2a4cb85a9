import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import type { BlockNode, IoErrorEvent } from "./index.ts";
import plugin, {
  BlockError,
  BlockGraph,
  defineFormat,
  FaultyFile,
  MemoryFile,
  MemoryFiles,
  openDrive,
  OverlayNode,
  RawNode,
  FileNode,
} from "./index.ts";

/** A made-up format with a four-byte magic and an optional backing name: for probing and chains. */
const toy = defineFormat({
  name: "toy",
  summary: "test format",
  probe: (head) => (text(head.subarray(0, 4)) === "TOY!" ? 100 : 0),
  async open(file, _options, ctx) {
    const head = new Uint8Array(512);
    await file.read(0, head);
    const [, name = "", format] = text(head).replace(/\0+$/, "").split("\n");
    if (name === "" || ctx.explicitBacking === null)
      return new RawNode(ctx.name, file, { offset: 512, readOnly: ctx.readOnly });
    await file.close();
    return ctx.backing(name, format).then((n) => new RawNode(ctx.name, n, { readOnly: ctx.readOnly }));
  },
});
const text = (b: Uint8Array): string => String.fromCharCode(...b);
const bytes = (s: string, size = s.length): Uint8Array => {
  const out = new Uint8Array(size);
  for (let i = 0; i < s.length; i++) out[i] = s.charCodeAt(i);
  return out;
};
const filled = (n: number, v: number): Uint8Array => new Uint8Array(n).fill(v);
async function get(node: BlockNode, at: number, n: number): Promise<Uint8Array> {
  const out = new Uint8Array(n);
  await node.read(at, out);
  return out;
}
function setup(): { graph: BlockGraph; files: MemoryFiles; lines: string[] } {
  const files = new MemoryFiles();
  const lines: string[] = [];
  const registry = new Registry().use(plugin);
  registry.register(toy, "test");
  return { graph: new BlockGraph({ registry, files, warn: (m) => lines.push(m) }), files, lines };
}
const kind = (k: string): unknown => expect.objectContaining({ name: "BlockError", kind: k });
const virtio = { interface: "virtio", snapshot: false };

describe("errors", () => {
  it("are one line whatever an image calls its parts", () => {
    const { message } = new BlockError("corrupt", "'a\n\u001b[2J.img': size must be less");
    expect(message).toBe("'a\\x0a\\x1b[2J.img': size must be less");
  });
});

describe("the block graph", () => {
  it("opens -blockdev trees, nested and dotted, and closes them", async () => {
    const { graph, files } = setup();
    const disk = new MemoryFile("d.img", 4096);
    files.add("d.img", disk);
    await graph.open({ driver: "file", "node-name": "f0", filename: "d.img" });
    const n = await graph.open({ driver: "raw", "node-name": "r0", file: "f0", offset: "1k", size: 1024 });
    expect([n.size, n.name]).toEqual([1024, "r0"]);
    await n.write(0, filled(512, 7));
    expect(disk.content()[1024]).toBe(7);
    await expect(graph.close("f0")).rejects.toEqual(kind("in-use"));
    await graph.close("r0");
    await graph.close("f0");
    await expect(graph.open({ driver: "raw", "file.driver": "file", "file.filename": "nope" })).rejects.toEqual(
      kind("not-found"),
    );
    expect([...graph.nodes()]).toEqual([]);
  });

  it("names the option that is wrong", async () => {
    const { graph, files } = setup();
    files.add("d.img", 4096);
    await expect(graph.open({ driver: "rwa" })).rejects.toThrow(/Unknown block driver 'rwa'.*raw/);
    await expect(
      graph.open({ driver: "raw", sise: 1, "file.driver": "file", "file.filename": "d.img" }),
    ).rejects.toThrow(/sise/);
    await expect(
      graph.open({ driver: "raw", offset: 1 << 20, "file.driver": "file", "file.filename": "d.img" }),
    ).rejects.toThrow(/beyond the end/);
    await expect(graph.open({ driver: "raw" })).rejects.toThrow(/needs 'file'/);
  });

  it("keeps requests inside the node and refuses writes to a read-only one", async () => {
    const { graph, files } = setup();
    files.add("d.img", 4096);
    const n = await graph.open({ driver: "raw", "read-only": true, "file.driver": "file", "file.filename": "d.img" });
    await expect(n.read(4096 - 511, new Uint8Array(512))).rejects.toEqual(kind("out-of-range"));
    await expect(n.read(-1, new Uint8Array(1))).rejects.toEqual(kind("out-of-range"));
    await expect(n.write(0, new Uint8Array(512))).rejects.toEqual(kind("read-only"));
  });

  it("detects zeroes and honours the discard policy", async () => {
    const { graph, files } = setup();
    const f = new FaultyFile(new MemoryFile("d.img", 1 << 20));
    files.add("d.img", f);
    const n = await graph.open({
      driver: "raw",
      discard: "unmap",
      "detect-zeroes": "unmap",
      "file.driver": "file",
      "file.filename": "d.img",
    });
    await n.write(0, filled(65536, 0));
    await n.discard?.(0, 512);
    const keep = f.calls.map((c) => c.op);
    expect(keep).toEqual(["lock", "punch", "punch"]);
    const plain = await graph.open({ driver: "raw", "file.driver": "file", "file.filename": "d.img" });
    expect(plain.discard).toBeUndefined();
  });

  it("tells once that a file shrank, and each request fails", async () => {
    const { graph, files, lines } = setup();
    const f = new MemoryFile("d.img", 1 << 20);
    files.add("d.img", f);
    const n = await graph.openFile("d.img", { driver: "raw" });
    await f.truncate(4096);
    for (let i = 0; i < 3; i++) await expect(n.read(8192, new Uint8Array(512))).rejects.toEqual(kind("shrunk"));
    expect(lines.filter((l) => l.includes("shrank"))).toHaveLength(1); // by the protocol node; the format node above it knows
  });

  it("rounds an odd size up to a sector", async () => {
    const { graph, files } = setup();
    const f = new MemoryFile("d.img", filled(700, 5));
    files.add("d.img", f);
    const n = await graph.openFile("d.img", { driver: "raw" });
    expect(n.size).toBe(1024);
    expect((await get(n, 512, 512)).slice(180, 200)).toEqual(Uint8Array.from([...filled(8, 5), ...filled(12, 0)]));
    await n.write(512, filled(512, 6));
    expect(await f.size()).toBe(1024);
  });

  it("locks: a second holder is told which lock and which file", async () => {
    const { graph, files } = setup();
    const f = new FaultyFile(new MemoryFile("d.img", 4096));
    f.fail({ at: 0, ops: ["lock"], code: "EAGAIN" });
    files.add("d.img", f);
    await expect(graph.openFile("d.img", { driver: "raw" })).rejects.toThrow(/"write" lock on 'd.img'/);
  });
});

describe("probing", () => {
  it("finds a format by its header, and raw otherwise with a warning", async () => {
    const { graph, files, lines } = setup();
    files.add("a.toy", bytes("TOY!", 2048)).add("b.img", 4096);
    expect((await graph.openFile("a.toy")).driver).toBe("toy");
    expect(lines).toEqual([]);
    expect((await graph.openFile("b.img")).driver).toBe("raw");
    expect(lines[0]).toMatch(/b\.img.*guessed as raw/);
  });

  it("keeps a guest from turning its probed raw disk into another format", async () => {
    const { graph, files } = setup();
    files.add("b.img", 4096);
    const n = await graph.openFile("b.img");
    await expect(n.write(0, bytes("TOY!", 512))).rejects.toThrow(/Refused to write a toy header/);
    await expect(n.writev?.(0, [bytes("TO", 2), bytes("Y!", 510)])).rejects.toThrow(/Refused/);
    await n.write(0, bytes("MBR", 512));
    await n.write(512, bytes("TOY!", 512));
    const given = await graph.openFile("b.img", { driver: "raw" });
    await given.write(0, bytes("TOY!", 512));
  });

  it("opens what an image names only as a known format, never a protocol, never in a loop", async () => {
    const { graph, files } = setup();
    const chain = (name: string, to: string): unknown => files.add(name, bytes(`TOY!\n${to}`, 2048));
    files.add("/etc/passwd", bytes("root:x:0:0", 512)).add("x/base.toy", bytes("TOY!", 1024));
    chain("a", "/etc/passwd");
    await expect(graph.openFile("a")).rejects.toThrow(/without its format/);
    chain("b", 'json:{"driver":"file","filename":"/etc/passwd"}');
    await expect(graph.openFile("b")).rejects.toThrow(/only files, not 'json:'/);
    chain("c", "c");
    await expect(graph.openFile("c")).rejects.toThrow(/loop/);
    chain("d", "e");
    chain("e", "d");
    await expect(graph.openFile("d")).rejects.toThrow(/loop/);
    chain("x/top", "base.toy");
    const top = await graph.openFile("x/top");
    expect(top.size).toBe(512);
    expect([...graph.nodes()].every((n) => !n.name.includes("passwd"))).toBe(true);
    await graph.closeAll();
  });
});

describe("the temporary overlay", () => {
  it("agrees with a plain array under random requests, and never writes below", async () => {
    const size = 64 * 1024 + 512;
    const base = new FaultyFile(
      new MemoryFile(
        "base",
        Uint8Array.from({ length: size }, (_, i) => i & 255),
      ),
    );
    const below = await FileNode.open("b", base, { readOnly: true });
    const o = new OverlayNode("o", below);
    const model = Uint8Array.from({ length: size }, (_, i) => i & 255);
    let seed = 42;
    const rnd = (n: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
    for (let i = 0; i < 400; i++) {
      const at = rnd(size - 1);
      const n = 1 + rnd(Math.min(9000, size - at));
      if (i % 5 === 4) {
        await o.writeZeroes(at, n);
        model.fill(0, at, at + n);
      } else {
        await o.write(at, filled(n, i & 255));
        model.fill(i & 255, at, at + n);
      }
    }
    expect(await get(o, 0, size)).toEqual(model);
    expect(base.calls.some((c) => c.op === "write" || c.op === "punch")).toBe(false);
  });

  it("does not lose two partial writes to the same page in flight together", async () => {
    const below = await FileNode.open("b", new MemoryFile("base", filled(8192, 1)), { readOnly: true });
    const o = new OverlayNode("o", below);
    await Promise.all([
      o.write(0, filled(100, 2)),
      o.write(100, filled(100, 3)),
      o.write(4090, filled(10, 4)),
      o.writeZeroes(4096, 4096),
    ]);
    const got = await get(o, 0, 8192);
    expect([got[0], got[100], got[200], got[4090]]).toEqual([2, 3, 1, 4]);
  });

  it("stops at its limit with no-space", async () => {
    const below = await FileNode.open("b", new MemoryFile("base", 1 << 20), { readOnly: true });
    const o = new OverlayNode("o", below, 8192);
    await o.write(0, filled(8192, 1));
    await expect(o.write(8192, filled(1, 1))).rejects.toEqual(kind("no-space"));
    await o.writeZeroes(0, 4096);
    await o.write(8192, filled(1, 1));
    expect((await get(o, 8192, 2)).join()).toBe("1,0");
  });
});

describe("-drive", () => {
  it("opens a drive with its policies", async () => {
    const { graph, files } = setup();
    files.add("d.img", 4096);
    const d = await openDrive(
      graph,
      { file: "d.img", format: "raw", if: "none", id: "hd0", cache: "writethrough", werror: "report" },
      virtio,
    );
    expect([d.id, d.interface, d.backend.size, d.backend.writeCache, d.backend.werror]).toEqual([
      "hd0",
      "none",
      4096,
      false,
      "report",
    ]);
    expect(graph.backend("hd0")).toBe(d.backend);
    const named = await openDrive(graph, { driver: "null-co", size: "1M" }, virtio);
    expect([named.id, named.backend.size]).toEqual(["virtio0", 1 << 20]);
  });

  it("snapshot=on keeps the file as it was", async () => {
    const { graph, files } = setup();
    const f = new MemoryFile("d.img", filled(8192, 1));
    files.add("d.img", f);
    for (const extra of [{ snapshot: "on" }, {}]) {
      const d = await openDrive(graph, { file: "d.img", format: "raw", ...extra }, { ...virtio, snapshot: true });
      await d.backend.write(0, filled(512, 9));
      const back = new Uint8Array(1024);
      await d.backend.read(0, back);
      expect([back[0], back[512]]).toEqual([9, 1]);
    }
    expect(f.content()).toEqual(filled(8192, 1));
  });

  it("says what to do instead of options it refuses", async () => {
    const { graph, files } = setup();
    files.add("d.img", 4096);
    const no = (o: Record<string, unknown>): Promise<unknown> =>
      openDrive(graph, { file: "d.img", format: "raw", ...o }, virtio);
    await expect(no({ "throttling.bps-totl": 1 })).rejects.toThrow(/throttling.bps-totl/);
    await expect(no({ iops: 1, iops_rd: 1 })).rejects.toThrow(/cannot be used at the same time/);
    await expect(no({ serial: "x" })).rejects.toThrow(/-device DEVICE,drive=ID,serial/);
    await expect(no({ cache: "quick" })).rejects.toThrow(/one of writeback/);
    await expect(no({ if: "sata" })).rejects.toThrow(/'if'/);
    await expect(no({ id: "d", frobnicate: 1 })).rejects.toThrow(/frobnicate/);
    await no({ id: "one" });
    await expect(no({ id: "one" })).rejects.toThrow(/already used/);
  });

  it("falls back to read-only when the file may not be written", async () => {
    const { graph, files } = setup();
    const f = new MemoryFile("d.img", 4096);
    files.open = async (_path, o) => {
      if (o.writable) throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
      return f;
    };
    const d = await openDrive(graph, { file: "d.img", format: "raw" }, virtio);
    expect(d.backend.readOnly).toBe(true);
    await expect(graph.openFile("d.img", { driver: "raw" })).rejects.toEqual(kind("permission"));
  });
});

describe("error policies", () => {
  async function failing(code: string, o: Record<string, unknown>) {
    const { graph, files } = setup();
    const f = new FaultyFile(new MemoryFile("d.img", 4096));
    files.add("d.img", f);
    const d = await openDrive(graph, { file: "d.img", format: "raw", ...o }, virtio);
    const events: IoErrorEvent[] = [];
    d.backend.onIoError = (e) => events.push(e);
    f.fail({ at: 0, ops: ["write", "read"], code });
    return { backend: d.backend, f, events };
  }

  it("report", async () => {
    const { backend, events } = await failing("EIO", {});
    await expect(backend.write(0, filled(512, 1))).rejects.toBeInstanceOf(BlockError);
    expect(events).toMatchObject([{ operation: "write", action: "report", noSpace: false }]);
  });
  it("ignore", async () => {
    const { backend } = await failing("EIO", { werror: "ignore" });
    await backend.write(0, filled(512, 1));
    expect(backend.ioStatus).toBeUndefined(); // no error stops the machine
  });
  it("enospc stops the machine and retries when it runs again", async () => {
    const { backend, f, events } = await failing("ENOSPC", {});
    const write = backend.write(0, filled(512, 1));
    await backend.drain();
    expect([events.map((e) => e.action), backend.parked, backend.ioStatus]).toEqual([["stop"], 1, "nospace"]);
    f.fail(undefined);
    backend.retry();
    await write;
    expect(backend.ioStatus).toBe("ok");
    const got = new Uint8Array(1);
    await backend.read(0, got);
    expect(got[0]).toBe(1);
  });
});

describe("durability", () => {
  it("fail at the Nth call: what was acknowledged as flushed is in the file", async () => {
    for (let n = 0, failed = true; failed; n++) {
      const { graph, files } = setup();
      const disk = new MemoryFile("d.img", 1 << 16);
      const f = new FaultyFile(disk);
      files.add("d.img", f);
      f.fail({ at: n, ops: ["write", "flush"] });
      const d = await openDrive(graph, { file: "d.img", format: "raw" }, virtio);
      const promised: number[] = [];
      failed = false;
      for (let i = 0; i < 8 && !failed; i++) {
        try {
          await d.backend.write(i * 512, filled(512, i + 1));
          await d.backend.flush();
          promised.push(i);
        } catch {
          failed = true;
        }
      }
      for (const i of promised) expect(disk.content()[i * 512]).toBe(i + 1);
    }
  });

  it("cache=unsafe drops flushes, writethrough adds them", async () => {
    const { graph, files } = setup();
    const f = new FaultyFile(new MemoryFile("d.img", 4096));
    files.add("d.img", f);
    const unsafe = await openDrive(graph, { file: "d.img", format: "raw", cache: "unsafe" }, virtio);
    await unsafe.backend.flush();
    expect(f.calls.filter((c) => c.op === "flush")).toHaveLength(0);
    const through = await openDrive(graph, { file: "d.img", format: "raw", cache: "writethrough" }, virtio);
    await through.backend.write(0, filled(512, 1));
    expect(f.calls.filter((c) => c.op === "flush")).toHaveLength(1);
  });

  it("drain waits for requests in flight", async () => {
    const { graph, files } = setup();
    const f = new FaultyFile(new MemoryFile("d.img", 4096));
    files.add("d.img", f);
    let open: () => void = () => undefined;
    const { backend } = await openDrive(graph, { file: "d.img", format: "raw", "file.locking": "off" }, virtio);
    f.gate = () => new Promise((resolve) => (open = resolve));
    const write = backend.write(0, filled(512, 1));
    let drained = false;
    const drain = graph.drain().then(() => (drained = true));
    await Promise.resolve();
    expect([drained, backend.inFlight]).toEqual([false, 1]);
    while (backend.inFlight > 0) {
      open();
      await new Promise((r) => setTimeout(r, 0));
    }
    await Promise.all([write, drain]);
  });
});
