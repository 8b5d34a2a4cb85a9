import type { BlockNode, HostChanges, HostDirectory, HostEntry, HostHandle, HostStat } from "@mimus/block";
import { BlockGraph, MemoryFiles } from "@mimus/block";
import block from "@mimus/block";
import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import plugin from "./index.ts";
import { fatName, LongName, putName } from "./names.ts";
import { parseName } from "./protocol.ts";

class Memory {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** Seconds. */
  mtime = 1_700_000_000;
  readonly children: Map<string, Memory> | undefined;
  constructor(folder: boolean) {
    this.children = folder ? new Map() : undefined;
  }
}

/** A folder in memory. */
class MemoryDirectory implements HostDirectory {
  readonly readOnly = false;
  readonly top: Memory = new Memory(true);

  async root(): Promise<HostEntry> {
    return this.top;
  }
  async lookup(dir: HostEntry, name: string): Promise<HostEntry> {
    const found = (dir as Memory).children?.get(name);
    if (!found) throw Object.assign(new Error(name), { code: "ENOENT" });
    return found;
  }
  async stat(entry: HostEntry): Promise<HostStat> {
    const { bytes, children, mtime } = entry as Memory;
    const time = { sec: mtime, nsec: 0 };
    const mode = children ? 0o040755 : 0o100644;
    const none = { uid: 0, gid: 0, nlink: 1, rdev: 0, blockSize: 512, blocks: 0, inode: 1 };
    return { ...none, mode, size: bytes.length, atime: time, mtime: time, ctime: time };
  }
  async list(dir: HostEntry) {
    return [...(dir as Memory).children!].map(([name, m]) => ({
      name,
      mode: m.children ? 0o040755 : 0o100644,
      inode: 1,
    }));
  }
  async open(entry: HostEntry): Promise<HostHandle> {
    const file = entry as Memory;
    return {
      read: async (at, into) => {
        const part = file.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: async (at, from) => {
        if (at + from.length > file.bytes.length) this.#resize(file, at + from.length);
        file.bytes.set(from, at);
        return from.length;
      },
      flush: async () => undefined,
      close: async () => undefined,
    };
  }
  async create(dir: HostEntry, name: string) {
    const entry = this.#add(dir, name, false);
    return { entry, handle: await this.open(entry) };
  }
  async mkdir(dir: HostEntry, name: string): Promise<void> {
    this.#add(dir, name, true);
  }
  async remove(dir: HostEntry, name: string): Promise<void> {
    const entry = (await this.lookup(dir, name)) as Memory;
    if (entry.children && entry.children.size > 0) throw new Error(`${name} is not empty`);
    (dir as Memory).children!.delete(name);
  }
  async rename(from: HostEntry, name: string, to: HostEntry, newName: string): Promise<void> {
    const entry = (await this.lookup(from, name)) as Memory;
    (from as Memory).children!.delete(name);
    (to as Memory).children!.set(newName, entry);
  }
  async set(entry: HostEntry, { size, mtime }: HostChanges): Promise<void> {
    if (size !== undefined) this.#resize(entry as Memory, size);
    if (typeof mtime === "object") (entry as Memory).mtime = mtime.sec;
  }
  readlink = async (): Promise<string> => "";
  symlink = async (): Promise<void> => undefined;
  link = async (): Promise<void> => undefined;
  space = async () => ({ blockSize: 512, blocks: 0, free: 0, files: 0, filesFree: 0 });

  #add(dir: HostEntry, name: string, folder: boolean): Memory {
    if ((dir as Memory).children!.has(name)) throw Object.assign(new Error(name), { code: "EEXIST" });
    const made = new Memory(folder);
    (dir as Memory).children!.set(name, made);
    return made;
  }
  #resize(file: Memory, size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(file.bytes.subarray(0, size));
    file.bytes = bytes;
  }
  /** All files by path. */
  files(at: Memory = this.top, path = ""): Record<string, number> {
    const out: Record<string, number> = {};
    for (const [name, m] of at.children!)
      if (m.children) Object.assign(out, { [`${path}${name}/`]: 0 }, this.files(m, `${path}${name}/`));
      else out[path + name] = m.bytes.length;
    return out;
  }
}

async function folder(): Promise<MemoryDirectory> {
  const host = new MemoryDirectory();
  const put = async (dir: HostEntry, name: string, size: number): Promise<void> => {
    const { entry } = await host.create(dir, name);
    await host.set(entry, { size });
    (entry as Memory).bytes.fill(name.charCodeAt(0));
  };
  await put(host.top, "README.TXT", 100);
  await put(host.top, "a long name.txt", 5000);
  await host.mkdir(host.top, "sub");
  await put(await host.lookup(host.top, "sub"), "inner", 2000);
  return host;
}

async function open(host: HostDirectory, options: Record<string, unknown>): Promise<BlockNode> {
  const graph = new BlockGraph({
    registry: new Registry().use(block).use(plugin),
    files: new MemoryFiles(),
    warn: () => undefined,
    services: { directory: () => host },
  });
  return graph.open({ driver: "vvfat", dir: "somewhere", ...options });
}

/** A floppy's parts: 512-byte clusters, 224 root entries. */
const ROOT = 19 * 512;
const DATA = 33 * 512;
const floppy = { "fat-type": 12, floppy: true, rw: true };

async function rootEntry(node: BlockNode, short: string): Promise<{ at: number; bytes: Uint8Array }> {
  const root = new Uint8Array(DATA - ROOT);
  await node.read(ROOT, root);
  for (let at = 0; at < root.length; at += 32)
    if (String.fromCharCode(...root.subarray(at, at + 11)) === short)
      return { at: ROOT + at, bytes: root.slice(at, at + 32) };
  throw new Error(`no ${short}`);
}

describe("vvfat", () => {
  it("has QEMU's sizes", async () => {
    const host = await folder();
    const size = async (options: Record<string, unknown>): Promise<number> =>
      (await open(host, { "read-only": true, ...options })).size;
    expect(await size({})).toBe(528482304);
    expect(await size({ "fat-type": 12 })).toBe(33030144);
    expect(await size({ "fat-type": 32 })).toBe(528482304);
    expect(await size({ floppy: true })).toBe(2949120);
    expect(await size({ floppy: true, "fat-type": 12 })).toBe(1474560);
    await expect(size({ floppy: true, "fat-type": 32 })).rejects.toThrow(/does not fit/);
    await expect(size({ "fat-type": 13 })).rejects.toThrow(/fat-type 13/);
    await expect(size({ label: "TWELVE CHARS" })).rejects.toThrow(/label/);
  });

  it("reads files where their chains say", async () => {
    const node = await open(await folder(), { ...floppy, rw: false, "read-only": true });
    const { bytes } = await rootEntry(node, "ALONGN~1TXT");
    const first = bytes[26]! | (bytes[27]! << 8);
    const content = new Uint8Array(5120);
    await node.read(DATA + (first - 2) * 512, content);
    expect(content.subarray(0, 5000).every((b) => b === 0x61)).toBe(true);
    expect(content.subarray(5000).every((b) => b === 0)).toBe(true);
  });

  it("changes the host's files when the guest's are whole", async () => {
    const host = await folder();
    const node = await open(host, floppy);
    // Changed content.
    const { at, bytes } = await rootEntry(node, "README  TXT");
    const first = bytes[26]! | (bytes[27]! << 8);
    await node.write(DATA + (first - 2) * 512, new Uint8Array(50).fill(1));
    await node.flush();
    expect([...((await host.lookup(host.top, "README.TXT")) as Memory).bytes.subarray(48, 52)]).toEqual([1, 1, 82, 82]);
    // A new name keeps the file.
    const file = await host.lookup(host.top, "README.TXT");
    const renamed = new Uint8Array(bytes);
    renamed.set([..."NEWNAME "].map((c) => c.charCodeAt(0)));
    await node.write(at, renamed);
    await node.flush();
    expect(await host.lookup(host.top, "NEWNAME.TXT")).toBe(file);
    // A size that its clusters do not have: nothing happens until it is right.
    const longer = new Uint8Array(renamed);
    longer[29] = 8;
    await node.write(at, longer);
    await node.flush();
    expect(host.files()["NEWNAME.TXT"]).toBe(100);
    const shorter = new Uint8Array(renamed);
    shorter[28] = 10;
    await node.write(at, shorter);
    await node.flush();
    expect(host.files()["NEWNAME.TXT"]).toBe(10);
    // Removed.
    await node.write(at, new Uint8Array([0xe5]));
    await node.close();
    expect(host.files()).toEqual({ "a long name.txt": 5000, "sub/": 0, "sub/inner": 2000 });
  });

  it("gives the host's files the times that the guest sets", async () => {
    const host = await folder();
    const node = await open(host, floppy);
    const { at, bytes } = await rootEntry(node, "README  TXT");
    const file = (await host.lookup(host.top, "README.TXT")) as Memory;
    const others = (await host.lookup(host.top, "a long name.txt")) as Memory;
    // 2001-02-03 04:05:06: a time of no content, and with one.
    const dated = new Uint8Array(bytes);
    dated.set([(5 << 5) | 3, (4 << 3) | 0, (2 << 5) | 3, (21 << 1) | 0], 22);
    await node.write(at, dated);
    await node.flush();
    expect(new Date(file.mtime * 1000).toISOString()).toBe("2001-02-03T04:05:06.000Z");
    expect(others.mtime).toBe(1_700_000_000);
    const first = bytes[26]! | (bytes[27]! << 8);
    dated[24] = (2 << 5) | 4;
    await node.write(DATA + (first - 2) * 512, new Uint8Array(50).fill(1));
    await node.write(at, dated);
    await node.flush();
    expect([file.bytes[0], new Date(file.mtime * 1000).toISOString()]).toEqual([1, "2001-02-04T04:05:06.000Z"]);
    // No such day: the host's time stays.
    dated[24] = 0;
    await node.write(at, dated);
    await node.flush();
    expect(new Date(file.mtime * 1000).toISOString()).toBe("2001-02-04T04:05:06.000Z");
    // A folder's.
    const sub = await rootEntry(node, "SUB        ").catch(() => rootEntry(node, "SUB~1      "));
    sub.bytes.set(dated.subarray(22, 24), 22);
    sub.bytes.set([(2 << 5) | 5, (21 << 1) | 0], 24);
    await node.write(sub.at, sub.bytes);
    await node.close();
    const inSub = (await host.lookup(host.top, "sub")) as Memory;
    expect(new Date(inSub.mtime * 1000).toISOString()).toBe("2001-02-05T04:05:06.000Z");
  });

  it("refuses to leave the folder", async () => {
    const host = await folder();
    const node = await open(host, floppy);
    const { at, bytes } = await rootEntry(node, "README  TXT");
    for (const name of ["../X    TXT", "A/B     TXT"]) {
      const bad = new Uint8Array(bytes);
      bad.set([...name].map((c) => c.charCodeAt(0)));
      await node.write(at, bad);
      await node.flush();
    }
    expect(host.files()["README.TXT"]).toBe(100);
  });
});

describe("names", () => {
  it("are short where they can be, and unique", () => {
    const taken = new Set<string>();
    expect(fatName("README.TXT", taken)).toEqual({ short: "README  TXT" });
    expect(fatName("readme.txt", taken)).toEqual({ short: "README~1TXT", long: "readme.txt" });
    expect(fatName("some long name.text", taken)).toEqual({ short: "SOMELO~1TEX", long: "some long name.text" });
    expect(fatName(".profile", taken)?.short).toBe("PROFIL~1   ");
    expect(fatName("a:b", taken)).toBeUndefined();
    expect(fatName("x".repeat(256), taken)).toBeUndefined();
  });

  it("come back from their long entries", () => {
    for (const long of ["a", "thirteen char", "fourteen chars", "☃".repeat(255)]) {
      const bytes = new Uint8Array(32 * 21);
      const at = putName(bytes, 0, { short: "SHORT   TXT", long });
      const reader = new LongName();
      for (let i = 0; i < at; i += 32) reader.add(bytes.subarray(i, i + 32));
      expect(reader.take("SHORT   TXT")).toBe(long);
      expect(reader.take("SHORT   TXT")).toBeUndefined();
    }
  });

  it("of disks hold their options", () => {
    expect(parseName("fat:rw:16:/a:b")).toEqual({ rw: true, "fat-type": 16, dir: "/a:b" });
    expect(parseName("fat:floppy:x")).toEqual({ floppy: true, dir: "x" });
  });
});
