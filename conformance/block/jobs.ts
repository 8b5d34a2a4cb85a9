/** Chains of a disk that change under a guest that writes: snapshots, commits, streams and mirrors, judged by qemu-img. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import block, { type BlockBackend, BlockGraph, chainOf, type GraphNode, Jobs, openDrive } from "@mimus/block";
import { nodeFiles, nodeFormatHost } from "@mimus/host-node";
import { commitDrives, runBlockCommand } from "@mimus/monitor";
import { Registry } from "@mimus/qom";
import { Seeded } from "@mimus/testkit";
import { PLUGINS } from "./formats.ts";
import { hasQemuImg } from "./oracle.ts";
import type { RunOptions } from "./runs.ts";

const SIZE = 4 << 20;
const CHANGES_A_DISK = 12;

interface Disk {
  readonly folder: string;
  readonly format: string;
  readonly graph: BlockGraph;
  readonly jobs: Jobs;
  readonly backend: BlockBackend;
  readonly model: Uint8Array;
  readonly random: (below: number) => number;
  readonly done: string[];
  made: number;
}

/** `count`: changes of the graph. @throws Error at the first wrong byte, with the seed of the disk */
export async function jobs({ formats, count, seed, print }: RunOptions): Promise<void> {
  for (const format of formats.length > 0 ? formats : ["qcow2"]) {
    let changes = 0;
    let writes = 0;
    for (let disk = 0; changes < count; disk++) {
      const run = await one(format, seed + disk);
      changes += run.changes;
      writes += run.writes;
    }
    print(`jobs ${format}: ${changes} changes of the graph under ${writes} writes, nothing lost`);
  }
}

async function one(format: string, seed: number): Promise<{ changes: number; writes: number }> {
  const seeded = new Seeded(seed);
  const random = (below: number): number => seeded.below(below);
  const folder = mkdtempSync(join(tmpdir(), "mimus-jobs-"));
  const registry = new Registry().use(block);
  for (const plugin of PLUGINS) if (plugin.name !== "@mimus/block") registry.use(plugin);
  const graph = new BlockGraph({
    registry,
    files: nodeFiles,
    warn: () => undefined,
    delay: (ns) => sleep(ns / 1e6),
    format: nodeFormatHost(),
  });
  const file = join(folder, `0.${format}`);
  await graph.create(format, file, SIZE, format === "qcow2" ? { cluster_size: String(512 << random(8)) } : {});
  const options = { file, format, if: "none", id: "d0", discard: "unmap" };
  const { backend } = await openDrive(graph, options, { interface: "none", snapshot: false });
  const disk: Disk = {
    ...{ folder, format, graph, backend, random },
    jobs: new Jobs(graph),
    model: new Uint8Array(SIZE),
    done: [],
    made: 1,
  };
  try {
    const guest = { writes: true };
    let writes = 0;
    const writers = [0, 1, 2].map(async (part) => {
      while (guest.writes) {
        await write(disk, part << 20, 1 << 20);
        writes++;
        await sleep(0);
      }
    });
    try {
      for (let i = 0; i < CHANGES_A_DISK; i++) await change(disk);
    } finally {
      guest.writes = false;
      await Promise.all(writers);
    }
    if (random(2) === 0 && chainOf(top(disk)).length > 1) await commitDrives(disk, "d0");
    await judge(disk);
    rmSync(folder, { recursive: true });
    return { changes: CHANGES_A_DISK, writes };
  } catch (e) {
    throw new Error(`jobs ${format}, seed ${seed}, in ${folder} after ${disk.done.join(", ")}: ${String(e)}`, {
      cause: e,
    });
  }
}

function top({ graph, backend }: Disk): GraphNode {
  return graph.node(backend.node?.name ?? "");
}

async function write({ backend, model, random }: Disk, from: number, room: number): Promise<void> {
  const at = from + random(room / 512) * 512;
  const length = Math.min(from + room - at, 512 * (1 + random(200)));
  const value = random(5) === 0 ? 0 : random(256);
  model.fill(value, at, at + length);
  if (value === 0 && random(2) === 0) await backend.writeZeroes(at, length, true);
  else await backend.write(at, new Uint8Array(length).fill(value));
  if (random(10) === 0) await backend.flush();
}

/** One change, and its end. */
async function change(disk: Disk): Promise<void> {
  const { random, folder, format } = disk;
  const [, second, third] = chainOf(top(disk));
  const file = (): string => join(folder, `${disk.made++}.${format}`);
  const run = (name: string, args: object): Promise<unknown> => {
    disk.done.push(name);
    return runBlockCommand(disk, name, { device: "d0", ...args });
  };
  const kind = random(6);
  if (kind <= 1) await run("blockdev-snapshot-sync", { "snapshot-file": file(), format });
  else if (kind === 2 && second)
    await run("block-stream", { ...(third && random(2) === 0 ? { "base-node": third.name } : {}) });
  else if (kind === 3 && second && third) await run("block-commit", { "top-node": second.name });
  else if (kind === 4 && second) await run("block-commit", {});
  else if (kind === 5) {
    const mode = random(2) === 0 ? "write-blocking" : "background";
    await run("drive-mirror", { target: file(), format, sync: "full", "copy-mode": mode });
  }
  const [job] = disk.jobs.list();
  if (!job) return;
  if (kind >= 4) {
    while (!job.isReady && job.status !== "null") await sleep(1);
    if (job.isReady && random(4) === 0) job.cancel();
    else if (job.isReady) job.complete();
  }
  await job.done;
  if (job.error) throw job.error;
}

/** The disk is as the model, and qemu-img finds each image of the chain clean and the content the same. */
async function judge(disk: Disk): Promise<void> {
  const { graph, backend, model, folder, format } = disk;
  const all = new Uint8Array(SIZE);
  await backend.read(0, all);
  const wrong = all.findIndex((byte, i) => byte !== model[i]);
  if (wrong >= 0) throw new Error(`byte ${wrong} is ${all[wrong]}, wanted ${model[wrong]}`);
  const files = chainOf(top(disk)).map((node) => node.filename);
  await graph.closeAll();
  if (!hasQemuImg()) return;
  writeFileSync(join(folder, "model"), model);
  const [first = ""] = files;
  for (const args of [
    ...files.map((name) => ["check", "-q", "-f", format, name]),
    ["compare", "-q", "-f", "raw", "-F", format, join(folder, "model"), first],
  ]) {
    const { status, stdout, stderr } = spawnSync("qemu-img", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`qemu-img ${args.join(" ")}: ${stdout}${stderr}`);
  }
}
