/** Tables that lead where no cluster is. */
import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { expect, it } from "vitest";
import { qcow } from "./format.ts";

const host = testHost();

it("finds a cluster behind the end of the file, which the next new cluster would be", async () => {
  const file = new MemoryFile("disk.qcow");
  await createImage(qcow, file, 1 << 20, { host });
  const made = await openImage(qcow, file, { host });
  // The first write makes the table, the second one is at the end of the file.
  for (const at of [0, 4096]) await made.write(at, new Uint8Array(4096).fill(7));
  await made.close();
  const length = await file.size();
  await file.truncate(length - 4096);
  const cut = await openImage(qcow, file, { host });
  await expect(cut.read(4096, new Uint8Array(512))).rejects.toThrow(/cluster 1 at \d+ lies beyond the file/);
  const report = await cut.image?.check?.("none");
  expect(report).toMatchObject({ corruptions: 1 });
  expect(report?.messages.join()).toMatch(/cluster 1 at \d+ lies beyond the file/);
  await cut.close();
});

it("takes a last cluster that the file has in part only", async () => {
  const file = new MemoryFile("disk.qcow");
  await createImage(qcow, file, 1 << 20, { host });
  const made = await openImage(qcow, file, { host });
  // The first write makes the table, the second one is at the end of the file.
  for (const at of [0, 4096]) await made.write(at, new Uint8Array(4096).fill(7));
  await made.close();
  await file.truncate((await file.size()) - 3584);
  const cut = await openImage(qcow, file, { host });
  const bytes = new Uint8Array(1024);
  await cut.read(4096, bytes);
  expect([bytes[0], bytes[511], bytes[512]]).toEqual([7, 7, 0]);
  // What is new comes behind the whole of it.
  await cut.write(65536, new Uint8Array(4096).fill(9));
  await cut.read(4096, bytes);
  expect([bytes[0], bytes[511], bytes[512]]).toEqual([7, 7, 0]);
  expect(await cut.image?.check?.("none")).toMatchObject({ corruptions: 0 });
  await cut.close();
});
