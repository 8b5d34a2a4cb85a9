import { execFileSync, spawn } from "node:child_process";
import { openSync, readSync, writeSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { lockFor } from "@mimus/block";
import { afterAll, beforeAll, expect, test } from "vitest";

import { libc, nodeChars, nodeFiles } from "./index.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mimus-"));
});
afterAll(() => rm(folder, { recursive: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (raw: Uint8Array): string => new TextDecoder().decode(raw);

test("a file is read whole, also where its length is not known before", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mimus-whole-"));
  try {
    const content = Uint8Array.from({ length: 3_000_001 }, (_, n) => n * 7);
    await writeFile(join(folder, "file"), content);
    expect(Buffer.compare(await nodeFiles.read(join(folder, "file")), content)).toBe(0);
    await writeFile(join(folder, "empty"), "");
    expect(await nodeFiles.read(join(folder, "empty"))).toHaveLength(0);
    expect((await nodeFiles.read("/proc/self/status")).length).toBeGreaterThan(100);
    await expect(nodeFiles.read(folder)).rejects.toThrow(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a file is written, flushed, read, punched and resized", async () => {
  const path = join(folder, "disk");
  const file = await nodeFiles.open(path, { writable: true, create: true });
  await file.truncate(8192);
  expect(await file.write(100, bytes("hello"))).toBe(5);
  expect(await file.writev?.(200, [bytes("ab"), bytes("cd")])).toBe(4);
  await file.flush();
  const into = new Uint8Array(5);
  expect(await file.read(100, into)).toBe(5);
  expect(text(into)).toBe("hello");
  await file.punch?.(0, 4096);
  expect((await readFile(path)).every((byte) => byte === 0)).toBe(true);
  expect(await file.size()).toBe(8192);
  expect(await file.read(8190, into)).toBe(2);
  await file.close();
});

test("pieces of every size are read into the middle of every kind of memory", async () => {
  const path = join(folder, "pieces");
  const whole = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) & 255);
  await writeFile(path, whole);
  const file = await nodeFiles.open(path, { writable: false, create: false });
  const memories = [
    new ArrayBuffer(70_000),
    new SharedArrayBuffer(70_000),
    new WebAssembly.Memory({ initial: 2 }).buffer,
    new WebAssembly.Memory({ initial: 2, maximum: 3, shared: true }).buffer,
  ];
  for (const memory of memories) {
    const all = new Uint8Array(memory);
    for (const length of [10, 8192, 8193, 65_536, 65_537]) {
      all.fill(0);
      expect(await file.read(33, all.subarray(100, 100 + length))).toBe(length);
      expect(Buffer.compare(all.subarray(100, 100 + length), whole.subarray(33, 33 + length))).toBe(0);
      expect([all[99], all[100 + length]]).toEqual([0, 0]);
    }
  }
  expect(await file.read(69_000, new Uint8Array(10_000))).toBe(1000);
  await file.close();
});

test.skipIf(libc() === undefined)("the host copies from file to file (needs koffi and Linux)", async () => {
  const [from, to] = [join(folder, "from"), join(folder, "to")];
  await writeFile(
    from,
    Uint8Array.from({ length: 300_000 }, (_, i) => i % 251),
  );
  const source = await nodeFiles.open(from, { writable: false });
  const target = await nodeFiles.open(to, { writable: true, create: true });
  for (let done = 0; done < 200_000;) {
    const n = (await target.copyFrom?.(source, 50_001 + done, 1000 + done, 200_000 - done)) ?? 0;
    expect(n).toBeGreaterThan(0);
    done += n;
  }
  const made = await readFile(to);
  expect(made.length).toBe(201_000);
  expect(made.subarray(1000).equals((await readFile(from)).subarray(50_001, 250_001))).toBe(true);
  expect(await target.copyFrom?.(source, 400_000, 0, 10)).toBeLessThan(1);
  await source.close();
  await target.close();
});

test.skipIf(process.platform === "win32")("a FIFO is refused, not waited for", async () => {
  const path = join(folder, "fifo");
  execFileSync("mkfifo", [path]);
  for (const writable of [false, true])
    await expect(nodeFiles.open(path, { writable })).rejects.toThrow(
      `'${path}': it is a FIFO; give the path of a file`,
    );
});

test("a file that is closed stays closed, whoever has its number now", async () => {
  const file = await nodeFiles.open(join(folder, "closed"), { writable: true, create: true });
  await file.write(0, bytes("one"));
  await file.close();
  const other = await nodeFiles.open(join(folder, "other"), { writable: true, create: true });
  await file.close();
  await expect(file.write(0, bytes("two"))).rejects.toThrow();
  await expect(file.write(0, new Uint8Array(1 << 20))).rejects.toThrow();
  await expect(file.read(0, new Uint8Array(4))).rejects.toThrow();
  await expect(file.flush()).rejects.toThrow();
  await expect(file.truncate(9)).rejects.toThrow();
  await expect(file.size()).rejects.toThrow();
  expect(await other.size()).toBe(0);
  await other.close();
});

test("closing waits for requests that are under way", async () => {
  const file = await nodeFiles.open(join(folder, "busy"), { writable: true, create: true });
  const data = new Uint8Array(4 << 20).fill(7);
  const done: string[] = [];
  const going = [file.write(0, data), file.flush(), file.writev?.(4 << 20, [data, data])].map((request) =>
    request?.then(() => done.push("request")),
  );
  const closed = file.close().then(() => done.push("closed"));
  await Promise.all([...going, closed]);
  expect(done.at(-1)).toBe("closed");
  expect((await readFile(join(folder, "busy"))).every((b) => b === 7)).toBe(true);
});

test("errors name the file and the reason", async () => {
  await expect(nodeFiles.open(join(folder, "none"), { writable: false })).rejects.toThrow(
    /Could not open '.*none': No such file/,
  );
  await expect(nodeFiles.open(folder, { writable: false })).rejects.toThrow(/it is a directory/);
});

test.skipIf(libc() === undefined)("a second writer finds the file locked (needs koffi and Linux)", async () => {
  const path = join(folder, "locked");
  await writeFile(path, "x");
  const one = await nodeFiles.open(path, { writable: true });
  const two = await nodeFiles.open(path, { writable: true });
  await one.lock?.(lockFor("format", false, false));
  await expect(two.lock?.(lockFor("format", false, false))).rejects.toThrow(/Failed to get "write" lock\n.*locked\]/);
  await expect(two.lock?.(lockFor("format", true, false))).rejects.toThrow(/Failed to get shared "write" lock\n/);
  await two.lock?.(lockFor("format", true, true)); // force-share
  await one.close();
  await two.lock?.(lockFor("format", false, false));
  await two.close();
});

test("a listening socket serves a client", async () => {
  const path = join(folder, "socket");
  const heard: string[] = [];
  const listener = await nodeChars.listen({ kind: "unix", path }, (stream) => {
    stream.onData((raw) => {
      heard.push(text(raw));
      stream.write(bytes("pong"));
    });
  });
  const client = connect(path);
  client.write("ping");
  const reply = await new Promise<Buffer>((resolve) => client.once("data", resolve));
  expect(heard).toEqual(["ping"]);
  expect(reply.toString()).toBe("pong");
  client.destroy();
  await listener.close();
  await expect(nodeChars.connect({ kind: "unix", path: join(folder, "nobody") })).rejects.toThrow(
    /Failed to connect to 'unix:.*nobody'/,
  );
});

test.skipIf(libc() === undefined)("a pseudo-terminal carries bytes both ways (needs koffi and Linux)", async () => {
  const { stream, name } = await nodeChars.pty();
  const slave = openSync(name, "r+");
  const got = new Promise<string>((resolve) => stream.onData((raw) => resolve(text(raw))));
  writeSync(slave, "up\n");
  expect(await got).toContain("up");
  stream.write(bytes("down\n"));
  const into = Buffer.alloc(16);
  expect(into.toString("utf8", 0, readSync(slave, into))).toBe("down\n");
  await stream.close();
});

test(
  "past the host's cache: any position and length, also where the file ends inside a block",
  { timeout: 60_000 },
  async () => {
    const path = join(folder, "direct");
    await writeFile(path, "");
    const file = await nodeFiles.open(path, { writable: true, direct: true });
    let model = new Uint8Array(0);
    let x = 1;
    const random = (below: number): number => (x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) % below;
    const put = async (at: number, length: number): Promise<void> => {
      const from = Uint8Array.from({ length }, () => random(256));
      const cut = random(length + 1);
      if (random(2) === 0) expect(await file.write(at, from)).toBe(length);
      else expect(await file.writev?.(at, [from.subarray(0, cut), from.subarray(cut)])).toBe(length);
      if (at + length > model.length) {
        const longer = new Uint8Array(at + length);
        longer.set(model);
        model = longer;
      }
      model.set(from, at);
    };
    for (let i = 0; i < 24; i++) {
      if (i % 3 === 0) await put(random(40) * 4096, (1 + random(80)) * 4096);
      else await put(random(200_000), 1 + random(i % 3 === 1 ? 600 : 300_000));
      expect(await file.size()).toBe(model.length);
    }
    // At the same time, in neighbouring parts of the same blocks.
    const parts = Array.from({ length: 16 }, (_, i) => new Uint8Array(100).fill(i));
    await Promise.all(parts.map((part, i) => file.write(model.length - 700 + i * 100, part)));
    const longer = new Uint8Array(model.length + 900);
    longer.set(model);
    parts.forEach((part, i) => longer.set(part, model.length - 700 + i * 100));
    const into = new Uint8Array(longer.length + 5);
    expect(await file.read(0, into)).toBe(longer.length);
    expect(into.subarray(0, longer.length)).toEqual(longer);
    expect(await file.readv?.(1001, [into.subarray(0, 3), into.subarray(3, 5000)])).toBe(5000);
    expect(into.subarray(0, 5000)).toEqual(longer.subarray(1001, 6001));
    await file.close();
    expect(new Uint8Array(await readFile(path))).toEqual(longer);
  },
);

test("what the host has in memory is read at once, into pieces wherever they lie", async () => {
  const path = join(folder, "cached");
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7 + (i >> 8));
  await writeFile(path, bytes);
  const file = await nodeFiles.open(path, { writable: true });
  const one = new Uint8Array(200_000);
  const pieces = [one.subarray(100_000), new Uint8Array(1), new Uint8Array(4096), one.subarray(3, 90_000)];
  expect(file.readNow?.(77, pieces)).toBe(true);
  expect(Buffer.concat(pieces)).toEqual(Buffer.from(bytes.subarray(77, 77 + 194_094)));
  // The end is for whoever can wait; so is more than a vCPU should stand for.
  expect(file.readNow?.(299_000, [new Uint8Array(1001)])).toBe(false);
  await file.truncate(4 << 20);
  expect(file.readNow?.(0, [new Uint8Array((1 << 20) + 1)])).toBe(false);
  expect(
    file.readNow?.(
      0,
      Array.from({ length: 1025 }, () => new Uint8Array(1)),
    ),
  ).toBe(false);
  await file.close();
  expect(file.readNow?.(0, [new Uint8Array(1)])).toBe(false);
});

test("a file system that has no way around the cache is named", async () => {
  await expect(nodeFiles.open("/proc/version", { writable: false, direct: true })).rejects.toThrow(
    "Could not open '/proc/version': filesystem does not support O_DIRECT",
  );
});

test.each([
  { kind: "fd", fd: 987_654 },
  { kind: "unix", path: "a\0b" },
  { kind: "unix", path: "x".repeat(200) },
  { kind: "tcp", host: "127.0.0.1", port: 70_000 },
] as const)("a socket that cannot be is an error of character devices: %j", async (address) => {
  await expect(nodeChars.connect(address)).rejects.toThrow(/^Failed to connect to '/);
  await expect(nodeChars.listen(address, () => undefined)).rejects.toThrow(/^Failed to listen on '/);
});

test("a device without an end is not read whole; an empty one is, and so is a pipe", async () => {
  await expect(nodeFiles.read("/dev/zero")).rejects.toThrow(
    "Could not open '/dev/zero': it is a device that gives more than 65536 bytes",
  );
  expect(await nodeFiles.read("/dev/null")).toHaveLength(0);
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  spawn("sh", ["-c", 'head -c 200000 /dev/zero > "$0"', pipe]);
  expect(await nodeFiles.read(pipe)).toHaveLength(200_000);
});

test("a device that keeps nothing has nothing to flush", async () => {
  const file = await nodeFiles.open("/dev/null", { writable: true });
  await file.flush();
  await file.close();
});
