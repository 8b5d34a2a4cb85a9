import { createImage, MemoryFile, openImage } from "@mimus/block";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

const CLUSTER = 65536;
const PAGE = 4096;

/** A file of the host that keeps only the first page of each 64 KiB, as it does for guests that write little. */
class SparseFile extends MemoryFile {
  extent(at: number): { readonly data: boolean; readonly end: number } {
    const start = at - (at % CLUSTER);
    return at < start + PAGE ? { data: true, end: start + PAGE } : { data: false, end: start + CLUSTER };
  }

  allocated(): Promise<number> {
    return Promise.resolve(CLUSTER);
  }
}

it("keeps clusters of which the host stores a part when an image becomes version 2", async () => {
  const file = new SparseFile("disk");
  await createImage(qcow2, file, 64 * CLUSTER, {});
  const node = await openImage(qcow2, file);
  for (let n = 0; n < 32; n++) await node.write(n * CLUSTER, new Uint8Array(PAGE).fill(7));
  await node.writeZeroes?.(40 * CLUSTER, CLUSTER, false);
  await node.image?.amend?.({ compat: "0.10" });
  const back = new Uint8Array(PAGE);
  for (let n = 0; n < 32; n++) {
    await node.read(n * CLUSTER, back);
    expect(back.every((byte) => byte === 7)).toBe(true);
  }
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0, allocatedClusters: 32 });
  await node.close();
});
