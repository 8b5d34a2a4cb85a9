/** Hostile variants of images of every format, some of each: `pnpm disks hostile` runs thousands. */
import { PatchedFile } from "../../packages/testkit/src/format/patched-file.ts";
import { describe, expect, it } from "vitest";
import { allFormats } from "../block/formats.ts";
import { hostile } from "../block/hostile/hostile.ts";
import { goodImages, IMAGE } from "../block/hostile/images.ts";
import { linesOf } from "../block/hostile/judge.ts";
import { NotedFiles, runTool } from "../block/hostile/tools.ts";

describe("hostile images", () => {
  it("end well in every tool", { timeout: 300_000 }, async () => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const formats = ["qcow", "vdi", "qed", "bochs", "cloop"];
    const fine = await hostile({ formats, count: 4, seed: 1, first: 0, messages: false, print });
    expect(lines.filter((line) => line.startsWith("FAULT"))).toEqual([]);
    expect(fine).toBe(true);
  });

  it("io says once what is wrong with a bitmap", async () => {
    const print = (): void => undefined;
    const good = (await goodImages(["qcow2"], print)).find(({ name }) => name === "plain");
    const bytes = good?.files.get(IMAGE) ?? new Uint8Array(0);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    let extension = 104;
    while (view.getUint32(extension) !== 0x23852875) extension += 8 + Math.ceil(view.getUint32(extension + 4) / 8) * 8;
    const directory = Number(view.getBigUint64(extension + 8 + 16));
    const file = new PatchedFile(IMAGE, bytes);
    // Entries of its table; it is not in use.
    file.patch(directory + 8, Uint8Array.of(0, 0x80, 0, 0, 0, 0, 0, 2));
    const files = new NotedFiles().add(IMAGE, file) as NotedFiles;
    const ended = await runTool("io", ["-f", "qcow2", "-c", "write 0 512", IMAGE], files, allFormats(), () => 0);
    expect([ended.code, linesOf(ended.err)]).toEqual([1, [expect.stringContaining("table of bitmap 'bits'")]]);
  });
});
