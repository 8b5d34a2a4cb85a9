/** Tables of an encrypted image that lead to its keys. */
import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

it("a cluster that lies over the LUKS header is not written", async () => {
  const file = new MemoryFile("a.qcow2");
  const host = testHost();
  const made = { "encrypt.format": "luks", "encrypt.key-secret": "s0", "encrypt.iter-time": 10, cluster_size: 4096 };
  await createImage(qcow2, file, 1 << 20, { options: made, host });
  const options = { encrypt: { "key-secret": "s0" } };
  const disk = await openImage(qcow2, file, { options, host });
  await disk.write(0, new Uint8Array(4096).fill(1));
  await disk.close();
  const word = async (at: number): Promise<bigint> => {
    const bytes = new Uint8Array(8);
    await file.read(at, bytes);
    return new DataView(bytes.buffer).getBigUint64(0);
  };
  const place = (value: bigint): number => Number(value & 0x00ff_ffff_ffff_fe00n);
  const table = place(await word(Number(await word(40))));
  const entry = new DataView(new ArrayBuffer(8));
  // The extension's type and length, then where the header lies.
  expect((await word(112)) >> 32n).toBe(0x0537be77n);
  entry.setBigUint64(0, (await word(120)) | (1n << 63n));
  await file.write(table, new Uint8Array(entry.buffer));
  const damaged = await openImage(qcow2, file, { options, host });
  await expect(damaged.write(0, new Uint8Array(4096))).rejects.toThrow(/which holds the main header/);
  await damaged.close().catch(() => undefined);
  const again = await openImage(qcow2, file, { options, host, readOnly: true });
  await again.close();
});
