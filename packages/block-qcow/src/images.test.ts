import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { qcow } from "./format.ts";

const host = testHost();

describe("compressed clusters", () => {
  it("are written, read, and replaced by plain ones", async () => {
    const file = new MemoryFile("a.qcow");
    await createImage(qcow, file, 10_240);
    const node = await openImage(qcow, file);
    await node.image?.writeCompressed?.(4096, new Uint8Array(4096).fill(7));
    await node.image?.writeCompressed?.(8192, new Uint8Array(2048).fill(8));
    await expect(node.image?.writeCompressed?.(1, new Uint8Array(1))).rejects.toMatchObject({ kind: "bad-option" });
    await node.write(4100, new Uint8Array(3).fill(9));
    await node.close();
    const again = await openImage(qcow, file, { readOnly: true });
    const bytes = new Uint8Array(10_240);
    await again.read(0, bytes);
    expect([bytes[4095], bytes[4096], bytes[4100], bytes[4103], bytes[8192], bytes[10_239]]).toEqual([
      0, 7, 9, 7, 8, 8,
    ]);
    expect(await again.blockStatus?.(8192, 2048)).toMatchObject({ compressed: true, data: true });
    expect(await again.image?.check?.("none")).toMatchObject({ corruptions: 0, compressedClusters: 1 });
  });

  it("fail when they are garbage", async () => {
    const file = new MemoryFile("a.qcow");
    await createImage(qcow, file, 8192);
    const node = await openImage(qcow, file);
    await node.image?.writeCompressed?.(0, new Uint8Array(4096).fill(7));
    await node.close();
    const size = await file.size();
    await file.write(512, new Uint8Array(size - 512 > 4096 ? 3000 : 0).fill(0xee));
    const again = await openImage(qcow, file, { readOnly: true });
    await expect(again.read(0, new Uint8Array(512))).rejects.toMatchObject({ kind: "corrupt" });
  });
});

describe("headers", () => {
  it("are refused for fields out of range", async () => {
    const file = new MemoryFile("a.qcow");
    await createImage(qcow, file, 1 << 20);
    const good = file.content();
    const refused = async (at: number, value: number, message: string): Promise<void> => {
      const bytes = good.slice();
      new DataView(bytes.buffer).setUint32(at, value);
      await expect(openImage(qcow, new MemoryFile("a.qcow", bytes))).rejects.toThrow(message);
    };
    await refused(32, 0xff090000, "cluster_bits 255 must be 9 to 16");
    await refused(32, 0x0c050000, "l2_bits 5 must be 6 to 13");
    await refused(36, 2, "crypt_method 2 must be 0 (none) or 1 (AES)");
    await refused(40, 1, "l1_table_offset");
    await refused(24, 0x8000_0000, "size 0x8000000000100000 must be at most 2^53 - 1");
    await refused(0, 0, "has no header of a qcow image");
    await expect(createImage(qcow, new MemoryFile("a"), 0)).rejects.toThrow("cannot be zero length");
  });

  it("name a backing file, which shows through", async () => {
    const base = new MemoryFile("base.qcow");
    await createImage(qcow, base, 64 << 10);
    const below = await openImage(qcow, base);
    await below.write(1000, new Uint8Array(3000).fill(1));
    const file = new MemoryFile("top.qcow");
    await createImage(qcow, file, 128 << 10, { options: { backing_file: "base.qcow" } });
    const node = await openImage(qcow, file, { backing: async () => below });
    expect(await node.image?.info?.()).toEqual({ backingFile: "base.qcow" });
    expect(node.image?.clusterSize).toBe(512);
    await node.write(2000, new Uint8Array(10).fill(2));
    const bytes = new Uint8Array(128 << 10);
    await node.read(0, bytes);
    expect([bytes[999], bytes[1000], bytes[2000], bytes[2010], bytes[3999], bytes[4000]]).toEqual([0, 1, 2, 1, 1, 0]);
    await node.image?.makeEmpty?.();
    await node.read(0, bytes);
    expect(bytes[2000]).toBe(1);
    await node.close();
  });

  it("of encrypted images need the secret", async () => {
    const file = new MemoryFile("a.qcow");
    const options = { "encrypt.format": "aes", "encrypt.key-secret": "s" };
    await createImage(qcow, file, 1 << 20, { options, host });
    await expect(openImage(qcow, file, { host })).rejects.toThrow("encrypt.key-secret must name the secret");
    await expect(createImage(qcow, file, 1 << 20, { options: { encryption: "on" }, host })).rejects.toThrow(
      "Parameter 'encrypt.key-secret' is required for cipher",
    );
  });
});
