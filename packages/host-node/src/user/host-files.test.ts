import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { O, S, type File } from "@mimus/linux-user";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { HostFiles } from "./host-files.ts";

const files = new HostFiles();
let folder = "";
const at = (name: string): string => join(folder, name);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (file: File, length: number, offset: number): string => {
  const into = new Uint8Array(length);
  return new TextDecoder().decode(into.subarray(0, Math.max(file.read(into, offset), 0)));
};

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "mimus-files-")));
  writeFileSync(at("f"), "0123456789");
  symlinkSync("f", at("l"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("files of the host", () => {
  it("reads and writes at offsets", () => {
    const file = files.open(at("f"), O.RDWR, 0);
    expect(file.write(bytes("AB"), 3)).toBe(2);
    expect(text(file, 4, 2)).toBe("2AB5");
    expect(file.size()).toBe(10);
    file.truncate(4);
    expect(text(file, 10, 0)).toBe("012A");
    file.close();
    expect(readFileSync(at("f"), "utf8")).toBe("012A");
  });

  it("appends whatever the offset is", () => {
    const file = files.open(at("f"), O.WRONLY | O.APPEND, 0);
    file.write(bytes("x"), -1);
    file.close();
    expect(readFileSync(at("f"), "utf8")).toBe("0123456789x");
  });

  it.each([
    ["ENOENT", () => files.open(at("none"), O.RDONLY, 0)],
    ["EEXIST", () => files.open(at("f"), O.RDWR | O.CREAT | O.EXCL, 0o600)],
    ["ENOTDIR", () => files.open(at("f/x"), O.RDONLY, 0)],
    ["ENOTDIR", () => files.open(at("f"), O.RDONLY | O.DIRECTORY, 0)],
    ["EISDIR", () => files.open(folder, O.RDWR, 0)],
    ["ELOOP", () => files.open(at("l"), O.RDONLY | O.NOFOLLOW, 0)],
    ["ENOENT", () => files.stat(at("none"), true)],
    ["ENOTDIR", () => files.stat(at("f/x"), true)],
    ["ENOTDIR", () => files.stat(at("f/x/y"), true)],
    ["EISDIR", () => files.unlink(folder)],
    ["EINVAL", () => files.readlink(at("f"))],
    ["EEXIST", () => files.mkdir(folder, 0o700)],
    ["ENOTEMPTY", () => files.rmdir(folder)],
    ["EINVAL", () => files.rmdir(`${folder}/.`)],
  ])("fails with %s", (name, act) => {
    expect(act).toThrow(name);
  });

  it("tells what the host tells", () => {
    const mine = files.stat(at("f"), true);
    const theirs = statSync(at("f"), { bigint: true });
    expect([mine.ino, mine.mode, mine.size, mine.nlink]).toEqual(
      [theirs.ino, theirs.mode, theirs.size, theirs.nlink].map(Number),
    );
    expect(BigInt(mine.mtime.sec) * 1_000_000_000n + BigInt(mine.mtime.nsec)).toBe(theirs.mtimeNs);
    expect(files.stat(at("l"), false).mode & S.IFMT).toBe(S.IFLNK);
  });

  it("sets times, and leaves those that are to be kept", () => {
    files.utimes(at("f"), { sec: 1_000_000_000, nsec: 0 }, { sec: 1_000_000_001, nsec: 500_000_000 }, true);
    files.utimes(at("f"), "keep", { sec: 5, nsec: 0 }, true);
    const { atime, mtime } = files.stat(at("f"), true);
    expect([atime.sec, mtime.sec]).toEqual([1_000_000_000, 5]);
  });

  it("takes times before 1970", () => {
    files.utimes(at("f"), { sec: -10, nsec: 500_000_000 }, { sec: -10, nsec: 500_000_000 }, true);
    expect(files.stat(at("f"), true).mtime).toEqual({ sec: -10, nsec: 500_000_000 });
  });

  it("lists directories with types and inodes", () => {
    const dir = files.open(folder, O.RDONLY | O.DIRECTORY, 0);
    const list = dir.list().toSorted((a, b) => (a.name < b.name ? -1 : 1));
    dir.close();
    expect(list.map(({ name, mode }) => [name, mode])).toEqual([["f", S.IFREG], ["l", S.IFLNK]]); // prettier-ignore
    expect(list[0]?.ino).toBe(files.stat(at("f"), true).ino);
  });

  it("keeps names that are no UTF-8", () => {
    const odd = at("a\udcffb");
    files.open(odd, O.WRONLY | O.CREAT, 0o600).close();
    const names = files.open(folder, O.RDONLY, 0).list().map(({ name }) => name); // prettier-ignore
    expect(names).toContain("a\udcffb");
    expect(files.stat(odd, true).size).toBe(0);
    files.unlink(odd);
    expect(() => files.stat(odd, true)).toThrow("ENOENT");
  });

  it("opens a name without the file", () => {
    const file = files.open(at("l"), O.PATH | O.NOFOLLOW, 0);
    expect(file.type).toBe(S.IFLNK);
    file.close();
  });

  it("makes named pipes, and does not wait to open them", () => {
    try {
      files.mknod(at("p"), S.IFIFO | 0o640, 0);
    } catch (error) {
      // Without koffi there is no way to.
      expect(String(error)).toContain("EOPNOTSUPP");
      return;
    }
    expect(files.stat(at("p"), true).mode).toBe(S.IFIFO | 0o640);
    files.open(at("p"), O.RDWR, 0).close();
  });

  it("asks the host for access", () => {
    chmodSync(at("f"), 0o600);
    files.access(at("f"), 4, true);
    expect(() => files.access(at("f"), 1, true)).toThrow("EACCES");
    expect(() => files.access(at("none"), 0, true)).toThrow("ENOENT");
  });
});
