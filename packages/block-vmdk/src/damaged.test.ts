/** Grain tables that lead where no grain can be. */
import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { vmdk } from "./index.ts";

const host = testHost();

/** A disk of 4 grains, the first two stored, and where its grain table lies (the second one: the first is a copy). */
async function disk(): Promise<{ file: MemoryFile; table: number; view: (at: number) => Promise<number> }> {
  const file = new MemoryFile("disk.vmdk");
  await createImage(vmdk, file, 256 << 10, { host });
  const made = await openImage(vmdk, file, { host });
  await made.write(0, new Uint8Array(131072).fill(7));
  await made.close();
  const view = async (at: number): Promise<number> => {
    const bytes = new Uint8Array(4);
    await file.read(at, bytes);
    return new DataView(bytes.buffer).getUint32(0, true);
  };
  const table = (await view((await view(56)) * 512)) * 512;
  return { file, table, view };
}

async function put(file: MemoryFile, at: number, value: number): Promise<void> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  await file.write(at, bytes);
}

describe("a grain", () => {
  it.each([
    ["descriptor", 1],
    ["descriptor", 5],
    ["redundant grain directory", 21],
    ["grain directory", 26],
  ])("that lies over the %s is refused, and check finds it (sector %i)", async (what, sector) => {
    const { file, table } = await disk();
    await put(file, table, sector);
    const damaged = await openImage(vmdk, file, { host });
    const wrong = new RegExp(`grain 0 at ${sector * 512} lies over the ${what}`);
    await expect(damaged.read(0, new Uint8Array(512))).rejects.toThrow(wrong);
    await expect(damaged.write(0, new Uint8Array(512))).rejects.toThrow(wrong);
    await damaged.read(65536, new Uint8Array(512));
    const report = await damaged.image?.check?.("none");
    expect(report).toMatchObject({ corruptions: 1 });
    expect(report?.messages.join()).toMatch(wrong);
    await damaged.close();
  });

  it("is not written over where the redundant directory leads to it", async () => {
    const { file, table, view } = await disk();
    // The second grain, as the place of the second copy of the table.
    await put(file, (await view(48)) * 512, await view(table + 4));
    const damaged = await openImage(vmdk, file, { host });
    await damaged.write(131072, new Uint8Array(65536).fill(9));
    await damaged.close();
    const again = await openImage(vmdk, file, { host });
    const bytes = new Uint8Array(196608);
    await again.read(0, bytes);
    expect(bytes.subarray(0, 131072).every((byte) => byte === 7)).toBe(true);
    expect(bytes.subarray(131072).every((byte) => byte === 9)).toBe(true);
    await again.close();
  });

  it("that another one overlaps in part is found", async () => {
    const { file, table, view } = await disk();
    await put(file, table + 4, (await view(table)) + 127);
    const damaged = await openImage(vmdk, file, { host });
    const report = await damaged.image?.check?.("none");
    expect(report).toMatchObject({ corruptions: 1 });
    expect(report?.messages.join()).toMatch(/grain 1 lies at \d+, over grain 0/);
    await damaged.close();
  });
});
