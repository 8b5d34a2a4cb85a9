import { createImage, MemoryFile, openImage } from "@mimus/block";
import { describe, expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

const CLUSTER = 65536;
/** Sets 64 bits, big-endian, at an offset. */
type Set = (at: number, value: bigint) => Promise<void>;

type Spoil = (set: Set, tables: { l1: number; l2: number; refcounts: number }) => Promise<void>;

/** The file of an image of 4 MiB with `length` bytes of data at 0, its tables changed by `spoil`. */
async function spoilt(options: Readonly<Record<string, unknown>>, spoil: Spoil, length: number): Promise<MemoryFile> {
  const file = new MemoryFile("disk.qcow2");
  await createImage(qcow2, file, 4 << 20, { options });
  const node = await openImage(qcow2, file);
  await node.write(0, new Uint8Array(length).fill(7));
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
  return file;
}

/** What check says of such an image, and says after it repaired. */
async function checked(
  options: Readonly<Record<string, unknown>>,
  spoil: Spoil,
): Promise<{ corruptions: number; messages: readonly string[]; left: number; first: number }> {
  const node = await openImage(qcow2, await spoilt(options, spoil, CLUSTER));
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

it("check of a file that ends petabytes behind its tables takes no longer than that of its clusters", async () => {
  const [size, far] = [512, 2 ** 52];
  let data = 0;
  const file = await spoilt(
    { cluster_size: size },
    (set, { l2 }) => {
      data = l2 / size + 1;
      return set(l2, (1n << 63n) | BigInt(far));
    },
    size,
  );
  await file.write(far, new Uint8Array(size).fill(9));
  const node = await openImage(qcow2, file);
  const report = await node.image?.check?.("none");
  const cluster = far / size;
  expect(report?.messages).toEqual([
    `Leaked cluster ${data} refcount=1 reference=0`,
    `ERROR OFLAG_COPIED: cluster ${cluster} refcount=0`,
    `ERROR cluster ${cluster} refcount=0 reference=1`,
  ]);
  expect((await node.image?.check?.("leaks"))?.leaksFixed).toBe(1);
  // Counting that cluster needs a table that no image may have.
  await expect(node.image?.check?.("all")).rejects.toThrow(/refcounts of \d+ clusters need a table of more than 8 MiB/);
  await node.close();
});
