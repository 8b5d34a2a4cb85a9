import { createImage, MemoryFile, openImage } from "@mimus/block";
import { expect, it } from "vitest";
import { parallels } from "./format.ts";

const CLUSTER = 1 << 20;
const TABLE = 64;

/** A disk of three clusters whose last one lies where no file reaches. */
async function outside(): Promise<MemoryFile> {
  const file = new MemoryFile("a.hds");
  await createImage(parallels, file, 3 * CLUSTER, { options: { cluster_size: CLUSTER } });
  const node = await openImage(parallels, file);
  await node.write(0, new Uint8Array(512).fill(1));
  await node.close();
  await file.write(TABLE + 2 * 4, Uint8Array.of(0xff, 0xff, 0xff, 0x7f));
  return file;
}

it("a cluster beyond the file is neither read nor written, and nothing is added beside it", async () => {
  const file = await outside();
  const node = await openImage(parallels, file);
  const bytes = new Uint8Array(512).fill(2);
  await node.write(512, bytes);
  const wrong = "'a.hds': cluster 2 at 2251799812636672 lies beyond the file";
  await expect(node.write(2 * CLUSTER, bytes)).rejects.toThrow(wrong);
  await expect(node.read(2 * CLUSTER, bytes)).rejects.toThrow(wrong);
  await expect(node.write(CLUSTER, bytes)).rejects.toThrow(
    new RegExp(`${wrong} \\(\\d+ bytes\\); repair the image first`),
  );
  await node.close();
});

it("what is added after a repair goes to the end of the file", async () => {
  const file = await outside();
  const before = await file.size();
  const node = await openImage(parallels, file);
  await node.write(512, new Uint8Array(512).fill(2));
  expect(await node.image?.check?.("all")).toMatchObject({ corruptions: 1, corruptionsFixed: 1 });
  await node.write(CLUSTER, new Uint8Array(512).fill(3));
  await node.close();
  expect(await file.size()).toBeLessThanOrEqual(before + CLUSTER);
  const again = await openImage(parallels, file, { readOnly: true });
  const got = new Uint8Array(1024);
  await again.read(0, got);
  expect([got[0], got[512]]).toEqual([1, 2]);
  await again.read(CLUSTER, got);
  expect([got[0], got[512]]).toEqual([3, 0]);
});
