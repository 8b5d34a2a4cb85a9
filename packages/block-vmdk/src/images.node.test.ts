import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BlockNode,
  createImage,
  FileNode,
  MemoryFile,
  MemoryFiles,
  openImage,
  type OpenImageOptions,
} from "@mimus/block";
import { Seeded, testHost } from "@mimus/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vmdk } from "./index.ts";

const SECTOR = 512;
const KiB = 1024;
const MiB = 1 << 20;
const host = testHost();

const hasQemu = spawnSync("qemu-img", ["--version"]).status === 0;

let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "mimus-vmdk-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts files into the folder and asks qemu-img; undefined when it is not there. */
function ask(files: MemoryFiles, ...args: string[]): { rc: number | null; text: string } | undefined {
  if (!hasQemu) return undefined;
  for (const [name, file] of files.files) writeFileSync(join(folder, name), (file as MemoryFile).content());
  const { status, stdout, stderr } = spawnSync("qemu-img", args, { cwd: folder, encoding: "utf8" });
  return { rc: status, text: stdout + stderr };
}
/** The disk as qemu-img reads it. */
function theirs(
  files: MemoryFiles,
  name: string,
  options = `driver=vmdk,file.filename=${name}`,
): Uint8Array | undefined {
  const done = ask(files, "convert", "--image-opts", options, "-O", "raw", "out.raw");
  if (!done) return undefined;
  expect(done).toEqual({ rc: 0, text: "" });
  return new Uint8Array(readFileSync(join(folder, "out.raw")));
}
const node = (files: MemoryFiles, name: string, readOnly = true): Promise<BlockNode> =>
  files.open(name, { writable: !readOnly }).then((f) => FileNode.open(name, f, { readOnly }));
function open(files: MemoryFiles, name: string, more: OpenImageOptions = {}): Promise<BlockNode> {
  const readOnly = more.readOnly ?? true;
  const extent = (n: string): Promise<BlockNode> => node(files, n, readOnly);
  return node(files, name, readOnly).then((f) => openImage(vmdk, f, { host, readOnly, extent, ...more }));
}
async function create(
  files: MemoryFiles,
  name: string,
  size: number,
  options: Record<string, unknown> = {},
): Promise<void> {
  const fresh = (n: string): Promise<BlockNode> => (files.add(n, 0), node(files, n, false));
  await createImage(vmdk, await fresh(name), size, { options, host, extent: fresh });
}
async function all(n: BlockNode): Promise<Uint8Array> {
  const out = new Uint8Array(n.size);
  await n.read(0, out);
  return out;
}
const bytes = (files: MemoryFiles, name: string): Uint8Array => (files.files.get(name) as MemoryFile).content();
const pattern = (length: number, seed: number): Uint8Array => {
  const random = new Seeded(seed);
  return Uint8Array.from({ length }, () => random.below(256));
};
function sheet(size: number, fields: readonly (readonly [at: number, value: number, size: 2 | 4 | 8])[]): Uint8Array {
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  for (const [at, value, width] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value >>> 0, true);
    if (width === 8) view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
  return out;
}
const descriptor = (type: string, ...lines: string[]): Uint8Array =>
  new TextEncoder().encode(
    `# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="${type}"\n${lines.join("\n")}\n`,
  );

describe("images that others make", () => {
  it("streams name their directory in a footer", async () => {
    const files = new MemoryFiles();
    await create(files, "s.vmdk", MiB, { subformat: "streamOptimized" });
    const n = await open(files, "s.vmdk", { readOnly: false });
    await n.write(0, pattern(192 * KiB, 1));
    await n.close();
    const front = bytes(files, "s.vmdk");
    const footer = front.slice(0, SECTOR);
    const stream = new Uint8Array(front.length + 3 * SECTOR);
    stream.set(front);
    stream.fill(0xff, 56, 64);
    stream.set(
      sheet(SECTOR, [
        [0, 1, 8],
        [12, 3, 4],
      ]),
      front.length,
    );
    stream.set(footer, front.length + SECTOR);
    files.add("f.vmdk", stream);
    const read = await all(await open(files, "f.vmdk"));
    expect(read.subarray(0, 192 * KiB)).toEqual(pattern(192 * KiB, 1));
    const other = theirs(files, "f.vmdk");
    if (other) expect(read).toEqual(other);
    for (const [at, value, why] of [
      [8, 1, "size of the footer's marker 1 must be 0"],
      [12, 2, "type of the footer's marker 2 must be 3"],
      [SECTOR, 1, "magic of the footer"],
      [SECTOR + 56, 0xff, "must be"],
      [2 * SECTOR + 12, 1, "type of the last marker 1 must be 0"],
    ] as const) {
      const bad = stream.slice();
      if (at === SECTOR + 56) bad.fill(0xff, front.length + at, front.length + at + 8);
      else bad[front.length + at] = value;
      files.add("bad.vmdk", bad);
      await expect(open(files, "bad.vmdk")).rejects.toThrow(why);
    }
    files.add("short.vmdk", stream.slice(0, SECTOR));
    await expect(open(files, "short.vmdk")).rejects.toThrow("there is none");
  });

  it("ESX's sparse extents have 4096 entries a table", { timeout: 30_000 }, async () => {
    const grain = 8;
    const [gdAt, gtAt, dataAt] = [4, 5, 5 + 32];
    const file = new Uint8Array((dataAt + 2 * grain) * SECTOR);
    const size = 64 * MiB;
    file.set(
      sheet(SECTOR, [
        [4, 1, 4],
        [8, 3, 4],
        [12, size / SECTOR, 4],
        [16, grain, 4],
        [20, gdAt, 4],
        [24, 4, 4],
        [28, dataAt, 4],
      ]),
    );
    file.set(new TextEncoder().encode("COWD"));
    file.set(sheet(16, [[4, gtAt, 4]]), gdAt * SECTOR);
    file.set(
      sheet(16, [
        [8, dataAt + grain, 4],
        [0, dataAt, 4],
      ]),
      gtAt * SECTOR,
    );
    file.set(pattern(2 * grain * SECTOR, 2), dataAt * SECTOR);
    const files = new MemoryFiles().add("c-delta.vmdk", file);
    files.add("c.vmdk", descriptor("vmfsSparse", `RW ${size / SECTOR} VMFSSPARSE "c-delta.vmdk"`));
    const n = await open(files, "c.vmdk");
    const other = theirs(files, "c.vmdk");
    if (other) expect(Buffer.compare(await all(n), other)).toBe(0);
    const unit = grain * SECTOR;
    const at = 4096 * unit; // the second table
    const got = new Uint8Array(3 * unit);
    await n.read(at, got);
    expect(got.subarray(0, unit)).toEqual(pattern(2 * unit, 2).subarray(0, unit));
    expect(got.subarray(unit, 2 * unit)).toEqual(new Uint8Array(unit));
    expect(got.subarray(2 * unit)).toEqual(pattern(2 * unit, 2).subarray(unit));
    expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0 });
    expect((await n.image?.info?.())?.specific?.data).toMatchObject({
      "create-type": "vmfsSparse",
      extents: [{ "cluster-size": unit, format: "VMFSSPARSE" }],
    });
    await n.close();
    // Writing makes the tables that are missing.
    const w = await open(files, "c-delta.vmdk", { readOnly: false });
    await w.write(5, pattern(7000, 3));
    await w.close();
    const r = await open(files, "c.vmdk");
    const start = new Uint8Array(7005);
    await r.read(0, start);
    expect(start.subarray(5)).toEqual(pattern(7000, 3));
    await r.read(at, got);
    expect(got[0]).toBe(pattern(1, 2)[0]);
    const again = theirs(files, "c.vmdk");
    if (again) expect(Buffer.compare(await all(r), again)).toBe(0);
  });

  it("seSparse extents are read", { timeout: 30_000 }, async () => {
    const [grain, table] = [8, 64];
    const size = 17 * MiB;
    const gd = 4;
    const tables = 8;
    const grains = tables + 2 * table;
    const count = 0x1002; // grains in the file: the numbers need their upper bits, which lie below
    const file = new Uint8Array((grains + count * grain) * SECTOR);
    file.set(
      sheet(SECTOR, [
        [0, 0xcafebabe, 8],
        [8, 2 * 2 ** 32 + 1, 8],
        [16, size / SECTOR, 8],
        [24, grain, 8],
        [32, table, 8],
        [80, 1, 8],
        [88, 1, 8],
        [96, 2, 8],
        [104, 2, 8],
        [112, 2, 8],
        [120, 2, 8],
        [128, gd, 8],
        [136, 1, 8],
        [144, tables, 8],
        [152, 2 * table, 8],
        [160, 3, 8],
        [168, 1, 8],
        [176, 3, 8],
        [184, 1, 8],
        [192, grains, 8],
        [200, count * grain, 8],
      ]),
    );
    file.set(sheet(SECTOR, [[0, 0xcafecafe, 8]]), SECTOR);
    const half = (low: number, high: number): Uint8Array =>
      sheet(8, [
        [0, low, 4],
        [4, high, 4],
      ]);
    file.set(half(1, 0x10000000), gd * SECTOR);
    const at = (tables + table) * SECTOR;
    const entry = (number: number): Uint8Array =>
      half(Math.floor(number / 4096), 0x30000000 + (number % 4096) * 0x10000);
    file.set(entry(3), at);
    file.set(entry(0x1001), at + 8);
    file.set(half(0, 0x20000000), at + 16);
    file.set(half(0, 0x10000000), at + 24);
    const unit = grain * SECTOR;
    file.set(pattern(unit, 4), (grains + 3 * grain) * SECTOR);
    file.set(pattern(unit, 5), (grains + 0x1001 * grain) * SECTOR);
    const files = new MemoryFiles().add("e-sesparse.vmdk", file);
    const text = descriptor("seSparse", `RW ${size / SECTOR} SESPARSE "e-sesparse.vmdk"`);
    files.add("e.vmdk", text);
    const n = await open(files, "e.vmdk");
    const got = new Uint8Array(5 * unit);
    await n.read(0, got);
    expect(got.subarray(0, unit)).toEqual(pattern(unit, 4));
    expect(got.subarray(unit, 2 * unit)).toEqual(pattern(unit, 5));
    expect(got.subarray(2 * unit)).toEqual(new Uint8Array(3 * unit));
    const other = theirs(files, "e.vmdk", "driver=vmdk,file.filename=e.vmdk,read-only=on");
    if (other) expect(Buffer.compare(await all(n), other)).toBe(0);
    await n.read(16 * MiB, got); // the second table is missing
    await expect(open(files, "e.vmdk", { readOnly: false })).rejects.toThrow("No write support for seSparse");
    const bad = async (where: number, value: number, why: string): Promise<void> => {
      const copy = file.slice(0, (grains + 8 * grain) * SECTOR);
      copy.set(sheet(4, [[0, value, 4]]), where);
      files.add("e-sesparse.vmdk", copy);
      await expect(open(files, "e.vmdk").then((x) => x.read(0, got))).rejects.toThrow(why);
    };
    await bad(8, 9, "version 2.9 must be 2.1");
    await bad(40, 1, "flags of seSparse must be 0");
    await bad(24, 16, "grain_size 16 must be 8 to 8");
    await bad(SECTOR, 1, "volatile_magic");
    await bad(SECTOR + 24, 1, "replay_journal");
    await bad(gd * SECTOR, 2, "grain directory entry 0 is 0x10000000_2");
    await bad(at + 4, 0x40000000, "grain 0 has the entry 0x40000000");
    await bad(at + 4, 0x00000001, "grain 0 has the entry");
    await bad(134, 0x00ff, "grain_dir_offset");
  });

  it("custom descriptors mix kinds of extents", async () => {
    const files = new MemoryFiles();
    await create(files, "part.vmdk", MiB);
    const w = await open(files, "part.vmdk", { readOnly: false });
    await w.write(100, pattern(1000, 6));
    await w.close();
    files.add("flat.bin", pattern(2 * MiB, 7)).add("fixed.bin", pattern(2 * MiB, 7));
    files.add(
      "mix.vmdk",
      descriptor(
        "monolithicFlat",
        "# comment",
        'RW 100 FLAT "flat.bin" 3',
        `RW ${MiB / SECTOR} SPARSE "part.vmdk"`,
        "RW 7 ZERO",
        'RDONLY 5 VMFS "fixed.bin"',
        "ddb.adapterType = x",
      ),
    );
    const n = await open(files, "mix.vmdk", { readOnly: false });
    const end = 100 * SECTOR + MiB + 12 * SECTOR;
    expect(n.size).toBe(end);
    const want = new Uint8Array(end);
    want.set(pattern(2 * MiB, 7).subarray(3 * SECTOR, 103 * SECTOR));
    want.set(pattern(1000, 6), 100 * SECTOR + 100);
    want.set(pattern(2 * MiB, 7).subarray(0, 5 * SECTOR), end - 5 * SECTOR);
    expect(Buffer.compare(await all(n), want)).toBe(0);
    await n.write(99 * SECTOR, new Uint8Array(2 * SECTOR).fill(9));
    want.fill(9, 99 * SECTOR, 101 * SECTOR);
    await n.writeZeroes?.(50 * SECTOR, 60 * SECTOR, true);
    want.fill(0, 50 * SECTOR, 110 * SECTOR);
    await n.discard?.(0, SECTOR);
    want.fill(0, 0, SECTOR);
    expect(Buffer.compare(await all(n), want)).toBe(0);
    await expect(n.write(end - SECTOR, new Uint8Array(SECTOR))).rejects.toThrow("RDONLY");
    await expect(n.write(end - 6 * SECTOR, new Uint8Array(SECTOR))).rejects.toThrow("ZERO");
    expect(await n.blockStatus?.(100 * SECTOR, end - 100 * SECTOR)).toMatchObject({ allocated: true });
    expect(await n.blockStatus?.(end - 12 * SECTOR, 12 * SECTOR)).toMatchObject({ length: 7 * SECTOR, zero: true });
    expect((await n.image?.info?.())?.specific?.data).toMatchObject({ "parent-cid": 0xffffffff });
    await n.flush();
    await n.close();
    expect(new TextDecoder().decode(bytes(files, "mix.vmdk"))).not.toContain("CID=12345678");
  });

  it("wrong descriptors are refused with the reason", async () => {
    const files = new MemoryFiles().add("f", pattern(10 * SECTOR, 8)).add("empty", 0);
    const wrong = async (why: string, type: string, ...lines: string[]): Promise<void> => {
      files.add("d.vmdk", descriptor(type, ...lines));
      await expect(open(files, "d.vmdk"), lines.join()).rejects.toThrow(why);
    };
    const flat = "monolithicFlat";
    await wrong("names no extents", flat);
    await wrong("Unsupported image type", "fullDevice", 'RW 1 FLAT "f" 0');
    await wrong("needs 10240 bytes at 0", flat, 'RW 20 FLAT "f" 0');
    await wrong("has -5 sectors", flat, 'RW -5 FLAT "f" 0');
    await wrong("has 0 sectors", flat, 'RW 0 FLAT "f" 0');
    await wrong("has offset -1", flat, 'RW 1 FLAT "f" -1');
    await wrong("names no file", flat, "RW 1 FLAT");
    await wrong("is no extent", flat, "RW x FLAT");
    await wrong("NOACCESS", flat, 'NOACCESS 1 FLAT "f" 0');
    await wrong("extent type 'VMFSRDM'", flat, 'RW 1 VMFSRDM "f"');
    await wrong("the descriptor itself", flat, 'RW 1 FLAT "d.vmdk" 0');
    await wrong("no magic of a sparse extent", flat, 'RW 1 SPARSE "f"');
    await wrong("no magic of a sparse extent", flat, 'RW 1 SPARSE "empty"');
    await wrong("no such file", flat, 'RW 1 FLAT "gone" 0');
    await wrong("together must be at most", flat, ...Array.from({ length: 3 }, () => `RW ${2 ** 43} ZERO`));
    await wrong("extents must be at most 4096", flat, ...Array.from({ length: 4097 }, () => "RW 1 ZERO"));
    files.add("d.vmdk", new TextEncoder().encode("# Disk DescriptorFile\nversion=1\nCID=xyz\n"));
    await expect(open(files, "d.vmdk")).rejects.toThrow("CID 'xyz' must be a hexadecimal number");
    files.add("d.vmdk", "# Disk DescriptorFile\nversion=1\n".length).add("e", pattern(4096, 9));
    await expect(open(files, "e")).rejects.toMatchObject({ kind: "not-this-format" });
    const long = new Uint8Array(2 * MiB).fill(32);
    long.set(descriptor(flat));
    files.add("d.vmdk", long);
    await expect(open(files, "d.vmdk")).rejects.toThrow("a descriptor must be at most");
    await expect(
      openImage(vmdk, new MemoryFile("x", descriptor(flat, 'RW 1 FLAT "f" 0')), { readOnly: true }),
    ).rejects.toThrow("nothing was given");
  });

  it("wrong headers are refused with the reason", async () => {
    const files = new MemoryFiles();
    await create(files, "a.vmdk", MiB);
    const good = bytes(files, "a.vmdk");
    const wrong = async (why: string, at: number, value: number): Promise<void> => {
      const bad = good.slice();
      bad.set(sheet(4, [[0, value, 4]]), at);
      files.add("b.vmdk", bad);
      await expect(open(files, "b.vmdk").then((n) => n.read(0, new Uint8Array(512)))).rejects.toThrow(why);
    };
    await wrong("VMDK version 4 must be 1 to 3", 4, 4);
    await wrong("compressAlgorithm 0 must be 1 to 1", 8, 1 << 16);
    await wrong("capacity 0x", 16, 0xffffffff);
    await wrong("grainSize 0 must be", 20, 0);
    await wrong("grainSize 3 must be a power of two", 20, 3);
    await wrong("numGTEsPerGT 513", 44, 513);
    await wrong("(grain tables)", 16, 0xfff);
    await wrong("grain directory at 0", 56, 0);
    await wrong("which is cut short", 64, 0xffff);
    await wrong("redundant grain directory at", 48, 0xffff);
    const gd = new DataView(good.buffer).getUint32(56, true) * SECTOR;
    await wrong("grain table 0 at", gd, 0xffffff);
    const gt = new DataView(good.buffer).getUint32(gd, true) * SECTOR;
    await wrong("and the file ends at", gt, 0xffffff);
    files.add("b.vmdk", good.slice(0, 100));
    await expect(open(files, "b.vmdk")).rejects.toMatchObject({ name: "BlockError" });
    // check names what reading would stumble over
    const bad = good.slice();
    bad.set(
      sheet(12, [
        [0, 0xffffff, 4],
        [4, 2, 4],
        [8, 2, 4],
      ]),
      gt,
    );
    files.add("b.vmdk", bad);
    const n = await open(files, "b.vmdk");
    expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 2 });
    bad.set(sheet(4, [[0, 0xffffff, 4]]), gd);
    files.add("b.vmdk", bad);
    expect(await (await open(files, "b.vmdk")).image?.check?.("none")).toMatchObject({ corruptions: 1 });
  });
});

describe("reopening", () => {
  it.each(["monolithicSparse", "twoGbMaxExtentFlat"])("%s becomes writable and read-only again", async (subformat) => {
    const files = new MemoryFiles();
    await create(files, "a.vmdk", MiB, { subformat });
    const cid = (): string => /CID=(\w+)/.exec(new TextDecoder("latin1").decode(bytes(files, "a.vmdk")))?.[1] ?? "";
    const first = cid();
    const extent = (n: string): Promise<BlockNode> => node(files, n, false);
    const inner = await vmdk.class.format.open(await node(files, "a.vmdk", false), {} as never, {
      name: "n",
      readOnly: true,
      probed: false,
      filename: "a.vmdk",
      explicitBacking: undefined,
      backing: extent,
      extent,
      children: {},
      looksLike: () => "raw",
      warn: () => undefined,
      host,
      format: extent as never,
    });
    for (let round = 0; round < 2; round++) {
      await inner.reopen?.({ readOnly: false });
      expect(inner.readOnly).toBe(false);
      const before = cid();
      await inner.write(round * 100, pattern(100, round));
      expect(cid()).not.toBe(before);
      await inner.reopen?.({ readOnly: true });
      expect(inner.readOnly).toBe(true);
    }
    expect(cid()).not.toBe(first);
    const again = await open(files, "a.vmdk");
    const got = new Uint8Array(200);
    await again.read(0, got);
    expect(got).toEqual(Uint8Array.from([...pattern(100, 0), ...pattern(100, 1)]));
  });
});

describe("parents", () => {
  const chain = async (): Promise<MemoryFiles> => {
    const files = new MemoryFiles();
    await create(files, "base.vmdk", MiB);
    const base = await open(files, "base.vmdk", { readOnly: false });
    await base.write(0, pattern(300 * KiB, 10));
    await base.close();
    const below = await open(files, "base.vmdk");
    files.add("top.vmdk", 0);
    await createImage(vmdk, await node(files, "top.vmdk", false), 2 * MiB, {
      options: { backing_file: "base.vmdk", backing_fmt: "vmdk", zeroed_grain: true },
      host,
      backing: { filename: "base.vmdk", node: below },
    });
    await below.close();
    return files;
  };
  const backing = (files: MemoryFiles): OpenImageOptions => ({ readOnly: false, backing: (n) => open(files, n) });

  it("are read through until they change", async () => {
    const files = await chain();
    const n = await open(files, "top.vmdk", backing(files));
    await n.write(64 * KiB + 5, new Uint8Array(10).fill(1));
    await n.writeZeroes?.(128 * KiB, 64 * KiB, true);
    await n.writeZeroes?.(192 * KiB + 1, 100, true);
    const want = new Uint8Array(2 * MiB);
    want.set(pattern(300 * KiB, 10));
    want.fill(1, 64 * KiB + 5, 64 * KiB + 15);
    want.fill(0, 128 * KiB, 192 * KiB);
    want.fill(0, 192 * KiB + 1, 192 * KiB + 101);
    expect(Buffer.compare(await all(n), want)).toBe(0);
    const info = await n.image?.info?.();
    expect(info?.backingFile).toBe("base.vmdk");
    expect(n.children).toHaveProperty("backing");
    await n.close();
    const other = theirs(files, "top.vmdk");
    if (other) expect(Buffer.compare(other, want)).toBe(0);
    const base = await open(files, "base.vmdk", { readOnly: false });
    await base.write(0, new Uint8Array(1));
    await base.close();
    const again = await open(files, "top.vmdk", backing(files));
    await expect(again.read(0, new Uint8Array(1))).rejects.toThrow("must be the CID of the parent");
    again.setBacking?.(undefined);
    await again.read(0, new Uint8Array(1));
    again.setBacking?.(await open(files, "base.vmdk"));
    const got = new Uint8Array(2);
    await again.read(0, got);
    expect(got[1]).toBe(pattern(2, 10)[1]);
    await again.close();
  });

  it("must be VMDK images", async () => {
    const files = await chain();
    const raw = await node(files.add("raw", MiB), "raw");
    const n = await open(files, "top.vmdk", { backing: raw });
    await expect(n.read(0, new Uint8Array(1))).rejects.toThrow("is no VMDK image");
    await n.close();
    const make = (options: Record<string, unknown>, below?: BlockNode): Promise<void> =>
      createImage(vmdk, new MemoryFile("x"), MiB, {
        options,
        host,
        ...(below ? { backing: { filename: "raw", node: below } } : {}),
      });
    await expect(make({ backing_file: "raw" }, await node(files, "raw"))).rejects.toThrow("Invalid backing file");
    await expect(make({ backing_file: "raw" })).rejects.toThrow("must be opened");
    await expect(make({ backing_file: "raw", backing_fmt: "raw" })).rejects.toThrow("must be a vmdk image");
    await expect(make({ backing_file: "a", subformat: "monolithicFlat" })).rejects.toThrow(
      "Flat image can't have backing file",
    );
    await expect(make({ zeroed_grain: true, subformat: "monolithicFlat" })).rejects.toThrow(
      "Flat image can't enable zeroed grain",
    );
    await expect(make({ compat6: true, hwversion: "7" })).rejects.toThrow(
      "compat6 cannot be enabled with hwversion set",
    );
    await expect(make({ toolsversion: 'a"b' })).rejects.toThrow("toolsversion may not have quotes");
    await expect(make({ subformat: "monolithicFlat" })).rejects.toThrow("nothing was given");
  });
});

describe.skipIf(!hasQemu)(hasQemu ? "beside qemu-img" : "beside qemu-img, which is not installed", () => {
  const SETS = [
    "",
    "zeroed_grain=on",
    "compat6=on",
    "adapter_type=lsilogic,hwversion=9,toolsversion=123",
    "adapter_type=buslogic",
    "subformat=monolithicFlat",
    "subformat=twoGbMaxExtentSparse",
    "subformat=twoGbMaxExtentFlat",
    "subformat=streamOptimized",
  ];
  it.each(SETS)("images with '%s' are the same both ways", { timeout: 30_000 }, async (set) => {
    const options = Object.fromEntries(set === "" ? [] : set.split(",").map((o) => o.split("=") as [string, string]));
    const files = new MemoryFiles();
    const size = MiB + 5 * SECTOR;
    await create(files, "o.vmdk", size, options);
    const w = await open(files, "o.vmdk", { readOnly: false });
    const want = new Uint8Array(size);
    for (let i = 0; i < 8; i++) {
      const at = ((i * 37) % 16) * 64 * KiB;
      const data = pattern(set.endsWith("streamOptimized") ? 64 * KiB : 5000, i);
      await w.write(at, data);
      want.set(data, at);
    }
    await w.close();
    expect(Buffer.compare(theirs(files, "o.vmdk") ?? want, want)).toBe(0);
    expect(ask(files, "check", "o.vmdk")).toMatchObject({ rc: 0 });
    writeFileSync(join(folder, "w.raw"), want);
    const args = ["convert", "-f", "raw", "-O", "vmdk", ...(set === "" ? [] : ["-o", set]), "w.raw", "t.vmdk"];
    expect(ask(new MemoryFiles(), ...args)).toEqual({ rc: 0, text: "" });
    const made = new MemoryFiles();
    for (const name of ["t.vmdk", "t-flat.vmdk", "t-f001.vmdk", "t-s001.vmdk"])
      try {
        made.add(name, new Uint8Array(readFileSync(join(folder, name))));
        rmSync(join(folder, name));
      } catch {
        // this set has no such file
      }
    const n = await open(made, "t.vmdk");
    expect(Buffer.compare(await all(n), want)).toBe(0);
    expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0 });
    await n.close();
  });
});
