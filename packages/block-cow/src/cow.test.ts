import { createImage, FileNode, MemoryFile, openImage } from "@mimus/block";
import { testFormat } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { cow } from "./index.ts";

testFormat(cow, { counts: { operations: 300, cuts: 40, faults: 15, mutations: 100 } });

describe("cow", () => {
  const base = async (): Promise<FileNode> => {
    const file = new MemoryFile("base");
    await file.write(0, new Uint8Array(4096).fill(1));
    return FileNode.open("base", file, { readOnly: true });
  };

  it("reads what it has not from its backing file, and zeroes beyond that", async () => {
    const file = new MemoryFile("x.cow");
    await createImage(cow, file, 8192, { options: { backing_file: "base" } });
    const node = await openImage(cow, file, { backing: base });
    await node.write(700, new Uint8Array(10).fill(2));
    const all = new Uint8Array(8192);
    await node.read(0, all);
    expect([all[699], all[700], all[709], all[710], all[4095], all[4096]]).toEqual([1, 2, 2, 1, 1, 0]);
    expect(await node.image?.info?.()).toEqual({ backingFile: "base" });
    await node.image?.changeBacking?.("other", undefined);
    await node.close();
    const again = await openImage(cow, file, { backing: base });
    expect(await again.image?.info?.()).toEqual({ backingFile: "other" });
    expect(await again.blockStatus?.(0, 8192)).toMatchObject({ allocated: false, length: 512 });
  });

  it("refuses other versions and sectors, and a bitmap that is not there", async () => {
    const file = new MemoryFile("x.cow");
    await createImage(cow, file, 8192);
    const whole = new Uint8Array(await file.size());
    await file.read(0, whole);
    for (const [at, byte] of [
      [7, 1],
      [1051, 3],
      [1043, 1],
    ] as const) {
      const bad = new MemoryFile("bad.cow");
      await bad.write(0, whole);
      await bad.write(at, new Uint8Array([byte]));
      await expect(openImage(cow, bad)).rejects.toThrow(/version|sectorsize|size/);
    }
  });
});
