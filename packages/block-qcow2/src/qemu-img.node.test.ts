import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { zstdCompressSync } from "node:zlib";
import { join } from "node:path";
import { createImage, FileNode, MemoryFile, openImage, raw } from "@mimus/block";
import type { BlockNode } from "@mimus/block";
import { readAll, testHost } from "@mimus/testkit";
import { afterAll, describe, expect, it, vi } from "vitest";
import { qcow2 } from "./qcow2.ts";

// Each test starts many processes.
vi.setConfig({ testTimeout: 60_000 });

const SIZE = 3 << 20;
const present = ((): boolean => {
  try {
    execFileSync("qemu-img", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    process.stderr.write("skipped: qemu-img is not installed, so it is not asked about our images\n");
    return false;
  }
})();

const folder = mkdtempSync(join(tmpdir(), "qcow2-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);
const qemu = (...args: string[]): string =>
  execFileSync("qemu-img", args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const io = (image: string, ...commands: string[]): string =>
  execFileSync("qemu-io", [...commands.flatMap((c) => ["-c", c]), image], { cwd: folder, encoding: "utf8" });

function pattern(length: number, seed: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0, x = seed; i < length; i++) out[i] = (x = (x * 1103515245 + 12345) & 0x7fffffff) >>> 16;
  return out;
}

/** The file in memory; `save` writes it where qemu-img sees it. */
function memory(name: string): MemoryFile & { save(): void } {
  const file = new MemoryFile(name, new Uint8Array(readFileSync(path(name))));
  return Object.assign(file, { save: () => writeFileSync(path(name), file.content()) });
}

async function make(name: string, options: Record<string, unknown>, size = SIZE, more: object = {}): Promise<void> {
  const file = new MemoryFile(name);
  await createImage(qcow2, file, size, { options, host: testHost(), ...more });
  writeFileSync(path(name), file.content());
}

async function edit<T>(name: string, work: (node: BlockNode) => Promise<T>, more: object = {}): Promise<T> {
  const file = memory(name);
  const node = await openImage(qcow2, file, { host: testHost(), ...more });
  const result = await work(node);
  await node.close();
  file.save();
  return result;
}

/** qemu-img finds no error and no leak, and reads these bytes. */
function agree(name: string, bytes: Uint8Array, options?: string): void {
  const image = options ?? path(name);
  const how = options === undefined ? [] : ["--image-opts"];
  expect(() => qemu("check", ...how, image)).not.toThrow();
  writeFileSync(path("model.raw"), bytes);
  qemu("convert", ...how, "-O", "raw", image, path("theirs.raw"));
  expect(readFileSync(path("theirs.raw")).equals(bytes), "content").toBe(true);
}

describe.skipIf(!present)("with qemu-img", () => {
  const shapes: Record<string, unknown>[] = [
    {},
    { cluster_size: 512 },
    { cluster_size: 2 << 20 },
    { compat: "0.10" },
    { extended_l2: true, cluster_size: 16384 },
    { lazy_refcounts: true, refcount_bits: 4 },
    { preallocation: "metadata", compression_type: "zstd" },
    { preallocation: "full", cluster_size: 4096 },
    { preallocation: "falloc", extended_l2: true },
    { refcount_bits: 1, cluster_size: 4096 },
    { refcount_bits: 64, cluster_size: 4096 },
  ];
  it.each(shapes)("agrees about an image made with %j", async (options) => {
    await make("a.qcow2", options);
    agree("a.qcow2", new Uint8Array(SIZE));
    const model = new Uint8Array(SIZE);
    await edit("a.qcow2", async (n) => {
      for (const [at, length] of [
        [0, 70_000],
        [1 << 20, 200_001],
        [SIZE - 5000, 5000],
      ] as const) {
        const bytes = pattern(length, at + 1);
        await n.write(at, bytes);
        model.set(bytes, at);
      }
      await n.writeZeroes?.(30_000, 1_100_000, true);
      model.fill(0, 30_000, 1_130_000);
    });
    agree("a.qcow2", model);
    const theirs = JSON.parse(qemu("info", "--output=json", path("a.qcow2"))) as Record<string, never>;
    const ours = await edit("a.qcow2", async (n) => n.image?.info?.());
    expect(ours?.specific).toEqual(theirs["format-specific"]);
    // And the other way: what qemu-io adds is read, and checked.
    io(path("a.qcow2"), "write -P 0x5a 2M 100k", "discard 64k 64k");
    model.fill(0x5a, 2 << 20, (2 << 20) + 102_400);
    await edit("a.qcow2", async (n) => {
      const bytes = await readAll(n);
      expect(bytes.subarray(2 << 20).every((b, i) => b === model[(2 << 20) + i])).toBe(true);
      expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
    });
  });

  it("reads images that qemu-img makes, and it reads them after we wrote", async () => {
    for (const options of [
      "compat=0.10",
      "extended_l2=on",
      "refcount_bits=1",
      "cluster_size=512",
      "preallocation=metadata",
      "lazy_refcounts=on",
    ]) {
      qemu("create", "-q", "-f", "qcow2", "-o", options, path("t.qcow2"), String(SIZE));
      const bytes = pattern(SIZE, 9);
      await edit("t.qcow2", async (n) => {
        expect((await readAll(n)).every((b) => b === 0)).toBe(true);
        await n.write(0, bytes);
      });
      agree("t.qcow2", bytes);
    }
  });

  it("keeps snapshots that both make", async () => {
    await make("s.qcow2", {});
    const one = pattern(SIZE, 1);
    const two = pattern(300_000, 2);
    const info = { vmStateSize: 0, dateSec: 1_700_000_000, dateNsec: 5, vmClockNs: 7, diskSize: SIZE };
    await edit("s.qcow2", async (n) => {
      await n.write(0, one);
      await n.image?.snapshots?.create({ ...info, name: "ours" });
      await n.write(100_000, two);
    });
    qemu("snapshot", "-c", "theirs", path("s.qcow2"));
    const changed = one.slice();
    changed.set(two, 100_000);
    agree("s.qcow2", changed);
    await edit("s.qcow2", async (n) => {
      const list = await n.image?.snapshots?.list();
      expect(list?.map((s) => [s.id, s.name, s.diskSize])).toEqual([
        ["1", "ours", SIZE],
        ["2", "theirs", SIZE],
      ]);
      const old = await n.image?.snapshots?.open("ours", "old");
      expect(old && Buffer.compare(await readAll(old), one)).toBe(0);
      await expect(n.image?.snapshots?.delete("ours")).rejects.toMatchObject({ kind: "in-use" });
      await old?.close();
      await n.image?.snapshots?.apply("ours");
      expect(Buffer.compare(await readAll(n), one)).toBe(0);
    });
    agree("s.qcow2", one);
    qemu("snapshot", "-a", "theirs", path("s.qcow2"));
    agree("s.qcow2", changed);
    await edit("s.qcow2", async (n) => n.image?.snapshots?.delete("theirs"));
    agree("s.qcow2", changed);
    qemu("snapshot", "-d", "ours", path("s.qcow2"));
    agree("s.qcow2", changed);
  });

  it("keeps the machine's state in a snapshot", async () => {
    await make("v.qcow2", {});
    const state = pattern(1_000_000, 4);
    await edit("v.qcow2", async (n) => {
      await n.write(0, pattern(5000, 1));
      await n.image?.vmState?.write(0, state);
      await n.image?.snapshots?.create({
        name: "vm",
        vmStateSize: state.length,
        dateSec: 1,
        dateNsec: 0,
        vmClockNs: 3e9,
        icount: 12,
        diskSize: SIZE,
      });
      expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
    });
    expect(qemu("snapshot", "-l", path("v.qcow2"))).toMatch(/1 +vm +977 KiB/);
    qemu("check", path("v.qcow2"));
    await edit("v.qcow2", async (n) => {
      await n.image?.snapshots?.apply("vm");
      const back = new Uint8Array(state.length);
      await n.image?.vmState?.read(0, back);
      expect(Buffer.compare(back, state)).toBe(0);
      await n.resize?.(SIZE * 512);
      const fresh = new Uint8Array(1 << 20);
      await n.read(SIZE * 256, fresh);
      expect(fresh.every((b) => b === 0)).toBe(true);
    });
    qemu("check", path("v.qcow2"));
  });

  it("stores clusters compressed, both ways", async () => {
    for (const options of [
      {},
      { compression_type: "zstd" },
      { cluster_size: 512 },
      { extended_l2: true },
      { compat: "0.10" },
    ]) {
      const size = SIZE + 512;
      await make("c.qcow2", options, size);
      const bytes = new Uint8Array(size);
      for (let i = 0; i < bytes.length; i++) bytes[i] = (i >> 9) & 0xff;
      bytes.set(pattern(100_000, 3), 500_000);
      const { codecs } = testHost();
      // The portable codecs only read zstd.
      const zstdCompress = async (from: Uint8Array): Promise<Uint8Array> => zstdCompressSync(from);
      const host = { ...testHost(), codecs: { ...codecs, zstdCompress } };
      await edit("c.qcow2", async (n) => n.image?.writeCompressed?.(0, bytes), { host });
      agree("c.qcow2", bytes);
      qemu(
        "convert",
        "-c",
        "-O",
        "qcow2",
        "-o",
        Object.entries(options)
          .map(([k, v]) => `${k}=${String(v)}`)
          .join(",") || "compat=1.1",
        path("c.qcow2"),
        path("d.qcow2"),
      );
      await edit(
        "d.qcow2",
        async (n) => {
          expect(Buffer.compare(await readAll(n), bytes)).toBe(0);
          expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
          const over = pattern(70_000, 5);
          await n.write(33_333, over);
          bytes.set(over, 33_333);
        },
        { host },
      );
      agree("d.qcow2", bytes);
    }
  });

  it("resizes both ways", async () => {
    await make("r.qcow2", { cluster_size: 4096 });
    const bytes = pattern(SIZE, 6);
    await edit("r.qcow2", async (n) => {
      await n.write(0, bytes);
      await n.resize?.(1_000_448);
      await n.resize?.(64 << 20);
    });
    const want = new Uint8Array(64 << 20);
    want.set(bytes.subarray(0, 1_000_448));
    agree("r.qcow2", want);
  });

  it("keeps bitmaps that both make", async () => {
    await make("b.qcow2", {});
    await edit("b.qcow2", async (n) => {
      await n.image?.bitmaps?.add("ours", 65536, true);
      await n.image?.bitmaps?.store("ours", pattern(6, 1));
    });
    qemu("bitmap", "--add", "-g", "4096", path("b.qcow2"), "theirs");
    qemu("check", path("b.qcow2"));
    io(path("b.qcow2"), "write 0 10k");
    await edit("b.qcow2", async (n) => {
      const list = await n.image?.bitmaps?.list();
      expect(list?.map((b) => [b.name, b.granularity, b.auto, b.inUse])).toEqual([
        ["ours", 65536, true, false],
        ["theirs", 4096, true, false],
      ]);
      expect((await n.image?.bitmaps?.load("theirs"))?.[0]).toBe(7);
      const mine = pattern(6, 1);
      mine[0]! |= 1;
      expect(await n.image?.bitmaps?.load("ours")).toEqual(mine);
      await n.image?.bitmaps?.remove("ours");
      expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
      await n.resize?.(SIZE * 2);
      await n.image?.bitmaps?.store("theirs", new Uint8Array(SIZE / 4096 / 4).fill(0xff));
    });
    qemu("check", path("b.qcow2"));
    const info = JSON.parse(qemu("info", "--output=json", path("b.qcow2"))) as {
      "format-specific": { data: { bitmaps: unknown } };
    };
    expect(info["format-specific"].data.bitmaps).toEqual([{ flags: ["auto"], name: "theirs", granularity: 4096 }]);
    // A write that nobody recorded makes them unreliable.
    await edit("b.qcow2", async (n) => n.write(0, new Uint8Array(512)));
    await edit("b.qcow2", async (n) => expect((await n.image?.bitmaps?.list())?.[0]?.inUse).toBe(true));
  });

  it("amends: versions, width of refcounts, backing file", async () => {
    await make("m.qcow2", { lazy_refcounts: true });
    const bytes = new Uint8Array(SIZE);
    bytes.set(pattern(500_000, 8), 70_000);
    await edit("m.qcow2", async (n) => {
      await n.write(70_000, bytes.subarray(70_000, 570_000));
      await n.writeZeroes?.(131_072, 65_536, false);
      bytes.fill(0, 131_072, 196_608);
      await n.image?.snapshots?.create({
        name: "x",
        vmStateSize: 0,
        dateSec: 1,
        dateNsec: 0,
        vmClockNs: 0,
        diskSize: SIZE,
      });
      for (const refcount_bits of [64, 2, 8, 16]) {
        await n.image?.amend?.({ refcount_bits });
        expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
      }
      await expect(n.image?.amend?.({ refcount_bits: 1 })).rejects.toMatchObject({ kind: "unsupported-feature" });
      await n.image?.snapshots?.delete("x");
      await n.image?.amend?.({ refcount_bits: 1 });
    });
    agree("m.qcow2", bytes);
    await edit("m.qcow2", async (n) => n.image?.amend?.({ compat: "0.10", lazy_refcounts: false, refcount_bits: 16 }));
    agree("m.qcow2", bytes);
    expect(qemu("info", path("m.qcow2"))).toContain("compat: 0.10");
    await edit("m.qcow2", async (n) => n.image?.amend?.({ compat: "v3", lazy_refcounts: true, size: SIZE * 2 }));
    const grown = new Uint8Array(SIZE * 2);
    grown.set(bytes);
    agree("m.qcow2", grown);
  });

  it("uses an external data file", async () => {
    for (const raw_ of [false, true]) {
      const data = new MemoryFile("x.data");
      const extent = async (): Promise<BlockNode> => FileNode.open("data", data, { readOnly: false });
      await make("x.qcow2", { data_file: "x.data", data_file_raw: raw_ }, SIZE, { extent });
      const bytes = new Uint8Array(SIZE);
      bytes.set(pattern(300_000, 2), 100_001);
      await edit(
        "x.qcow2",
        async (n) => {
          await n.write(100_001, bytes.subarray(100_001, 400_001));
          await n.writeZeroes?.(131_072, 65_536, true);
          bytes.fill(0, 131_072, 196_608);
          await n.discard?.(196_608, 65_536);
          bytes.fill(0, 196_608, 262_144);
        },
        { extent },
      );
      writeFileSync(path("x.data"), data.content());
      agree("x.qcow2", bytes);
      if (raw_) expect(Buffer.compare(data.content(), bytes)).toBe(0);
    }
  });

  it("encrypts with LUKS, both ways", async () => {
    const bytes = pattern(SIZE, 3);
    await make("l.qcow2", { "encrypt.format": "luks", "encrypt.key-secret": "sec0", "encrypt.iter-time": 10 });
    const options = { encrypt: { "key-secret": "sec0" } };
    await edit(
      "l.qcow2",
      async (n) => {
        await n.write(0, bytes);
        await n.write(77_777, bytes.subarray(0, 1234));
        bytes.copyWithin(77_777, 0, 1234);
        expect(Buffer.compare(await readAll(n), bytes)).toBe(0);
        expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
      },
      { options },
    );
    const secret = Buffer.from(await testHost().secret("sec0")).toString("utf8");
    const opts = `driver=qcow2,file.filename=${path("l.qcow2")},encrypt.key-secret=s`;
    qemu("check", "--object", `secret,id=s,data=${secret}`, "--image-opts", opts);
    qemu("convert", "--object", `secret,id=s,data=${secret}`, "--image-opts", "-O", "raw", opts, path("l.raw"));
    expect(Buffer.compare(readFileSync(path("l.raw")), bytes)).toBe(0);
    const theirs = JSON.parse(qemu("info", "--output=json", path("l.qcow2"))) as Record<string, never>;
    expect((await edit("l.qcow2", async (n) => n.image?.info?.(), { options }))?.specific).toEqual(
      theirs["format-specific"],
    );
  });

  it("measures as qemu-img does", async () => {
    for (const [text, options] of [
      ["cluster_size=65536", {}],
      ["cluster_size=512", { cluster_size: 512 }],
      ["cluster_size=2M,refcount_bits=64", { cluster_size: 2 << 20, refcount_bits: 64 }],
      ["extended_l2=on", { extended_l2: true }],
      ["preallocation=full", { preallocation: "full" }],
    ] as const)
      for (const size of [0, 1 << 20, 1 << 30, 10 * 2 ** 30 + 512]) {
        if (text.includes("512") && size > 1 << 30) continue;
        const theirs = JSON.parse(
          qemu("measure", "-O", "qcow2", "-o", text, "--size", String(size), "--output=json"),
        ) as { required: number; "fully-allocated": number };
        const parsed = qcow2.class.format.createOptions?.parse(options) as Record<string, unknown>;
        const ours = await qcow2.class.format.measure?.(size, parsed, undefined);
        expect([text, size, ours?.required, ours?.fullyAllocated]).toEqual([
          text,
          size,
          theirs.required,
          theirs["fully-allocated"],
        ]);
      }
  });

  it("repairs what it finds, as qemu-img does", async () => {
    await make("f.qcow2", { cluster_size: 4096 });
    const bytes = pattern(SIZE, 6);
    await edit("f.qcow2", async (n) => n.write(0, bytes));
    const good = readFileSync(path("f.qcow2"));
    const table = Number(good.readBigUInt64BE(48));
    const block = Number(good.readBigUInt64BE(table));
    for (const [what, damage] of [
      ["refcounts of zero", (b: Buffer) => b.fill(0, block + 100, block + 300)],
      ["leaks", (b: Buffer) => b.writeUInt16BE(3, block + 200)],
      ["a missing block", (b: Buffer) => b.fill(0, table, table + 8)],
      [
        "a block in the header",
        (b: Buffer) => b.writeBigUInt64BE(0n, table) && b.writeBigUInt64BE(BigInt(table), table),
      ],
      ["an unaligned block", (b: Buffer) => b.writeBigUInt64BE(0x1200n, table)],
    ] as const) {
      const broken = Buffer.from(good);
      damage(broken);
      writeFileSync(path("f.qcow2"), broken);
      const report = await edit("f.qcow2", async (n) => n.image?.check?.("all"));
      expect([what, report?.corruptions, report?.leaks], what).toEqual([what, 0, 0]);
      expect((report?.corruptionsFixed ?? 0) + (report?.leaksFixed ?? 0), what).toBeGreaterThan(0);
      agree("f.qcow2", bytes);
    }
  });

  it("puts an image on another, and empties it", async () => {
    const below = pattern(2_000_000, 1).subarray(0, 1_999_872);
    writeFileSync(path("base.raw"), below);
    qemu(
      "create",
      "-q",
      "-f",
      "qcow2",
      "-b",
      "base.raw",
      "-F",
      "raw",
      "-o",
      "extended_l2=on",
      path("o.qcow2"),
      String(SIZE),
    );
    const backing = async (): Promise<BlockNode> =>
      openImage(raw, new MemoryFile("base.raw", below.slice()), { readOnly: true });
    const want = new Uint8Array(SIZE);
    want.set(below);
    await edit(
      "o.qcow2",
      async (n) => {
        expect(Buffer.compare(await readAll(n), want)).toBe(0);
        for (const [at, length] of [
          [5000, 100],
          [1_999_000, 3000],
          [1 << 20, 200_000],
        ] as const) {
          const bytes = pattern(length, at);
          await n.write(at, bytes);
          want.set(bytes, at);
        }
        await n.writeZeroes?.(700_000, 5000, true);
        want.fill(0, 700_000, 705_000);
      },
      { backing },
    );
    agree("o.qcow2", want);
    await edit("o.qcow2", async (n) => n.resize?.(1 << 20), { backing });
    await edit("o.qcow2", async (n) => n.resize?.(SIZE), { backing });
    want.fill(0, 1 << 20);
    agree("o.qcow2", want);
    await edit("o.qcow2", async (n) => n.image?.makeEmpty?.(), { backing });
    want.fill(0);
    want.set(below);
    agree("o.qcow2", want);
    await edit("o.qcow2", async (n) => n.image?.changeBacking?.(undefined, undefined), { backing });
    agree("o.qcow2", new Uint8Array(SIZE));
  });
});
