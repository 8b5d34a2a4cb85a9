import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryFiles } from "@mimus/block";
import { pattern, readAll } from "@mimus/testkit";
import { describe, expect, it } from "vitest";
import { SECTOR, KiB, MiB, hasQemu, ask, theirs, open, create, folder, inFolder } from "./rig.ts";

inFolder();

describe.skipIf(!hasQemu)(hasQemu ? "beside qemu-img" : "beside qemu-img, which is not installed", () => {
  const SETS = [
    "",
    "zeroed_grain=on",
    "compat6=on",
    "adapter_type=lsilogic,hwversion=9,toolsversion=123",
    "adapter_type=buslogic",
    "subformat=monolithicFlat",
    "subformat=twoGbMaxExtentSparse",
    "subformat=twoGbMaxExtentFlat",
    "subformat=streamOptimized",
  ];
  it.each(SETS)("images with '%s' are the same both ways", { timeout: 30_000 }, async (set) => {
    const options = Object.fromEntries(set === "" ? [] : set.split(",").map((o) => o.split("=") as [string, string]));
    const files = new MemoryFiles();
    const size = MiB + 5 * SECTOR;
    await create(files, "o.vmdk", size, options);
    const w = await open(files, "o.vmdk", { readOnly: false });
    const want = new Uint8Array(size);
    for (let i = 0; i < 8; i++) {
      const at = ((i * 37) % 16) * 64 * KiB;
      const data = pattern(set.endsWith("streamOptimized") ? 64 * KiB : 5000, i);
      await w.write(at, data);
      want.set(data, at);
    }
    await w.close();
    expect(Buffer.compare(theirs(files, "o.vmdk") ?? want, want)).toBe(0);
    expect(ask(files, "check", "o.vmdk")).toMatchObject({ rc: 0 });
    writeFileSync(join(folder, "w.raw"), want);
    const args = ["convert", "-f", "raw", "-O", "vmdk", ...(set === "" ? [] : ["-o", set]), "w.raw", "t.vmdk"];
    expect(ask(new MemoryFiles(), ...args)).toEqual({ rc: 0, text: "" });
    const made = new MemoryFiles();
    for (const name of ["t.vmdk", "t-flat.vmdk", "t-f001.vmdk", "t-s001.vmdk"])
      try {
        made.add(name, new Uint8Array(readFileSync(join(folder, name))));
        rmSync(join(folder, name));
      } catch {
        // this set has no such file
      }
    const n = await open(made, "t.vmdk");
    expect(Buffer.compare(await readAll(n), want)).toBe(0);
    expect(await n.image?.check?.("none")).toMatchObject({ corruptions: 0 });
    await n.close();
  });
});
