import { createImage, MemoryFile, openImage } from "@mimus/block";
import { describe, expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

const CLUSTER = 65536;
/** Sets 64 bits, big-endian, at an offset. */
type Set = (at: number, value: bigint) => Promise<void>;

/** An image of 4 MiB with a cluster of data at 0, its tables changed by `spoil`; what check says, and says after it repaired. */
async function checked(
  options: Readonly<Record<string, unknown>>,
  spoil: (set: Set, tables: { l1: number; l2: number; refcounts: number }) => Promise<void>,
): Promise<{ corruptions: number; messages: readonly string[]; left: number; first: number }> {
  const file = new MemoryFile("disk.qcow2");
  await createImage(qcow2, file, 4 << 20, { options });
  let node = await openImage(qcow2, file);
  await node.write(0, new Uint8Array(CLUSTER).fill(7));
  await node.close();
  const word = new DataView(new ArrayBuffer(8));
  const get = async (at: number): Promise<number> => {
    await file.read(at, new Uint8Array(word.buffer));
    return Number(word.getBigUint64(0) & 0x00fffffffffffe00n);
  };
  const set: Set = async (at, value) => {
    word.setBigUint64(0, value);
    await file.write(at, new Uint8Array(word.buffer));
  };
  const l1 = await get(40);
  await spoil(set, { l1, l2: await get(l1), refcounts: await get(48) });
  node = await openImage(qcow2, file);
  const { corruptions = -1, messages = [] } = (await node.image?.check?.("none")) ?? {};
  await node.image?.check?.("all");
  const left = (await node.image?.check?.("none"))?.corruptions ?? -1;
  const back = new Uint8Array(1);
  await node.read(0, back).catch(() => back.fill(255));
  await node.close();
  return { corruptions, messages, left, first: back[0]! };
}

describe("a check finds flags that mean nothing", () => {
  it("the copied flag of an L1 entry without a table, and clears it", async () => {
    const found = await checked({ cluster_size: 512 }, (set, { l1 }) => set(l1 + 64, 1n << 63n));
    expect(found).toMatchObject({ corruptions: 1, left: 0, first: 7 });
    expect(found.messages).toEqual(["ERROR L1 entry 8 has the copied flag, but no L2 table"]);
  });

  it("reserved bits of an L1 entry, and clears them", async () => {
    const spoilt = await checked({}, (set, { l1, l2 }) => set(l1, (0xffn << 56n) | BigInt(l2)));
    expect(spoilt).toMatchObject({ corruptions: 1, left: 0, first: 7 });
  });

  it("reserved bits of the refcount table, and makes a new one", async () => {
    const found = await checked({}, (set, { refcounts }) => set(refcounts, BigInt(2 * CLUSTER) | 1n));
    expect(found).toMatchObject({ corruptions: 1, left: 0, first: 7 });
    expect(found.messages).toEqual(["ERROR refcount table entry 0 has reserved bits set"]);
  });

  it("data of subclusters of no cluster", async () => {
    const found = await checked({ extended_l2: true }, (set, { l2 }) => set(l2 + 24, 0xffffffffn));
    expect(found).toMatchObject({ corruptions: 1, first: 7 });
    expect(found.messages).toEqual(["ERROR cluster without an offset has subclusters with data"]);
  });
});
