import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { nodeDirectory } from "./index.ts";

let home = "";
let shared = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "mimus-share-"));
  shared = join(home, "shared");
  mkdirSync(join(shared, "sub"), { recursive: true });
  writeFileSync(join(home, "secret"), "secret");
  writeFileSync(join(shared, "hello"), "hello");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const READ = { read: true, write: false, append: false, truncate: false };
const WRITE = { read: true, write: true, append: false, truncate: false };
const text = async (handle: { read(at: number, into: Uint8Array): Promise<number> }): Promise<string> => {
  const into = new Uint8Array(64);
  return new TextDecoder().decode(into.subarray(0, await handle.read(0, into)));
};

test("files are listed, read, written, renamed and removed", async () => {
  const dir = nodeDirectory(shared);
  const root = await dir.root();
  expect((await dir.list(root)).map((e) => e.name)).toEqual(["hello", "sub"]);
  const file = await dir.lookup(root, "hello");
  const reader = await dir.open(file, READ);
  expect(await text(reader)).toBe("hello");
  await reader.close();
  const sub = await dir.lookup(root, "sub");
  const made = await dir.create(sub, "new", WRITE, 0o640);
  await made.handle.write(0, new TextEncoder().encode("written"));
  await made.handle.close();
  expect(readFileSync(join(shared, "sub/new"), "utf8")).toBe("written");
  expect(statSync(join(shared, "sub/new")).mode & 0o777).toBe(0o640);
  await dir.rename(root, "sub", root, "moved");
  // What was found below the folder moves with it.
  expect((await dir.stat(made.entry)).size).toBe(7);
  await dir.set(made.entry, { size: 3, mode: 0o600, mtime: { sec: 1000, nsec: 0 } });
  const after = statSync(join(shared, "moved/new"));
  expect([after.size, after.mode & 0o777, after.mtimeMs]).toEqual([3, 0o600, 1_000_000]);
  await dir.remove(sub, "new", false);
  await dir.remove(root, "moved", true);
  expect(existsSync(join(shared, "moved"))).toBe(false);
  await dir.symlink(root, "link", "/etc/passwd");
  expect(readlinkSync(join(shared, "link"))).toBe("/etc/passwd");
  expect(await dir.readlink(await dir.lookup(root, "link"))).toBe("/etc/passwd");
});

test("no symbolic link leads out, no name climbs out", async () => {
  symlinkSync("../secret", join(shared, "file"));
  symlinkSync("..", join(shared, "up"));
  const dir = nodeDirectory(shared);
  const root = await dir.root();
  const link = await dir.lookup(root, "file");
  await expect(dir.open(link, READ)).rejects.toMatchObject({ code: "ENXIO" });
  await expect(dir.set(link, { mode: 0o777 })).rejects.toMatchObject({ code: "ELOOP" });
  await expect(dir.set(link, { size: 0 })).rejects.toMatchObject({ code: "ENXIO" });
  await dir.set(link, { mtime: { sec: 5, nsec: 0 } });
  expect(statSync(join(home, "secret")).mtimeMs).not.toBe(5000);
  const up = await dir.lookup(root, "up");
  await expect(dir.list(up)).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(dir.lookup(up, "secret")).rejects.toMatchObject({ code: "ENOTDIR" });
  for (const name of ["..", ".", "", "sub/../../secret", "a\0b"])
    await expect(dir.lookup(root, name)).rejects.toMatchObject({ code: "EINVAL" });
  expect(readFileSync(join(home, "secret"), "utf8")).toBe("secret");
});

test("a folder that becomes a link meanwhile leads nowhere", async () => {
  const dir = nodeDirectory(shared);
  const root = await dir.root();
  const sub = await dir.lookup(root, "sub");
  renameSync(join(shared, "sub"), join(shared, "old"));
  symlinkSync("..", join(shared, "sub"));
  await expect(dir.lookup(sub, "secret")).rejects.toMatchObject({ code: "ENOTDIR" });
  await expect(dir.create(sub, "x", WRITE, 0o600)).rejects.toMatchObject({ code: "ENOTDIR" });
});

test.skipIf(process.platform === "win32")("pipes are not opened", async () => {
  execFileSync("mkfifo", [join(shared, "pipe")]);
  const dir = nodeDirectory(shared);
  await expect(dir.open(await dir.lookup(await dir.root(), "pipe"), READ)).rejects.toMatchObject({ code: "ENXIO" });
});

test("a read-only share changes nothing", async () => {
  const dir = nodeDirectory(shared, { readOnly: true });
  const root = await dir.root();
  const file = await dir.lookup(root, "hello");
  await expect(dir.open(file, WRITE)).rejects.toMatchObject({ code: "EROFS" });
  await expect(dir.mkdir(root, "x", 0o755)).rejects.toMatchObject({ code: "EROFS" });
  await expect(dir.remove(root, "hello", false)).rejects.toMatchObject({ code: "EROFS" });
  await expect(dir.set(file, { size: 0 })).rejects.toMatchObject({ code: "EROFS" });
});

test("a folder that is not there is one clear line", () => {
  expect(() => nodeDirectory(join(home, "none"))).toThrow(/cannot share '.*none': there is no such directory/);
  expect(() => nodeDirectory(join(home, "secret"))).toThrow(/it is not a directory/);
});
