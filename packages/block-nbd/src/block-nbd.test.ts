import block, { type BlockNode, BlockGraph, FileNode, MemoryFile, MemoryFiles } from "@mimus/block";
import { type ByteStream, NbdServer, streamPair } from "@mimus/nbd";
import { Registry } from "@mimus/qom";
import { testManifest } from "@mimus/testkit";
import { describe, expect, test } from "vitest";

import manifest from "../package.json" with { type: "json" };
import nbd from "./index.ts";

testManifest(manifest, nbd);

const SIZE = 1 << 20;

/** A server in this program that may be away, and the graph of a client. */
class Rig {
  readonly streams: ByteStream[] = [];
  readonly asked: unknown[] = [];
  server: NbdServer | undefined;
  /** Waits of the client that have not ended. */
  readonly waits: { readonly ns: number; readonly end: () => void }[] = [];
  readonly node: BlockNode;
  /** Clients that are served; further ones connect and wait. */
  most = Number.POSITIVE_INFINITY;
  readonly standing: ByteStream[] = [];
  /** Of those, how many have given up. */
  ended = 0;

  private constructor(node: BlockNode) {
    this.node = node;
    this.start(node);
  }
  static async make(): Promise<Rig> {
    return new Rig(await memory(SIZE));
  }
  start(node: BlockNode, multiConn = true): void {
    this.server = new NbdServer();
    this.server.add({ name: "d", node, writable: true, multiConn });
  }
  /** The server is gone, and with it all connections. */
  stop(): void {
    this.server = undefined;
    for (const stream of this.streams.splice(0)) stream.destroy();
  }
  graph(services = true): BlockGraph {
    const connect = async (address: unknown): Promise<ByteStream> => {
      this.asked.push(address);
      if (this.server === undefined) throw new Error("Connection refused");
      const [a, b] = streamPair();
      if (this.streams.length < this.most) {
        void this.server.serve(a);
        this.streams.push(b);
      } else {
        this.standing.push(b);
        a.onClose(() => this.ended++);
      }
      return b;
    };
    return new BlockGraph({
      registry: new Registry().use(block).use(nbd),
      files: new MemoryFiles(),
      warn: () => undefined,
      delay: (ns) => new Promise((resolve) => this.waits.push({ ns, end: resolve })),
      services: services ? { sockets: { connect, listen: () => Promise.reject(new Error("no")) } } : {},
    });
  }
  open(options: Record<string, unknown> = {}): Promise<BlockNode> {
    return this.graph().openFile("nbd://h/d", { driver: "raw", discard: "unmap", file: options });
  }
  /** Ends the shortest wait. */
  pass(): void {
    this.waits.sort((a, b) => a.ns - b.ns);
    this.waits.shift()?.end();
  }
}

async function memory(size: number): Promise<BlockNode> {
  return FileNode.open("m", new MemoryFile("m", size), { readOnly: false, locking: false } as never);
}

async function turns(count = 300): Promise<void> {
  for (let n = 0; n < count; n++) await Promise.resolve();
}

test("reads, writes, zeroes, trims, asks for status", async () => {
  const rig = await Rig.make();
  const node = await rig.open();
  expect(rig.asked).toEqual([{ type: "inet", host: "h", port: 10809 }]);
  expect(node.size).toBe(SIZE);
  await node.write(1000, new Uint8Array(5000).fill(3));
  await node.writeZeroes?.(2000, 1000, true);
  await node.discard?.(0, 512);
  await node.flush();
  const into = new Uint8Array(5000);
  await node.read(1000, into);
  expect([into[0], into[999], into[1000], into[1999], into[2000]]).toEqual([3, 3, 0, 0, 3]);
  expect(await node.blockStatus?.(0, SIZE)).toMatchObject({ allocated: true });
  await node.close();
});

describe("several connections", () => {
  test("share the requests, and lose none when they are lost", async () => {
    const rig = await Rig.make();
    const node = await rig.open({ connections: 3, "reconnect-delay": 10 });
    await turns();
    expect(rig.streams.length).toBe(3);
    const pieces = Array.from({ length: 24 }, (_, n) => new Uint8Array(4096).fill(n + 1));
    await Promise.all(pieces.map((piece, n) => node.write(n * 4096, piece)));
    await node.flush();
    rig.stop();
    rig.start(rig.node);
    const into = pieces.map(() => new Uint8Array(4096));
    await Promise.all(into.map((piece, n) => node.read(n * 4096, piece)));
    expect(into).toEqual(pieces);
    expect(rig.streams.length).toBe(3);
    await node.close();
  });

  test("are made only where the server says that a flush covers all of them", async () => {
    const rig = await Rig.make();
    rig.start(rig.node, false);
    const node = await rig.open({ connections: 3 });
    await turns();
    expect(rig.streams.length).toBe(1);
    await node.close();
  });

  test("are not waited for: a server that takes one client leaves the others standing", async () => {
    const rig = await Rig.make();
    rig.most = 1;
    const node = await rig.open({ connections: 2 });
    await node.write(0, new Uint8Array(512).fill(9));
    const into = new Uint8Array(512);
    await node.read(0, into);
    expect(into[511]).toBe(9);
    expect(rig.standing.length).toBe(1);
    await node.close();
    await turns();
    expect(rig.ended).toBe(1);
  });
});

describe("options", () => {
  test.each([
    [{ driver: "nbd" }, /needs server.host/],
    [{ driver: "nbd", "server.type": "unix" }, /needs server.path/],
    [{ driver: "nbd", "server.type": "fd", "server.str": "x" }, /needs server.str=NUMBER/],
    [{ driver: "nbd", host: "h", port: "99999" }, /port 99999/],
    [{ driver: "nbd", host: "h", "tls-hostname": "x" }, /needs tls-creds/],
    [{ driver: "nbd", host: "h", "tls-creds": "x" }, /offers no TLS/],
    [{ driver: "nbd", host: "h", export: "d", "x-dirty-bitmap": "b" }, /no context 'b'/],
    [{ driver: "nbd", host: "h", export: "nothing" }, /there is no export 'nothing'/],
    [{ driver: "nbd", host: "h", nonsense: 1 }, /nonsense/],
    [{ driver: "nbd", host: "h", "reconnect-delay": "x" }, /option 'reconnect-delay': expected a number/],
  ])("%j is refused", async (options, message) => {
    const rig = await Rig.make();
    await expect(rig.graph().open({ "node-name": "n", ...options })).rejects.toThrow(message);
  });

  test("sockets that are not there are said to be missing", async () => {
    const rig = await Rig.make();
    await expect(rig.graph(false).openFile("nbd://h/d", { driver: "raw" })).rejects.toThrow(/needs sockets/);
  });

  test("addresses of all kinds", async () => {
    const rig = await Rig.make();
    const graph = rig.graph();
    for (const options of [
      { path: "/s" },
      { "server.type": "unix", "server.path": "/s" },
      { "server.type": "fd", "server.str": "7" },
    ])
      await graph.open({ driver: "nbd", export: "d", "node-name": `n${rig.asked.length}`, ...options });
    await graph.openFile("nbd+unix:///d?socket=/t", { driver: "raw" });
    expect(rig.asked).toEqual([
      { type: "unix", path: "/s" },
      { type: "unix", path: "/s" },
      { type: "fd", fd: 7 },
      { type: "unix", path: "/t" },
    ]);
  });
});

describe("a lost connection", () => {
  test("fails what is under way, and the next request tries once", async () => {
    const rig = await Rig.make();
    const node = await rig.open();
    rig.stop();
    await expect(node.read(0, new Uint8Array(10))).rejects.toMatchObject({ kind: "io" });
    await expect(node.read(0, new Uint8Array(10))).rejects.toThrow(/Connection refused/);
    rig.start(rig.node);
    await node.read(0, new Uint8Array(10));
  });

  test("with reconnect-delay requests wait, and are sent again", async () => {
    const rig = await Rig.make();
    const node = await rig.open({ "reconnect-delay": 5 });
    rig.stop();
    const writes = [node.write(0, Uint8Array.of(1)), node.write(1, Uint8Array.of(2))];
    await turns();
    expect(rig.waits.map((w) => w.ns)).toEqual([5e9, 0.25e9]);
    rig.start(rig.node);
    rig.pass();
    await Promise.all(writes);
    const into = new Uint8Array(2);
    await node.read(0, into);
    expect([...into]).toEqual([1, 2]);
  });

  test("when the time is over, requests fail at once until the server is back", async () => {
    const rig = await Rig.make();
    const node = await rig.open({ "reconnect-delay": 5 });
    rig.stop();
    const read = node.read(0, new Uint8Array(1));
    read.catch(() => undefined);
    await turns();
    rig.waits.find((w) => w.ns === 5e9)?.end();
    await expect(read).rejects.toThrow(/Connection refused|no answer for 5 s/);
    const before = rig.waits.length;
    await expect(node.read(0, new Uint8Array(1))).rejects.toThrow(/Connection refused/);
    expect(rig.waits.length).toBe(before);
    rig.start(rig.node);
    await node.read(0, new Uint8Array(1));
  });

  test("to an export that is another one now is an error", async () => {
    const rig = await Rig.make();
    const node = await rig.open({ "reconnect-delay": 5 });
    rig.stop();
    rig.start(await memory(2 * SIZE));
    await expect(node.read(0, new Uint8Array(1))).rejects.toThrow(/the export is another one/);
  });
});

test("open-timeout tries again until the server is there", async () => {
  const rig = await Rig.make();
  rig.stop();
  await expect(rig.open()).rejects.toThrow(/Connection refused/);
  const opening = rig.open({ "open-timeout": 3 });
  await turns();
  rig.start(rig.node);
  rig.pass();
  expect((await opening).size).toBe(SIZE);
});
