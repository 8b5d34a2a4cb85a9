import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import block, { BlockGraph, type BlockNode } from "@mimus/block";
import nbd from "@mimus/block-nbd";
import { nodeFiles, nodeSockets } from "@mimus/host-node";
import { Registry } from "@mimus/qom";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { oracle } from "../lib/mimus.ts";
import { mimusWords, NbdServerProcess } from "../lib/nbd.ts";

const SIZE = 8 << 20;
let home = "";
let sockets = 0;
let running: NbdServerProcess[] = [];
let graphs: BlockGraph[] = [];

beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "mimus-nbd-client-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(async () => {
  for (const graph of graphs) await graph.closeAll().catch(() => undefined);
  for (const server of running) await server.stop("SIGKILL");
  [running, graphs] = [[], []];
});

async function start(make: (socket: string) => string[], path?: string): Promise<NbdServerProcess> {
  const socket = path ?? join(home, `c${sockets++}`);
  rmSync(socket, { force: true });
  const server = await NbdServerProcess.start(make(socket), socket);
  running.push(server);
  return server;
}

function disk(): string {
  const path = join(home, `disk${sockets++}.raw`);
  writeFileSync(path, "");
  truncateSync(path, SIZE);
  return path;
}

async function open(uri: string, options: Record<string, unknown> = {}): Promise<BlockNode> {
  const graph = new BlockGraph({
    registry: new Registry().use(block).use(nbd),
    files: nodeFiles,
    warn: () => undefined,
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    services: { sockets: nodeSockets },
  });
  graphs.push(graph);
  return graph.openFile(uri, { driver: "raw", discard: "unmap", file: { ...options } });
}

const nbdkit =
  (...args: string[]) =>
  (socket: string) => ["nbdkit", "-f", "-U", socket, ...args];
/** Random requests against the node and a plain array. */
async function exercise(node: BlockNode, seed: number, count = 150): Promise<void> {
  const model = new Uint8Array(SIZE);
  await node.read(0, model);
  let state = seed;
  const roll = (below: number): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
  for (let n = 0; n < count; n++) {
    const length = 1 + roll([100, 5000, 70_000, 1 << 20][roll(4)] as number);
    const at = roll(SIZE - length);
    if (roll(3) === 0) {
      const bytes = new Uint8Array(length).fill(n);
      await node.write(at, bytes);
      model.set(bytes, at);
    } else if (roll(6) === 0) {
      await node.writeZeroes?.(at, length, roll(2) === 0);
      model.fill(0, at, at + length);
    } else {
      const into = new Uint8Array(length);
      await node.read(at, into);
      if (Buffer.compare(into, model.subarray(at, at + length)) !== 0)
        throw new Error(`request ${n}: wrong bytes at ${at}`);
    }
  }
  await node.flush();
}

const missing = !["nbdkit", "qemu-nbd"].map(oracle).every(Boolean);

describe.skipIf(missing)("the NBD client (needs nbdkit and qemu-utils)", { timeout: 60_000 }, () => {
  const memory = ["memory", String(SIZE)];
  test.each([
    ["nbdkit", () => nbdkit(...memory)],
    ["nbdkit without structured replies", () => nbdkit("--no-sr", ...memory)],
    [
      "nbdkit without zeroes and trim",
      () => nbdkit("--filter=nozero", "--filter=noextents", ...memory, "zeromode=none"),
    ],
    [
      "nbdkit with blocks of 4096 to 65536 bytes",
      () =>
        nbdkit(
          ...["--filter=blocksize-policy", ...memory, "blocksize-minimum=4096", "blocksize-preferred=8192"],
          ...["blocksize-maximum=65536", "blocksize-error-policy=error"],
        ),
    ],
    ["nbdkit that is slow", () => nbdkit("--filter=delay", ...memory, "rdelay=1ms", "wdelay=1ms")],
    ["qemu-nbd", () => (socket: string) => ["qemu-nbd", "-t", "-f", "raw", "--discard=unmap", "-k", socket, disk()]],
    [
      "mimus nbd",
      () => (socket: string) => mimusWords("nbd", "-t", "-f", "raw", "--discard=unmap", "-k", socket, disk()),
    ],
  ])("reads and writes with %s", async (_, make) => {
    const server = await start(make());
    await exercise(await open(server.uri()), 42);
  });

  test("an oldstyle server, and one whose export has a name", async () => {
    const old = await start(nbdkit("-o", ...memory));
    const node = await open(old.uri());
    await node.write(100, new Uint8Array(1000).fill(4));
    const back = new Uint8Array(10);
    await node.read(1095, back);
    expect([...back]).toEqual([4, 4, 4, 4, 4, 0, 0, 0, 0, 0]);
    await expect(open((await start(nbdkit("-o", ...memory))).uri("name"))).rejects.toThrow(/one export without a name/);
    const named = await start((socket) => [
      "qemu-nbd",
      "-t",
      "-e",
      "2",
      "-f",
      "raw",
      "-x",
      "exp",
      "-k",
      socket,
      disk(),
    ]);
    expect((await open(named.uri("exp"))).size).toBe(SIZE);
    await expect(open(named.uri("nothing"))).rejects.toThrow(/did not open export 'nothing'/);
    await expect(open(`nbd+unix:///?socket=${join(home, "nobody")}`)).rejects.toThrow(/No such file or directory/);
  });

  test("block status of the server's holes", async () => {
    const path = disk();
    const bytes = readFileSync(path);
    bytes.fill(5, 1 << 20, (1 << 20) + 65536);
    const server = await start((socket) => ["qemu-nbd", "-t", "-f", "raw", "-k", socket, path]);
    const node = await open(server.uri());
    await node.write(1 << 20, bytes.subarray(1 << 20, (1 << 20) + 65536));
    expect(await node.blockStatus?.(0, SIZE)).toMatchObject({ length: 1 << 20, data: false, zero: true });
    expect(await node.blockStatus?.((1 << 20) + 100, SIZE - (1 << 20) - 100)).toMatchObject({
      length: 65436,
      data: true,
    });
  });

  test("errors of the server arrive as they are, each with its kind", async () => {
    const full = await start(nbdkit("--filter=error", ...memory, "error-pwrite=ENOSPC", "error-pwrite-rate=100%"));
    const node = await open(full.uri());
    await expect(node.write(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "no-space" });
    await node.read(0, new Uint8Array(512));
    const broken = await start(nbdkit("--filter=error", ...memory, "error-pread=EIO", "error-pread-rate=100%"));
    await expect((await open(broken.uri())).read(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "io" });
    const readOnly = await start(nbdkit("-r", ...memory));
    await expect(open(readOnly.uri())).rejects.toMatchObject({ kind: "read-only" });
  });

  test("a lost server: requests fail, or wait for the next one", async () => {
    const path = disk();
    const make = (socket: string): string[] => ["qemu-nbd", "-t", "-e", "4", "-f", "raw", "-k", socket, path];
    const first = await start(make);
    const impatient = await open(first.uri());
    const patient = await open(first.uri(), { "reconnect-delay": "20" });
    await patient.write(0, new Uint8Array(512).fill(3));
    await patient.flush();
    await first.stop("SIGKILL");
    await expect(impatient.read(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "io" });
    const waiting = patient.read(0, new Uint8Array(512));
    await start(make, first.socket);
    await waiting;
    const into = new Uint8Array(512);
    await impatient.read(0, into);
    expect(into[0]).toBe(3);
  });

  test("open-timeout waits for a server that is not there yet", async () => {
    const socket = join(home, "later");
    const opening = open(`nbd+unix:///?socket=${socket}`, { "open-timeout": "20" });
    opening.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await start(nbdkit(...memory), socket);
    expect((await opening).size).toBe(SIZE);
  });
});
