import { MemoryFiles, MemoryFile, openImage } from "@mimus/block";
import { pattern, refusals } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vmdk } from "../src/index.ts";
import { SECTOR, MiB, open, create, bytes, sheet, descriptor } from "./rig.ts";

describe("damaged images", () => {
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

  it("a sparse extent that is named twice is only read", async () => {
    const files = new MemoryFiles();
    await create(files, "a.vmdk", MiB);
    files.add("d.vmdk", descriptor("twoGbMaxExtentSparse", 'RW 2048 SPARSE "a.vmdk"', 'RW 2048 SPARSE "a.vmdk"'));
    expect((await open(files, "d.vmdk")).size).toBe(2 * MiB);
    await expect(open(files, "d.vmdk", { readOnly: false })).rejects.toThrow("sparse extent 'a.vmdk' is named twice");
  });

  it("wrong headers are refused with the reason", async () => {
    const files = new MemoryFiles();
    await create(files, "a.vmdk", MiB);
    const good = bytes(files, "a.vmdk");
    const opened = async (content: Uint8Array): Promise<void> => {
      files.add("b.vmdk", content);
      await (await open(files, "b.vmdk")).read(0, new Uint8Array(512));
    };
    const refused = refusals(good, opened);
    const wrong = (why: string, at: number, value: number): Promise<void> =>
      refused(why, at, ...sheet(4, [[0, value, 4]]));
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
    const bad = new Uint8Array(good.length + 65536);
    bad.set(good);
    const overhead = new DataView(good.buffer).getUint32(64, true);
    bad.set(
      sheet(12, [
        [0, 0xffffff, 4],
        [4, overhead, 4],
        [8, overhead, 4],
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
