/** The command as it was built: one file that holds several packages, in front of formats that are packages of the project. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasQemuTools } from "../lib/img.ts";
import { runMimus } from "../lib/mimus.ts";

const folder = mkdtempSync(join(tmpdir(), "mimus-command-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("mimus img as a process", { timeout: 60_000 }, () => {
  it("makes, checks and converts images of packages of the project", () => {
    const [image, copy] = [join(folder, "a.qcow2"), join(folder, "a.vmdk")];
    expect(runMimus(["img", "create", "-q", "-f", "qcow2", image, "1M"])).toMatchObject({ status: 0, stderr: "" });
    expect(runMimus(["img", "check", image]).stdout).toContain("No errors were found on the image.");
    expect(runMimus(["img", "convert", "-O", "vmdk", image, copy])).toMatchObject({ status: 0, stderr: "" });
    expect(runMimus(["img", "info", copy]).stdout).toContain("file format: vmdk");
    expect(runMimus(["img", "info", "-f", "qcow2", copy])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^mimus img: Could not open '.*'.*\n$/) as string,
    });
  });

  it("sees the holes of files", () => {
    const file = join(folder, "sparse.raw");
    writeFileSync(file, new Uint8Array(1 << 16).fill(1));
    truncateSync(file, 1 << 20);
    const { stdout } = runMimus(["img", "map", "-f", "raw", "--output=json", file]);
    expect((JSON.parse(stdout) as unknown[]).length).toBe(2);
  });

  it.skipIf(!hasQemuTools())("leaves alone what another process writes to (needs qemu-io)", async () => {
    const file = join(folder, "held.qcow2");
    expect(runMimus(["img", "create", "-q", "-f", "qcow2", file, "1M"]).status).toBe(0);
    const holder = spawn("qemu-io", ["-f", "qcow2", file], { stdio: ["pipe", "pipe", "ignore"] });
    try {
      holder.stdin.write("length\n");
      // The answer: it has the file.
      while (!String((await once(holder.stdout, "data"))[0]).includes("MiB"));
      const { status, stderr } = runMimus(["img", "resize", "-f", "qcow2", file, "2M"]);
      expect([status, stderr]).toEqual([1, expect.stringContaining("Is another process using the image")]);
    } finally {
      holder.stdin.end("quit\n");
      await once(holder, "exit");
    }
  });
});
