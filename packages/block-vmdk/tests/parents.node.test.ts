import { MemoryFiles, MemoryFile, type BlockNode, createImage, type OpenImageOptions } from "@mimus/block";
import { pattern, readAll } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vmdk } from "../src/index.ts";
import { KiB, MiB, host, theirs, node, open, create, inFolder } from "./rig.ts";

inFolder();

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
    expect(Buffer.compare(await readAll(n), want)).toBe(0);
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
