import { MemoryFile, openImage, raw } from "@mimus/block";
import { expect, it } from "vitest";
import { allocationOf, KINDS, picture } from "./allocation.ts";

it("shows a disk as cells", async () => {
  const file = new MemoryFile("disk", 1 << 20);
  await file.write(512 * 1024, new Uint8Array(1000).fill(7));
  const node = await openImage(raw, file, { readOnly: true });
  const seen: number[] = [];
  const allocation = await allocationOf(node, 64, (share) => seen.push(share) > 0);
  expect(allocation.cellBytes).toBe(16384);
  expect(allocation.cells.length).toBe(64);
  const sum = Object.values(allocation.bytes).reduce((a, b) => a + b, 0);
  expect(sum).toBe(1 << 20);
  expect(KINDS[allocation.cells[32] ?? 0]).toBe("data");
  const pixels = picture(allocation, 8, 8);
  expect(pixels.length).toBe(256);
  expect([...pixels.subarray(32 * 4, 33 * 4)]).toEqual([34, 102, 170, 255]);
});
