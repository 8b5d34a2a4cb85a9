/** qemu-img's opinion of images that ours made. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ImageOracle } from "@mimus/testkit";

/** Checks an image with `qemu-img check`, and compares what `qemu-img convert` reads with the model. */
export function qemuImgOracle(format: string, checks: boolean): ImageOracle {
  return {
    async judge(files, filename, disk) {
      const folder = mkdtempSync(join(tmpdir(), "mimus-oracle-"));
      try {
        for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
        const complaints: string[] = [];
        if (checks) complaints.push(...check(folder, format, filename, false));
        // What a discard left open is taken from the image itself: only the rest is compared.
        const got = read(folder, format, filename);
        if (typeof got === "string") return [...complaints, got];
        if (got.length < disk.size) return [...complaints, `qemu-img reads ${got.length} bytes, not ${disk.size}`];
        const wrong = disk.difference(0, got.subarray(0, disk.size));
        if (wrong !== undefined) complaints.push(`qemu-img reads: ${wrong}`);
        return complaints;
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/** What `qemu-img check` complains of; leaks only when they are not `allowed`. */
export function check(folder: string, format: string, filename: string, leaksAllowed: boolean): string[] {
  const { status, stdout, stderr } = spawnSync("qemu-img", ["check", "-f", format, filename], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  // 0 clean, 3 leaks only, 63 the format has no check.
  if (status === 0 || status === 63 || (leaksAllowed && status === 3)) return [];
  return [`qemu-img check: status ${status}: ${(stdout + stderr).trim().split("\n").slice(0, 3).join(" / ")}`];
}

function read(folder: string, format: string, filename: string): Uint8Array | string {
  const { status, stderr } = spawnSync("qemu-img", ["convert", "-f", format, "-O", "raw", filename, "out.raw"], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0) return `qemu-img convert: ${stderr.trim()}`;
  return readFileSync(join(folder, "out.raw"));
}

/** Is qemu-img here? */
export function hasQemuImg(): boolean {
  return spawnSync("qemu-img", ["--version"]).status === 0;
}
