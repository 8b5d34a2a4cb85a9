import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import block, { BlockGraph, Jobs, openDrive } from "@mimus/block";
import qcow2Plugin from "@mimus/block-qcow2";
import { nodeFiles, nodeFormatHost } from "@mimus/host-node";
import { runBlockCommand } from "@mimus/monitor";
import { Registry } from "@mimus/qom";
import { afterAll, beforeAll, expect, test } from "vitest";

const qemu = spawnSync("qemu-img", ["--version"]).status === 0;
if (!qemu) process.stderr.write("skipped: block jobs checked by qemu-img (needs qemu-img and qemu-io)\n");

const MIB = 1 << 20;
let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "mimus-"));
});
afterAll(() => rm(dir, { recursive: true }));

function tool(program: string, ...args: string[]): string {
  const done = spawnSync(program, args, { cwd: dir, encoding: "utf8" });
  expect(done.status, `${program} ${args.join(" ")}\n${done.stdout}${done.stderr}`).toBe(0);
  return done.stdout;
}

test.skipIf(!qemu)(
  "commands change real chains, and qemu-img agrees with what they leave",
  { timeout: 60_000 },
  async () => {
    tool("qemu-img", "create", "-q", "-f", "qcow2", "base.qcow2", "64M");
    tool("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 4M", "base.qcow2");
    tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2");
    tool("qemu-io", "-f", "qcow2", "-c", "write -P 2 1M 1M", "top.qcow2");
    const graph = new BlockGraph({
      registry: new Registry().use(block).use(qcow2Plugin),
      files: nodeFiles,
      warn: (line) => expect.fail(line),
      delay: (ns) => sleep(ns / 1e6),
      format: nodeFormatHost(),
    });
    const jobs = new Jobs(graph);
    const run = (name: string, args: unknown): Promise<unknown> => runBlockCommand({ graph, jobs }, name, args);
    const idle = async (): Promise<void> => {
      for (const job of jobs.list()) {
        await job.done;
        expect(job.error).toBeUndefined();
      }
    };
    const files = (): string[] =>
      [...graph.nodes()].filter((n) => n.driver !== "file").map((n) => n.filename.slice(dir.length + 1));
    const { backend } = await openDrive(
      graph,
      { file: join(dir, "top.qcow2"), format: "qcow2", if: "none", id: "d0" },
      { interface: "none", snapshot: false },
    );
    const byte = async (at: number): Promise<number | undefined> => {
      const into = new Uint8Array(1);
      await backend.read(at, into);
      return into[0];
    };

    await run("blockdev-snapshot-sync", { device: "d0", "snapshot-file": join(dir, "snap.qcow2") });
    expect(files()).toEqual(["base.qcow2", "top.qcow2", "snap.qcow2"]);
    await backend.write(2 * MIB, new Uint8Array(MIB).fill(3));
    expect(tool("qemu-img", "info", "-U", "snap.qcow2")).toContain(`backing file: ${join(dir, "top.qcow2")}`);

    await run("block-commit", { device: "d0", top: join(dir, "top.qcow2") });
    await idle();
    expect(files()).toEqual(["base.qcow2", "snap.qcow2"]);
    tool("qemu-io", "-U", "-r", "-f", "qcow2", "-c", "read -P 2 1M 1M", "base.qcow2");

    await run("block-stream", { device: "d0" });
    await idle();
    expect(files()).toEqual(["snap.qcow2"]);
    expect([await byte(0), await byte(MIB), await byte(2 * MIB), await byte(8 * MIB)]).toEqual([1, 2, 3, 0]);

    await run("drive-mirror", { device: "d0", target: join(dir, "mirror.qcow2"), sync: "full" });
    while (jobs.get("d0").status !== "ready") await sleep(5);
    await backend.write(9 * MIB, new Uint8Array(65536).fill(9));
    await run("block-job-complete", { device: "d0" });
    await idle();
    expect(files()).toEqual(["mirror.qcow2"]);

    await run("block-dirty-bitmap-add", { node: "d0", name: "keep", persistent: true });
    await backend.write(10 * MIB, new Uint8Array(65536).fill(9));
    await run("drive-backup", { device: "d0", target: join(dir, "full.qcow2"), sync: "full", compress: true });
    await idle();
    await run("blockdev-snapshot-internal-sync", { device: "d0", name: "inside" });
    await graph.closeAll();

    tool("qemu-img", "compare", "-q", "mirror.qcow2", "full.qcow2");
    for (const name of ["base", "top", "snap", "mirror", "full"]) tool("qemu-img", "check", "-q", `${name}.qcow2`);
    const info = tool("qemu-img", "info", "mirror.qcow2");
    expect(info).toMatch(/name: keep/);
    expect(info).toMatch(/inside/);
  },
);
