/** External data files whose L2 tables lead elsewhere. */
import block, { BlockGraph, MemoryFiles } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { testHost } from "@mimus/testkit";
import { expect, it } from "vitest";
import plugin from "./index.ts";

/** Two entries that lead to one place: a write to one of them would change the other. */
it.each([{}, { extended_l2: "on" }])(
  "an entry that leads to another offset of the data file is refused: %o",
  async (more) => {
    const files = new MemoryFiles();
    const registry = new Registry().use(block).use(plugin);
    const graph = new BlockGraph({ registry, files, warn: () => undefined, format: testHost() });
    await graph.create("qcow2", "a.qcow2", 1 << 20, { data_file: "a.data", cluster_size: "65536", ...more });
    let disk = await graph.openFile("a.qcow2", { driver: "qcow2", "read-only": false });
    await disk.write(0, new Uint8Array(65536).fill(1));
    await disk.write(65536, new Uint8Array(65536).fill(2));
    await disk.close();
    const file = await files.open("a.qcow2", { writable: true });
    const read = async (at: number): Promise<number> => {
      const bytes = new Uint8Array(8);
      await file.read(at, bytes);
      return Number(new DataView(bytes.buffer).getBigUint64(0) & 0x00ff_ffff_ffff_ffffn);
    };
    const table = await read(await read(40));
    const entry = new Uint8Array(8);
    const second = table + ("extended_l2" in more ? 16 : 8);
    await file.read(second, entry);
    await file.write(table, entry);
    disk = await graph.openFile("a.qcow2", { driver: "qcow2", "read-only": true });
    const wrong = /the disk's offset 0x0 lies at 0x10000 of the external data file/;
    await expect(disk.read(0, new Uint8Array(512))).rejects.toThrow(wrong);
    const bytes = new Uint8Array(512);
    await disk.read(65536, bytes);
    expect(bytes[0]).toBe(2);
    const report = await disk.image?.check?.("none");
    expect(report).toMatchObject({ corruptions: 1 });
    expect(report?.messages.join()).toMatch(wrong);
    await graph.closeAll();
    disk = await graph.openFile("a.qcow2", { driver: "qcow2", "read-only": false });
    await expect(disk.write(0, new Uint8Array(512))).rejects.toThrow(/data file/);
    await graph.closeAll();
  },
);
