import { createImage, MemoryFile, openImage } from "@mimus/block";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

// Small clusters make every table grow: the refcount table many times, L1 tables longer than one refcount block describes.

it("lets the refcount table grow, and copies long L1 tables", { timeout: 60_000 }, async () => {
  const file = new MemoryFile("disk");
  const size = 2 ** 30;
  await createImage(qcow2, file, size, { options: { cluster_size: 512 } });
  let node = await openImage(qcow2, file);
  const piece = new Uint8Array(1 << 20).fill(7);
  for (let i = 0; i < 24; i++) await node.write(i * 40_000_123, piece);
  const snapshot = { vmStateSize: 0, dateSec: 1, dateNsec: 0, vmClockNs: 0 };
  await node.image?.snapshots?.create({ ...snapshot, name: "long" });
  await node.resize?.(size * 3);
  await node.write(size * 2, piece);
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  await node.close();
  node = await openImage(qcow2, file);
  const back = new Uint8Array(1 << 20);
  for (const at of [0, 23 * 40_000_123, size * 2]) {
    await node.read(at, back);
    expect(back.every((b) => b === 7)).toBe(true);
  }
  await node.image?.snapshots?.apply("long");
  expect(node.size).toBe(size);
  await node.image?.snapshots?.delete("long");
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  await node.close();
});

it("makes and resizes images of no bytes and of 16 TiB", async () => {
  const file = new MemoryFile("disk");
  await createImage(qcow2, file, 0, {});
  const node = await openImage(qcow2, file);
  expect(node.size).toBe(0);
  await node.resize?.(2 ** 44);
  await node.write(2 ** 44 - 4096, new Uint8Array(4096).fill(3));
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  await node.resize?.(0);
  expect(await node.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
  await node.close();
  expect(await file.size()).toBeLessThan(1 << 20);
});
