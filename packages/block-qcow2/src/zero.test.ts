import { createImage, MemoryFile, openImage, statusOf } from "@mimus/block";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

const CLUSTER = 65536;

// As qemu-img 7.2 map and check tell after the same writes by qemu-io.

async function made(options: Record<string, unknown> = {}): ReturnType<typeof openImage> {
  const file = new MemoryFile("disk");
  await createImage(qcow2, file, 4 << 20, { options });
  return openImage(qcow2, file);
}

it("flags clusters without content when zeroes are written to them", async () => {
  const node = await made();
  await node.writeZeroes?.(CLUSTER, 2 * CLUSTER, false);
  expect(await statusOf(node, 0, node.size)).toMatchObject({ length: CLUSTER, allocated: false });
  expect(await statusOf(node, CLUSTER, node.size - CLUSTER)).toMatchObject({
    length: 2 * CLUSTER,
    allocated: true,
    zero: true,
  });
  expect(await statusOf(node, 3 * CLUSTER, node.size - 3 * CLUSTER)).toMatchObject({ allocated: false });
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0, allocatedClusters: 0 });
  await node.close();
});

it("flags the whole cluster for zeroes in a part of it, and keeps what others hold", async () => {
  const node = await made();
  await node.write(3 * CLUSTER, new Uint8Array(CLUSTER).fill(7));
  await node.writeZeroes?.(2 * CLUSTER + 1000, CLUSTER, true);
  expect(await statusOf(node, 2 * CLUSTER, CLUSTER)).toMatchObject({ length: CLUSTER, allocated: true, zero: true });
  expect(await statusOf(node, 3 * CLUSTER, CLUSTER)).toMatchObject({ allocated: true, zero: false });
  const back = new Uint8Array(CLUSTER);
  await node.read(3 * CLUSTER, back);
  expect([back.indexOf(7), back.lastIndexOf(0)]).toEqual([1000, 999]);
  await node.close();
});

it("leaves holes of version 2, and what is discarded, without an entry", async () => {
  const old = await made({ compat: "0.10" });
  await old.writeZeroes?.(CLUSTER, 2 * CLUSTER + 100, false);
  expect(await statusOf(old, 0, old.size)).toMatchObject({ length: old.size, allocated: false });
  await old.close();
  const node = await made();
  await node.discard?.(CLUSTER, 2 * CLUSTER);
  expect(await statusOf(node, 0, node.size)).toMatchObject({ length: node.size, allocated: false });
  await node.close();
});

it("flags subclusters", async () => {
  const node = await made({ extended_l2: true });
  await node.writeZeroes?.(CLUSTER + 100, 4000, false);
  expect(await statusOf(node, CLUSTER, node.size - CLUSTER)).toMatchObject({
    length: 6144,
    allocated: true,
    zero: true,
  });
  expect(await statusOf(node, CLUSTER + 6144, node.size - (CLUSTER + 6144))).toMatchObject({ allocated: false });
  await node.close();
});

it("keeps what is written beside zeroes in the same cluster at the same time", async () => {
  const node = await made();
  await Promise.all([
    node.writeZeroes?.(1000, 500, false),
    node.write(4096, new Uint8Array(4096).fill(9)),
    node.writeZeroes?.(20_000, 500, false),
    node.write(CLUSTER + 4096, new Uint8Array(4096).fill(9)),
    node.writeZeroes?.(CLUSTER + 1000, 500, false),
  ]);
  for (const at of [4096, CLUSTER + 4096]) {
    const back = new Uint8Array(4096);
    await node.read(at, back);
    expect(back.every((byte) => byte === 9)).toBe(true);
  }
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  await node.close();
});
