/** Images made by qemu-img 7.2 read as they should, and hostile ones do no harm: the data of this repository. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { images } from "../block/images.ts";

const data = join(import.meta.dirname, "../data");
const ready = spawnSync("xz", ["--version"]).status === 0;
if (!ready) console.warn("images: skipped, xz (xz-utils) is not installed");

for (const folder of ["images-qemu", "images-hostile"])
  it.skipIf(!ready)(`${folder}: each image as its EXPECTED.json says`, { timeout: 120_000 }, async () => {
    const lines: string[] = [];
    const right = await images([join(data, folder)], (line) => lines.push(line));
    expect(right, lines.join("\n")).toBe(true);
    expect(lines.at(-1)).not.toMatch(/WRONG/);
  });
