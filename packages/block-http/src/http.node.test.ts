import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import block, { BlockGraph, type BlockNode, MemoryFiles } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { testManifest } from "@mimus/testkit";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import manifest from "../package.json" with { type: "json" };
import http from "./index.ts";
import type { HttpFetch } from "./fetch.ts";

testManifest(manifest, http);

const SIZE = 3_000_123;
const content = Uint8Array.from({ length: SIZE }, (_, i) => (i * 2654435761) >>> 11);
let server: Server;
let base = "";
let seen: { range: string; authorization: string; cookie: string }[] = [];
let answer: (request: IncomingMessage, response: ServerResponse, next: () => void) => void = (_, __, next) => next();

beforeAll(async () => {
  server = createServer((request, response) => {
    const { range = "", authorization = "", cookie = "" } = request.headers;
    seen.push({ range, authorization, cookie });
    answer(request, response, () => serve(range, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  seen = [];
  answer = (_, __, next) => next();
});

function serve(range: string, response: ServerResponse, from: Uint8Array = content): void {
  const [, first = "0", last = "0"] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  const end = Math.min(Number(last), from.length - 1);
  if (Number(first) >= from.length) {
    response.writeHead(416, { "content-range": `bytes */${from.length}` }).end();
    return;
  }
  response.writeHead(206, {
    "content-range": `bytes ${first}-${end}/${from.length}`,
    etag: `"${createHash("sha1").update(from.subarray(0, 10)).digest("hex")}"`,
  });
  response.end(from.subarray(Number(first), end + 1));
}

async function open(
  options: Record<string, unknown> = {},
  path = "/disk.img",
): Promise<{ node: BlockNode; close: () => Promise<void> }> {
  const graph = new BlockGraph({
    registry: new Registry().use(block).use(http),
    files: new MemoryFiles(),
    warn: () => undefined,
    delay: (ns) => new Promise((resolve) => setTimeout(resolve, ns / 1e6)),
    services: {
      fetch: fetch as unknown as HttpFetch,
      secret: async () => Uint8Array.from("pass", (c) => c.charCodeAt(0)),
    },
  });
  const node = await graph.openFile(`${base}${path}`, { driver: "raw", "read-only": true, file: options });
  return { node, close: () => graph.closeAll() };
}

test("reads any range, ahead and from the cache", async () => {
  const { node, close } = await open({ readahead: 65536 });
  expect(node.size).toBe(Math.ceil(SIZE / 512) * 512);
  for (const [at, length] of [
    [0, 512],
    [65_000, 2000],
    [1_000_001, 500_000],
    [2_900_000, 100_123],
  ] as const) {
    const into = new Uint8Array(length).fill(1);
    await node.read(at, into);
    expect(Buffer.compare(into, content.subarray(at, at + length))).toBe(0);
  }
  const tail = new Uint8Array(node.size - SIZE).fill(1);
  await node.read(SIZE, tail);
  expect(tail.every((byte) => byte === 0)).toBe(true);
  const before = seen.length;
  await Promise.all([1, 2, 3].map((n) => node.read(65_536 + n * 100, new Uint8Array(100))));
  expect(seen.length).toBe(before);
  expect(seen[0]?.range).toBe("bytes=0-65535");
  await close();
});

test("requests at the same time share one fetch, and neighbours come together", async () => {
  const { node, close } = await open({ readahead: 4096 });
  const before = seen.length;
  await Promise.all(Array.from({ length: 20 }, () => node.read(500_000, new Uint8Array(40_000))));
  expect(seen.length).toBe(before + 1);
  await close();
});

test("a server without ranges, a missing file, a forbidden one: each with its reason", async () => {
  answer = (_, response) => void response.writeHead(200).end("whole");
  await expect(open()).rejects.toThrow(/does not support byte ranges/);
  answer = (_, response) => void response.writeHead(404).end();
  await expect(open()).rejects.toMatchObject({ kind: "not-found" });
  answer = (_, response) => void response.writeHead(401).end();
  await expect(open()).rejects.toThrow(/password-secret=/);
  answer = (_, response) => void response.writeHead(206).end("no range");
  await expect(open()).rejects.toThrow(/no part of the file/);
});

test("sizes that are none, and ranges that fill the screen, are told in a few words", async () => {
  answer = (_, response) => void response.writeHead(416, { "content-range": `bytes */${2 ** 53}` }).end();
  await expect(open()).rejects.toThrow("says that bytes 0 to 262143 are outside the file, but not how long it is");
  answer = (_, response) => void response.writeHead(416, { "content-range": "bytes */600" }).end();
  await expect(open()).rejects.toThrow("gave no bytes of a file of 600 bytes");
  const [zeros, first] = ["0".repeat(10_000), content.subarray(0, 262_144)];
  answer = (_, response) =>
    void response.writeHead(206, { "content-range": `bytes ${zeros}1-262144/${SIZE}` }).end(first);
  const { message } = await open().then(
    () => new Error("opened"),
    (error: unknown) => error as Error,
  );
  expect(message).toContain("no part of the file");
  expect(message.length).toBeLessThan(200);
});

test("a file that changes while it is read is noticed", async () => {
  const { node, close } = await open({ readahead: 4096 });
  answer = (request, response) => serve(request.headers.range ?? "", response, content.subarray(1));
  await expect(node.read(1_000_000, new Uint8Array(10))).rejects.toThrow(/changed on the server while in use/);
  answer = (_, __, next) => next();
  await node.read(1_000_000, new Uint8Array(10));
  await close();
});

test("a connection that breaks is tried again; one that stays broken is an error", async () => {
  const { node, close } = await open({ readahead: 4096 });
  let broken = 1;
  answer = (request, _, next) => (broken-- > 0 ? request.socket.destroy() : next());
  await node.read(1_000_000, new Uint8Array(10));
  broken = 100;
  await expect(node.read(2_000_000, new Uint8Array(10))).rejects.toMatchObject({ kind: "io" });
  await close();
});

test("a server that says nothing is given up", async () => {
  const { node, close } = await open({ readahead: 4096, timeout: 1 });
  answer = () => undefined;
  await expect(node.read(1_000_000, new Uint8Array(10))).rejects.toThrow(/no answer for 1 s/);
  await close();
});

test("user name, password, cookie", async () => {
  const { close } = await open({ username: "mü", "password-secret": "s0", cookie: "a=b" });
  expect(seen[0]?.authorization).toBe(`Basic ${Buffer.from("mü:pass").toString("base64")}`);
  expect(seen[0]?.cookie).toBe("a=b");
  await close();
});

test("an empty file has no bytes", async () => {
  answer = (request, response) => serve(request.headers.range ?? "", response, new Uint8Array(0));
  const { node, close } = await open();
  expect(node.size).toBe(0);
  await close();
});

test("writing, FTP, wrong options are refused", async () => {
  await expect(open({ readahead: 100 })).rejects.toThrow(/multiple of 512/);
  await expect(open({ url: "gopher://x" })).rejects.toThrow(/needs an address/);
  const graph = new BlockGraph({
    registry: new Registry().use(block).use(http),
    files: new MemoryFiles(),
    warn: () => undefined,
  });
  await expect(graph.openFile("ftp://host/file", { driver: "raw" })).rejects.toThrow(/FTP is not supported/);
  await expect(graph.openFile(`${base}/x`, { driver: "raw" })).rejects.toMatchObject({ kind: "read-only" });
  await expect(graph.openFile(`${base}/x`, { driver: "raw", "read-only": true })).rejects.toThrow(/offers no HTTP/);
});
