import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { lockFor } from "@mimus/block";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { libc, nodeFiles } from "./index.ts";

const qemu = libc() !== undefined && spawnSync("qemu-io", ["--version"]).status === 0;
if (!qemu) process.stderr.write("skipped: locks against qemu-io (needs koffi, Linux and qemu-io)\n");

let folder = "";
let path = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mimus-"));
  path = join(folder, "disk.qcow2");
  spawnSync("qemu-img", ["create", "-q", "-f", "qcow2", path, "1M"]);
});
afterAll(() => rm(folder, { recursive: true }));

/** Lock bytes that anybody holds on the file. */
async function bytesLocked(): Promise<number[]> {
  const { ino } = await stat(path);
  const lines = (await readFile("/proc/locks", "utf8")).split("\n").filter((l) => l.includes(`:${ino} `));
  return lines.map((l) => Number(l.trim().split(/\s+/)[6])).toSorted((a, b) => a - b);
}

describe.skipIf(!qemu)("locks beside qemu-io", () => {
  test("lock the bytes that it locks", async () => {
    const io = spawn("qemu-io", ["-f", "qcow2", path]);
    io.stdin.write("length\n");
    await once(io.stdout, "data");
    const theirs = await bytesLocked();
    io.stdin.end("quit\n");
    await once(io, "close");
    const file = await nodeFiles.open(path, { writable: true });
    await file.lock?.(lockFor("format", false, false));
    expect(await bytesLocked()).toEqual(theirs);
    await file.close();
  });

  test("keep it out, and are kept out by it", async () => {
    const file = await nodeFiles.open(path, { writable: true });
    await file.lock?.(lockFor("format", false, false));
    const refused = spawnSync("qemu-img", ["info", path], { encoding: "utf8" });
    expect(refused.stderr).toContain('Failed to get shared "write" lock');
    expect(spawnSync("qemu-img", ["info", "-U", path]).status).toBe(0);
    await file.close();
    const io = spawn("qemu-io", ["-f", "qcow2", path]);
    io.stdin.write("length\n");
    await once(io.stdout, "data");
    const other = await nodeFiles.open(path, { writable: false });
    const word = refused.stderr.slice(refused.stderr.indexOf("Failed")).trim();
    await expect(other.lock?.(lockFor("format", true, false))).rejects.toThrow(word);
    await other.lock?.(lockFor("format", true, true));
    await other.close();
    io.stdin.end("quit\n");
    await once(io, "close");
  });
});
