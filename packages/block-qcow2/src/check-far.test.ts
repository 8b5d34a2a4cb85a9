import { createImage, MemoryFile, openImage } from "@mimus/block";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

const CLUSTER = 512;
const FAR = 2 ** 52;

it("check of a file that ends petabytes behind its tables takes no longer than that of its clusters", async () => {
  const file = new MemoryFile("disk.qcow2");
  await createImage(qcow2, file, 1 << 20, { options: { cluster_size: CLUSTER } });
  let node = await openImage(qcow2, file);
  await node.write(0, new Uint8Array(CLUSTER).fill(7));
  await node.close();
  const word = new DataView(new ArrayBuffer(8));
  const get = async (at: number): Promise<number> => {
    await file.read(at, new Uint8Array(word.buffer));
    return Number(word.getBigUint64(0) & 0x00fffffffffffe00n);
  };
  const l2 = await get(await get(40));
  word.setBigUint64(0, (1n << 63n) | BigInt(FAR));
  await file.write(l2, new Uint8Array(word.buffer));
  await file.write(FAR, new Uint8Array(CLUSTER).fill(9));

  node = await openImage(qcow2, file);
  const report = await node.image?.check?.("none");
  const cluster = FAR / CLUSTER;
  expect(report?.messages).toEqual([
    `Leaked cluster ${l2 / CLUSTER + 1} refcount=1 reference=0`,
    `ERROR OFLAG_COPIED: cluster ${cluster} refcount=0`,
    `ERROR cluster ${cluster} refcount=0 reference=1`,
  ]);
  expect((await node.image?.check?.("leaks"))?.leaksFixed).toBe(1);
  // Counting that cluster needs a table that no image may have.
  await expect(node.image?.check?.("all")).rejects.toThrow(/refcounts of \d+ clusters need a table of more than 8 MiB/);
  await node.close();
});
