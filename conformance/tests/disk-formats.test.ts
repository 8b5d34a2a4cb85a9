import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlockFormat, createImage, MemoryFile, openImage } from "@mimus/block";
import { qed } from "@mimus/block-qed";
import { vdi } from "@mimus/block-vdi";
import { Seeded, testHost } from "@mimus/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MiB = 1 << 20;
const host = testHost();
const there = spawnSync("qemu-img", ["--version"]).status === 0;
let folder = "";
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "mimus-disks-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function qemu(...args: string[]): { rc: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync("qemu-img", args, { cwd: folder, encoding: "utf8" });
  return { rc: status, text: stdout + stderr };
}

const CASES: readonly (readonly [BlockFormat, string, Record<string, unknown>])[] = [
  [vdi, "", {}],
  [vdi, "static=on", { static: true }],
  [qed, "", {}],
  [qed, "cluster_size=4096,table_size=2", { cluster_size: 4096, table_size: 2 }],
];

describe.skipIf(!there)(there ? "beside qemu-img" : "beside qemu-img, which is not installed", () => {
  it.each(CASES.map(([format, set, options]) => ({ format, name: format.name, set, options })))(
    "$name images with '$set' are the same both ways",
    async ({ format, name, set, options }) => {
      const size = 5 * MiB - 512;
      const file = new MemoryFile(`o.${name}`);
      await createImage(format, file, size, { options, host });
      const node = await openImage(format, file, { host });
      const want = new Uint8Array(size);
      for (const [i, at] of [3 * MiB + 100, 0, MiB - 50, size - 300].entries()) {
        const data = new Seeded(i).bytes(300);
        await node.write(at, data);
        want.set(data, at);
      }
      await node.close();
      writeFileSync(join(folder, `o.${name}`), file.content());
      writeFileSync(join(folder, "w.raw"), want);
      expect(qemu("check", `o.${name}`)).toMatchObject({ rc: 0 });
      expect(qemu("compare", `o.${name}`, "w.raw")).toMatchObject({ rc: 0 });
      const more = set === "" ? [] : ["-o", set];
      expect(qemu("convert", "-f", "raw", "-O", name, ...more, "w.raw", `t.${name}`)).toEqual({ rc: 0, text: "" });
      const made = new Uint8Array(readFileSync(join(folder, `t.${name}`)));
      const theirs = await openImage(format, new MemoryFile("t", made), { host });
      const read = new Uint8Array(size);
      await theirs.read(0, read);
      expect(Buffer.compare(read, want)).toBe(0);
      expect(await theirs.image?.check?.("none")).toMatchObject({ corruptions: 0, leaks: 0 });
      await theirs.close();
    },
  );
});
