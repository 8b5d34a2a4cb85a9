import { BlockError, createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

describe("tables that the header names beyond the end of the file", () => {
  // Written to, they would make the file as long as the header says, and everything that walks the file as slow.
  it.each([
    ["l1_table_offset", 40],
    ["refcount_table_offset", 48],
  ])("%s is refused", async (field, at) => {
    const host = testHost();
    const file = new MemoryFile("disk.qcow2");
    await createImage(qcow2, file, 1 << 20, { host });
    const far = new Uint8Array(8);
    new DataView(far.buffer).setUint32(0, 1);
    await file.write(at, far);
    for (const readOnly of [true, false])
      await expect(openImage(qcow2, file, { host, readOnly })).rejects.toThrow(
        new RegExp(`'disk.qcow2': ${field} 4294967296 .*must lie inside the file of \\d+ bytes`),
      );
  });
});

it.each([
  [
    "l1_table_offset",
    0x0001_0200,
    [
      [40, 0x0001_0200, 8],
      [36, 0, 4],
      [24, 0, 8],
    ],
    "l1_table_offset 0x10200 must be a multiple of 65536",
  ],
  ["snapshots_offset", 1, [[64, 1, 8]], "snapshots_offset 0x1 must be a multiple of 65536"],
  [
    "an end of extensions with a length",
    0,
    [
      [112, 0, 4],
      [116, 0xffff_fff8, 4],
    ],
    "extension length 4294967288 must be 0 to",
  ],
] as const)("%s is checked where nothing lies there", async (_what, _value, fields, message) => {
  const file = new MemoryFile("disk.qcow2");
  await createImage(qcow2, file, 1 << 20, { host: testHost() });
  for (const [at, value, size] of fields) {
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(size - 4, value);
    await file.write(at, bytes);
  }
  await expect(openImage(qcow2, file, { host: testHost(), readOnly: true })).rejects.toThrow(message);
});

describe("an encryption that the header claims", () => {
  /** An image whose header names `crypt` and a LUKS header of `length` bytes at `at`. */
  async function claimed(crypt: number, at: number, length: number): Promise<MemoryFile> {
    const file = new MemoryFile("disk.qcow2");
    await createImage(qcow2, file, 1 << 20, { host: testHost() });
    const extension = new Uint8Array(32);
    const view = new DataView(extension.buffer);
    view.setUint32(0, 0x0537be77);
    view.setUint32(4, 16);
    view.setUint32(12, at);
    view.setUint32(20, length);
    await file.write(112, extension);
    await file.write(35, Uint8Array.of(crypt));
    return file;
  }

  it.each([
    ["no LUKS header", 2, 0, 65536, "'disk.qcow2': no LUKS header"],
    ["a header beyond the end", 2, 1 << 30, 65536, "'disk.qcow2': no LUKS header"],
    ["too short a header", 2, 0, 591, "'disk.qcow2': LUKS header ends beyond its 591 bytes"],
    [
      "a header that is not aligned",
      2,
      1,
      65536,
      "'disk.qcow2': encryption header offset 0x1 must be a multiple of 65536",
    ],
    ["a header, but no encryption", 0, 0, 65536, "'disk.qcow2': crypt_method 0 must be 2 with an encryption header"],
  ])("%s: refused", async (_what, crypt, at, length, message) => {
    const file = await claimed(crypt, at, length);
    const opened = openImage(qcow2, file, { host: testHost(), readOnly: true });
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toThrow(BlockError);
  });
});

it("a header that leaves no room for the end of its extensions is refused by the image's name", async () => {
  const file = new MemoryFile("disk.qcow2");
  await createImage(qcow2, file, 1 << 20, { host: testHost(), options: { cluster_size: 512 } });
  const put = async (at: number, value: number): Promise<void> => {
    const field = new Uint8Array(4);
    new DataView(field.buffer).setUint32(0, value);
    await file.write(at, field);
  };
  // Marked dirty, so that opening writes the header; header_length is the whole cluster.
  await put(76, 1);
  await put(100, 512);
  await expect(openImage(qcow2, file, { host: testHost() })).rejects.toThrow(
    /'disk.qcow2': .*520 bytes does not fit into a cluster of 512 bytes/,
  );
});
