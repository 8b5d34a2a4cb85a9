import { beforeEach, describe, expect, it } from "vitest";

import { O, S } from "./constants.ts";
import { madeDir, MadeTrees } from "./made-tree.ts";
import { MemoryFs } from "./memory-fs.ts";
import { devices } from "./special-files.ts";

let below: MemoryFs;
let fs: MadeTrees;
let made = 0;

beforeEach(() => {
  made = 0;
  below = new MemoryFs({ clock: { realtime: () => ({ sec: 0, nsec: 0 }) } });
  below.addFile("/proc/host", "");
  below.addFile("/proc/own/secret", "");
  below.addFile("/etc/motd", "hello");
  const own = madeDir({
    text: { kind: "text", make: () => `made ${++made}` },
    motd: { kind: "link", target: () => "/etc/motd" },
    up: { kind: "link", target: () => "../own/text" },
    loop: { kind: "link", target: () => "/proc/own/loop" },
    null: { kind: "device", open: devices(() => {})["null"]! },
  });
  fs = new MadeTrees(below, [{ at: "/proc", magic: 1, root: madeDir({ own }, true) }]);
});

const read = (path: string): string => {
  const file = fs.open(path, O.RDONLY, 0);
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0);
  return new TextDecoder().decode(bytes);
};
const names = (path: string): string[] => fs.open(path, O.RDONLY, 0).list().map(({ name }) => name); // prettier-ignore

describe("made-up files", () => {
  it("are made when they are opened, once", () => {
    const file = fs.open("/proc/own/text", O.RDONLY, 0);
    expect([file.size(), made]).toEqual([6, 1]);
    expect(read("/proc/own/text")).toBe("made 2");
  });

  it("lie over those below, where the directory says so", () => {
    expect(names("/proc")).toEqual(["own", "host"]);
    expect(names("/proc/own")).not.toContain("secret");
    expect(() => fs.open("/proc/own/secret", O.RDONLY, 0)).toThrow("ENOENT");
    expect(fs.open("/proc/host", O.RDONLY, 0).type).toBe(S.IFREG);
  });

  it("have links into the file system below, and within", () => {
    expect(read("/proc/own/motd")).toBe("hello");
    expect(read("/proc/own/up")).toBe("made 1");
    expect(fs.realpath("/proc/./own/../own/up")).toBe("/proc/own/text");
    expect(fs.stat("/proc/own/motd", false).mode & S.IFMT).toBe(S.IFLNK);
    expect(() => fs.stat("/proc/own/loop", true)).toThrow("ELOOP");
  });

  it.each([
    ["EACCES", () => fs.open("/proc/own/text", O.RDWR, 0)],
    ["ENOTDIR", () => fs.open("/proc/own/text/x", O.RDONLY, 0)],
    ["EISDIR", () => fs.open("/proc/own", O.WRONLY, 0)],
    ["ELOOP", () => fs.open("/proc/own/motd", O.NOFOLLOW, 0)],
    ["EEXIST", () => fs.mkdir("/proc/own", 0o700)],
    ["ENOENT", () => fs.mkdir("/proc/own/new", 0o700)],
    ["EPERM", () => fs.unlink("/proc/own/text")],
    ["EPERM", () => fs.rename("/proc/own/text", "/x", 0)],
    ["EXDEV", () => fs.link("/proc/own/text", "/x", false)],
    ["EPERM", () => fs.chmod("/proc/own/text", 0o777, true)],
    ["EACCES", () => fs.access("/proc/own/text", 2, true)],
    ["EINVAL", () => fs.readlink("/proc/own/text")],
  ])("refuse with %s", (name, act) => {
    expect(act).toThrow(name);
  });

  it("let everything else through", () => {
    fs.mkdir("/dir", 0o700);
    fs.rename("/etc/motd", "/dir/motd", 0);
    expect(below.stat("/dir/motd", true).size).toBe(5);
  });
});

describe("devices", () => {
  const made = devices((bytes) => void bytes.fill(5));
  it.each([
    ["null", 3, 0, 4],
    ["zero", 5, 4, 4],
    ["full", 7, 4, -28],
    ["urandom", 9, 4, 4],
  ])("%s reads and writes as it should", (name, minor, got, put) => {
    const file = made[name]!();
    expect(file.stat().rdev & 255).toBe(minor);
    expect(file.read(new Uint8Array(4), -1)).toBe(got);
    expect(file.write(new Uint8Array(4), -1)).toBe(put);
  });
});
