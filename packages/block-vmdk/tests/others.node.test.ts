import { MemoryFiles } from "@mimus/block";
import { pattern, readAll } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { SECTOR, KiB, MiB, theirs, open, create, bytes, sheet, descriptor, inFolder } from "./rig.ts";

inFolder();

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
    const read = await readAll(await open(files, "f.vmdk"));
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
    if (other) expect(Buffer.compare(await readAll(n), other)).toBe(0);
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
    if (again) expect(Buffer.compare(await readAll(r), again)).toBe(0);
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
    if (other) expect(Buffer.compare(await readAll(n), other)).toBe(0);
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

  it("custom descriptors mix kinds of extents", { timeout: 30_000 }, async () => {
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
    expect(Buffer.compare(await readAll(n), want)).toBe(0);
    await n.write(99 * SECTOR, new Uint8Array(2 * SECTOR).fill(9));
    want.fill(9, 99 * SECTOR, 101 * SECTOR);
    await n.writeZeroes?.(50 * SECTOR, 60 * SECTOR, true);
    want.fill(0, 50 * SECTOR, 110 * SECTOR);
    await n.discard?.(0, SECTOR);
    want.fill(0, 0, SECTOR);
    expect(Buffer.compare(await readAll(n), want)).toBe(0);
    await expect(n.write(end - SECTOR, new Uint8Array(SECTOR))).rejects.toThrow("RDONLY");
    await expect(n.write(end - 6 * SECTOR, new Uint8Array(SECTOR))).rejects.toThrow("ZERO");
    expect(await n.blockStatus?.(100 * SECTOR, end - 100 * SECTOR)).toMatchObject({ allocated: true });
    expect(await n.blockStatus?.(end - 12 * SECTOR, 12 * SECTOR)).toMatchObject({ length: 7 * SECTOR, zero: true });
    expect((await n.image?.info?.())?.specific?.data).toMatchObject({ "parent-cid": 0xffffffff });
    await n.flush();
    await n.close();
    expect(new TextDecoder().decode(bytes(files, "mix.vmdk"))).not.toContain("CID=12345678");
  });
});
