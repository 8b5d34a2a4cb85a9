import { createImage, MemoryFile, openImage } from "@mimus/block";
import { testHost } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { qcow2 } from "./qcow2.ts";

describe("tables that the header names behind the end of the file", () => {
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
