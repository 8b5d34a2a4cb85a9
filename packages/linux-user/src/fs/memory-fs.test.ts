import { beforeEach, describe, expect, it } from "vitest";

import { decodeUtf8, encodeUtf8 } from "../memory/address-space.ts";
import { O, RENAME, S } from "./constants.ts";
import { MemoryFs } from "./memory-fs.ts";
import type { File } from "./types.ts";

let now = 1000;
const clock = { realtime: () => ({ sec: now, nsec: 0 }) };
let fs: MemoryFs;

const read = (path: string): string => {
  const file = fs.open(path, O.RDONLY, 0);
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  file.close();
  return decodeUtf8(bytes);
};
const names = (path: string): string[] => fs.open(path, O.RDONLY, 0).list().map(({ name }) => name); // prettier-ignore
const create = (path: string, mode = 0o644): File => fs.open(path, O.RDWR | O.CREAT | O.EXCL, mode);

beforeEach(() => {
  now = 1000;
  fs = new MemoryFs({ clock, quota: 1 << 20 });
  fs.addFile("/etc/motd", "hello");
});

describe("files in memory", () => {
  it("keeps what is written, at any offset", () => {
    const file = create("/f");
    expect(file.write(encodeUtf8("abc"), 5000)).toBe(3);
    const bytes = new Uint8Array(10_000).fill(9);
    expect(file.read(bytes, 0)).toBe(5003);
    expect(bytes.slice(4998, 5004)).toEqual(Uint8Array.of(0, 0, 97, 98, 99, 9));
    expect(file.stat().size).toBe(5003);
    expect(file.stat().blocks).toBe(8);
  });

  it("shows zeroes where a file was cut and grew again", () => {
    const file = create("/f");
    file.write(encodeUtf8("abcdef"), 0);
    file.truncate(2);
    file.truncate(6);
    expect(read("/f")).toBe("ab\0\0\0\0");
  });

  it("appends", () => {
    const file = create("/f");
    file.write(encodeUtf8("ab"), 0);
    fs.open("/f", O.WRONLY | O.APPEND, 0).write(encodeUtf8("cd"), -1);
    expect(read("/f")).toBe("abcd");
  });

  it("makes holes", () => {
    const file = create("/f");
    file.write(new Uint8Array(12288).fill(1), 0);
    const before = fs.used;
    file.allocate(3, 4000, 4196);
    expect(before - fs.used).toBe(4096);
    const bytes = new Uint8Array(12288);
    file.read(bytes, 0);
    expect([bytes[3999], bytes[4000], bytes[8195], bytes[8196]]).toEqual([1, 0, 0, 1]);
  });

  it("refuses to write through a descriptor for reading", () => {
    expect(fs.open("/etc/motd", O.RDONLY, 0).write(Uint8Array.of(1), 0)).toBe(-9);
  });

  it("keeps a file without a name until it is closed", () => {
    const file = create("/f");
    file.write(new Uint8Array(40_960), 0);
    const used = fs.used;
    fs.unlink("/f");
    expect(file.size()).toBe(40_960);
    expect(fs.used).toBe(used - 256);
    file.close();
    expect(fs.used).toBe(used - 256 - 40_960);
  });
});

describe("names in memory", () => {
  it.each([
    ["ENOENT", () => fs.open("/none", O.RDONLY, 0)],
    ["ENOTDIR", () => fs.open("/etc/motd/x", O.RDONLY, 0)],
    ["ENOTDIR", () => fs.open("/etc/motd/", O.RDONLY, 0)],
    ["EISDIR", () => fs.open("/etc", O.RDWR, 0)],
    ["EEXIST", () => create("/etc/motd")],
    ["ENOTDIR", () => fs.open("/etc/motd", O.DIRECTORY, 0)],
    ["EISDIR", () => create("/new/")],
    ["ENAMETOOLONG", () => create(`/${"x".repeat(256)}`)],
    ["EEXIST", () => fs.mkdir("/etc", 0o755)],
    ["ENOENT", () => fs.mkdir("/a/b", 0o755)],
    ["ENOTEMPTY", () => fs.rmdir("/etc")],
    ["ENOTDIR", () => fs.rmdir("/etc/motd")],
    ["EBUSY", () => fs.rmdir("/..")],
    ["EINVAL", () => fs.rmdir("/etc/.")],
    ["EISDIR", () => fs.unlink("/etc")],
    ["EPERM", () => fs.link("/etc", "/e", false)],
    ["EINVAL", () => fs.readlink("/etc/motd")],
    ["EINVAL", () => fs.rename("/etc", "/etc/in", 0)],
    ["EISDIR", () => fs.rename("/etc/motd", "/etc", 0)],
    ["EPERM", () => fs.mknod("/dev", S.IFCHR)],
  ])("fails with %s", (name, act) => {
    expect(act).toThrow(name);
  });

  it("follows links, and stops where they go round", () => {
    fs.symlink("etc", "/e");
    fs.symlink("/e/motd", "/m");
    fs.symlink("loop", "/loop");
    expect(read("/m")).toBe("hello");
    expect(fs.realpath("/e/../m")).toBe("/etc/motd");
    expect(fs.stat("/m", false).mode).toBe(S.IFLNK | 0o777);
    expect(() => fs.stat("/loop", true)).toThrow("ELOOP");
    expect(() => fs.open("/m", O.NOFOLLOW, 0)).toThrow("ELOOP");
    expect(() => create("/m")).toThrow("EEXIST");
  });

  it("counts links", () => {
    fs.link("/etc/motd", "/m", false);
    expect(fs.stat("/m", true).nlink).toBe(2);
    fs.unlink("/etc/motd");
    expect(read("/m")).toBe("hello");
    expect(fs.stat("/etc", true).nlink).toBe(2);
    fs.mkdir("/etc/d", 0o755);
    expect(fs.stat("/etc", true).nlink).toBe(3);
  });

  it("renames over a file, and moves directories", () => {
    create("/f").write(encodeUtf8("new"), 0);
    fs.rename("/f", "/etc/motd", 0);
    expect(read("/etc/motd")).toBe("new");
    fs.mkdir("/d", 0o755);
    fs.rename("/etc", "/d/etc", 0);
    expect(fs.realpath("/d/etc/../etc/motd")).toBe("/d/etc/motd");
    expect(names("/")).toEqual(["d"]);
    expect([fs.stat("/", true).nlink, fs.stat("/d", true).nlink]).toEqual([3, 3]);
  });

  it("exchanges names, or keeps what is there", () => {
    create("/f");
    fs.mkdir("/d", 0o755);
    expect(() => fs.rename("/f", "/etc/motd", RENAME.NOREPLACE)).toThrow("EEXIST");
    fs.rename("/f", "/d", RENAME.EXCHANGE);
    expect(fs.stat("/f", true).mode & S.IFMT).toBe(S.IFDIR);
    expect(() => fs.rename("/etc", "/etc/motd", RENAME.EXCHANGE)).toThrow("EINVAL");
  });

  it("refuses new names in a directory that is gone", () => {
    fs.mkdir("/d", 0o755);
    const there = fs.open("/d", O.RDONLY, 0);
    fs.rmdir("/d");
    expect(there.list()).toEqual([]);
    expect(there.stat().nlink).toBe(0);
  });

  it("keeps times", () => {
    now = 2000;
    fs.open("/etc/motd", O.RDWR, 0).write(Uint8Array.of(65), 0);
    expect(fs.stat("/etc/motd", true).mtime.sec).toBe(2000);
    now = 3000;
    fs.utimes("/etc/motd", "now", { sec: 5, nsec: 6 }, true);
    const { atime, mtime, ctime } = fs.stat("/etc/motd", true);
    expect([atime.sec, mtime.sec, mtime.nsec, ctime.sec]).toEqual([3000, 5, 6, 3000]);
  });
});

describe("permissions", () => {
  beforeEach(() => {
    fs = new MemoryFs({ clock, user: { uid: 1000, gid: 100 } });
    create("/own", 0o200);
  });

  it("are checked for who is not root", () => {
    expect(() => fs.open("/own", O.RDONLY, 0)).toThrow("EACCES");
    fs.chmod("/own", 0o400, true);
    expect(() => fs.open("/own", O.WRONLY, 0)).toThrow("EACCES");
    expect(() => fs.access("/own", 1, true)).toThrow("EACCES");
    fs.access("/own", 4, true);
  });

  it("let owners alone change them", () => {
    expect(() => fs.chown("/own", 0, -1 >>> 0, true)).toThrow("EPERM");
    fs.chown("/own", 1000, 100, true);
    expect(fs.stat("/own", true).uid).toBe(1000);
  });
});

describe("the quota", () => {
  it("counts pages and names", () => {
    fs = new MemoryFs({ clock, quota: 3 * 4096 });
    const file = create("/f");
    expect(file.write(new Uint8Array(20_000), 0)).toBe(8192);
    expect(file.write(new Uint8Array(10), 9000)).toBe(-28);
    expect(() => file.allocate(0, 0, 2 ** 40)).toThrow("ENOSPC");
    file.truncate(0);
    expect(fs.used).toBe(256);
    file.truncate(2 ** 50);
    expect(file.size()).toBe(2 ** 50);
  });

  it("ends the making of names", () => {
    const most = 1000;
    fs = new MemoryFs({ clock, quota: most * 256 });
    let made = 0;
    expect(() => {
      for (; made < 10 * most; made++) create(`/f${made}`);
    }).toThrow("ENOSPC");
    expect(made).toBeLessThanOrEqual(most);
  });
});
