import block, { BlockGraph, Jobs, MemoryFile, MemoryFiles, openDrive } from "@mimus/block";
import { Registry } from "@mimus/qom";
import { describe, expect, it } from "vitest";
import type { BlockControl } from "./index.ts";
import { BLOCK_COMMANDS, BLOCK_HMP, commitDrives, infoBlock, infoSnapshots, runBlockCommand } from "./index.ts";

const SIZE = 1 << 20;

interface Rig {
  readonly control: BlockControl;
  readonly files: MemoryFiles;
  readonly events: { name: string; data: unknown }[];
  readonly run: (name: string, args?: unknown) => Promise<unknown>;
  readonly wait: (id: string, status: string) => Promise<void>;
}

async function setup(): Promise<Rig> {
  const files = new MemoryFiles();
  let now = 0;
  const graph = new BlockGraph({
    registry: new Registry().use(block),
    files,
    warn: () => undefined,
    delay: async (ns) => {
      await new Promise<void>((resolve) => void setTimeout(resolve, 0));
      now += ns / 1e6;
    },
    format: { now: () => now },
  });
  files.add("d.img", new MemoryFile("d.img", new Uint8Array(SIZE).fill(1)));
  await openDrive(
    graph,
    { file: "d.img", format: "raw", id: "d0", if: "none" },
    { interface: "none", snapshot: false },
  );
  const jobs = new Jobs(graph);
  const events: Rig["events"] = [];
  jobs.onEvent = (e) => events.push(e);
  const control: BlockControl = { graph, jobs };
  const run = (name: string, args?: unknown): Promise<unknown> => runBlockCommand(control, name, args);
  const wait = async (id: string, status: string): Promise<void> => {
    while (jobs.get(id).status !== status) await new Promise((r) => void setTimeout(r, 1));
  };
  return { control, files, events, run, wait };
}
const raw = (name: string, filename: string): unknown => ({
  driver: "raw",
  "node-name": name,
  file: { driver: "file", filename },
});
const done = (events: Rig["events"], name: string): unknown => events.find((e) => e.name === name)?.data;

describe("block commands", () => {
  it("answer queries with QEMU's members", async () => {
    const { run, control } = await setup();
    control.graph.backend("d0")?.attach("/machine/peripheral/disk");
    const [drive] = (await run("query-block")) as [Record<string, Record<string, unknown>>];
    expect(drive).toMatchObject({
      device: "d0",
      locked: false,
      removable: false,
      type: "unknown",
      "io-status": "ok",
      inserted: {
        drv: "raw",
        file: "d.img",
        ro: false,
        encrypted: false,
        backing_file_depth: 0,
        cache: { writeback: true, direct: false, "no-flush": false },
        image: { filename: "d.img", format: "raw", "virtual-size": SIZE, "dirty-flag": false },
      },
    });
    await control.graph.backend("d0")?.write(512, new Uint8Array(512));
    const [stats] = (await run("query-blockstats")) as [{ stats: Record<string, unknown>; parent: unknown }];
    expect(stats).toMatchObject({
      device: "d0",
      stats: { wr_operations: 1, wr_bytes: 512, wr_highest_offset: 1024, failed_wr_operations: 0 },
      parent: { stats: { wr_operations: 0 } },
    });
    expect(((await run("query-named-block-nodes")) as { drv: string }[]).map((n) => n.drv)).toEqual(["raw", "file"]);
  });

  it("list a node that a device has without a drive's name", async () => {
    const { run, control, files } = await setup();
    files.add("e.img", SIZE);
    await run("blockdev-add", raw("e", "e.img"));
    control.graph.backend("e");
    expect(await run("query-block")).toHaveLength(1);
    control.graph.backend("e")?.attach("/machine/peripheral/disk");
    expect(((await run("query-block")) as object[])[1]).toMatchObject({
      device: "",
      qdev: "/machine/peripheral/disk",
      inserted: { "node-name": "e" },
    });
  });

  it("say what is wrong with arguments", async () => {
    const { run } = await setup();
    await expect(run("block_resize", { device: "d0" })).rejects.toThrow("Parameter 'size' is missing");
    await expect(run("block-job-pause", { device: "x", y: 1 })).rejects.toThrow("Parameter 'y' is unexpected");
    await expect(run("block-job-pause", { device: "x" })).rejects.toThrow("Block job 'x' not found");
    await expect(run("blockdev-del", { "node-name": "x" })).rejects.toThrow("Failed to find node with node-name='x'");
    await expect(run("block_resize", { device: "x", size: 1 })).rejects.toThrow(
      "Cannot find device='x' nor node-name=''",
    );
    await expect(run("frobnicate")).rejects.toThrow(/has not been found/);
    expect(BLOCK_COMMANDS.size).toBeGreaterThan(45);
  });

  it("add, reopen, resize and delete nodes", async () => {
    const { run, files, control } = await setup();
    files.add("e.img", SIZE);
    await run("blockdev-add", raw("e", "e.img"));
    await expect(run("blockdev-add", { driver: "raw" })).rejects.toThrow("'node-name' must be specified");
    await run("blockdev-reopen", { options: [{ ...(raw("e", "e.img") as object), "read-only": true }] });
    expect(control.graph.node("e").readOnly).toBe(true);
    await expect(
      run("blockdev-reopen", { options: [{ ...(raw("e", "e.img") as object), offset: 512 }] }),
    ).rejects.toThrow("Cannot change the option 'offset'");
    await run("blockdev-reopen", { options: [raw("e", "e.img")] });
    await run("block_resize", { "node-name": "e", size: 2 * SIZE });
    expect(control.graph.node("e").size).toBe(2 * SIZE);
    await run("blockdev-del", { "node-name": "e" });
    expect([...control.graph.nodes()].map((n) => n.driver)).toEqual(["file", "raw"]);
    await expect(run("blockdev-del", { "node-name": "#block1" })).rejects.toThrow("is not owned by the monitor");
    await run("block_set_io_throttle", {
      device: "d0",
      bps: 0,
      bps_rd: 0,
      bps_wr: 0,
      iops: 100,
      iops_rd: 0,
      iops_wr: 0,
    });
    const [drive] = (await run("query-block")) as [{ inserted: object }];
    expect(drive.inserted).toMatchObject({ iops: 100, group: "d0" });
  });

  it("create images by a job", async () => {
    const { run, files, wait } = await setup();
    await run("blockdev-create", { "job-id": "c", options: { driver: "file", filename: "new.img", size: 4096 } });
    await wait("c", "concluded");
    expect(await files.files.get("new.img")?.size()).toBe(4096);
    expect(await run("query-jobs")).toMatchObject([{ id: "c", type: "create", status: "concluded" }]);
    await run("job-dismiss", { id: "c" });
    expect(await run("query-jobs")).toEqual([]);
  });

  it("mirror a drive and take over the copy", async () => {
    const { run, files, wait, control, events } = await setup();
    const target = new MemoryFile("t.img", 0);
    files.add("t.img", target);
    await run("drive-mirror", { device: "d0", target: "t.img", format: "raw", sync: "full" });
    await wait("d0", "ready");
    expect(await run("query-block-jobs")).toMatchObject([
      { type: "mirror", device: "d0", ready: true, "io-status": "ok", len: SIZE, offset: SIZE },
    ]);
    await control.graph.backend("d0")?.write(0, new Uint8Array(512).fill(5));
    await run("block-job-complete", { device: "d0" });
    const job = control.jobs.get("d0");
    await job.done;
    expect(done(events, "BLOCK_JOB_COMPLETED")).toMatchObject({ type: "mirror", device: "d0" });
    await control.graph.backend("d0")?.write(512, new Uint8Array(512).fill(6));
    expect([0, 512, 1024].map((i) => target.content()[i])).toEqual([5, 6, 1]);
    expect([...control.graph.nodes()].map((n) => n.filename)).toEqual(["t.img", "t.img"]);
  });

  it("back up incrementally, in a transaction with its bitmap", async () => {
    const { run, files, control } = await setup();
    const [one, two] = [new MemoryFile("1", SIZE), new MemoryFile("2", SIZE)];
    files.add("1", one).add("2", two);
    await run("blockdev-add", raw("t1", "1"));
    await run("blockdev-add", raw("t2", "2"));
    const drive = control.graph.backend("d0");
    await run("transaction", {
      actions: [
        { type: "block-dirty-bitmap-add", data: { node: "d0", name: "b" } },
        { type: "blockdev-backup", data: { device: "d0", target: "t1", sync: "full", "job-id": "j1" } },
      ],
    });
    const first = control.jobs.get("j1");
    await drive?.write(65536, new Uint8Array(512).fill(7));
    await first.done;
    expect(one.content()[65536]).toBe(1);
    const inserted = async (): Promise<unknown> => ((await run("query-block")) as { inserted: unknown }[])[0]?.inserted;
    expect(await inserted()).toMatchObject({ "dirty-bitmaps": [{ name: "b", count: 65536, recording: true }] });
    await run("blockdev-backup", { device: "d0", target: "t2", sync: "incremental", bitmap: "b", "job-id": "j2" });
    await control.jobs.get("j2").done;
    expect([0, 65536].map((i) => two.content()[i])).toEqual([0, 7]);
    expect(await inserted()).toMatchObject({ "dirty-bitmaps": [{ name: "b", count: 0 }] });
  });

  it("undo a transaction that fails", async () => {
    const { run, files, control } = await setup();
    files.add("1", SIZE);
    await run("blockdev-add", raw("t1", "1"));
    await run("block-dirty-bitmap-add", { node: "d0", name: "b", granularity: 4096 });
    await control.graph.backend("d0")?.write(0, new Uint8Array(512));
    await expect(
      run("transaction", {
        actions: [
          { type: "block-dirty-bitmap-clear", data: { node: "d0", name: "b" } },
          { type: "block-dirty-bitmap-disable", data: { node: "d0", name: "b" } },
          { type: "block-dirty-bitmap-add", data: { node: "d0", name: "c" } },
          { type: "blockdev-backup", data: { device: "d0", target: "t1", sync: "full", "job-id": "j" } },
          { type: "abort", data: {} },
        ],
      }),
    ).rejects.toThrow("Transaction aborted using Abort action");
    expect(control.jobs.list()).toEqual([]);
    const bitmaps = control.graph.bitmaps.list(control.graph.node("#block1"));
    expect(bitmaps.map((b) => [b.name, b.enabled, b.bits.bytes])).toEqual([["b", true, 4096]]);
    await control.graph.backend("d0")?.write(0, new Uint8Array(512));
  });

  it("undo all backups of a group when one fails", async () => {
    const { run, files, control, events } = await setup();
    files.add("1", SIZE).add("2", SIZE).add("e.img", SIZE);
    for (const [name, file] of [
      ["t1", "1"],
      ["e", "e.img"],
    ] as const)
      await run("blockdev-add", raw(name, file));
    await run("blockdev-add", {
      driver: "blkdebug",
      "node-name": "t2",
      image: { driver: "file", filename: "2" },
      "inject-error": [
        { event: "none", iotype: "write", sector: 1024 },
        { event: "none", iotype: "write-zeroes", sector: 1024 },
      ],
    });
    await run("transaction", {
      actions: [
        { type: "blockdev-backup", data: { device: "d0", target: "t1", sync: "full", "job-id": "j1", speed: 1 } },
        { type: "blockdev-backup", data: { device: "e", target: "t2", sync: "full", "job-id": "j2" } },
      ],
      properties: { "completion-mode": "grouped" },
    });
    await Promise.all(control.jobs.list().map((j) => j.done));
    expect(
      events
        .filter((e) => e.name.startsWith("BLOCK_JOB_C"))
        .map((e) => [e.name, (e.data as { device: string }).device]),
    ).toEqual([
      ["BLOCK_JOB_COMPLETED", "j2"],
      ["BLOCK_JOB_CANCELLED", "j1"],
    ]);
  });

  it("commit a temporary layer into the image below", async () => {
    const { files, control } = await setup();
    const base = new MemoryFile("s.img", SIZE);
    files.add("s.img", base);
    const { backend } = await openDrive(
      control.graph,
      { file: "s.img", format: "raw", id: "s0", if: "none", snapshot: "on" },
      { interface: "none", snapshot: false },
    );
    await backend.write(4096, new Uint8Array(512).fill(4));
    expect(base.content()[4096]).toBe(0);
    await commitDrives(control, "all");
    expect(base.content()[4096]).toBe(4);
    expect(await infoBlock(control, ["s0"])).toMatch(
      /^s0 \(#block\d+\): s\.img \(overlay\)\n    Removable device: not locked, tray closed\n    Cache mode: +writeback\n    Backing file: +s\.img \(chain depth: 1\)\n$/,
    );
  });

  it("are found by a device's id or path", async () => {
    const { run, control } = await setup();
    const drive = control.graph.backend("d0");
    drive?.attach("/machine/peripheral/vb0/virtio-backend");
    for (const [i, id] of ["vb0", "/machine/peripheral/vb0/virtio-backend", "d0"].entries()) {
      const none = { bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
      await run("block_set_io_throttle", { id, bps: 1000 * (i + 1), ...none });
      expect(drive?.throttle?.limits.buckets["bps-total"].avg).toBe(1000 * (i + 1));
    }
    await expect(run("block_set_io_throttle", { id: "vb" })).rejects.toThrow("Device 'vb' not found");
  });

  it("add and remove drives, and show nodes and snapshots", async () => {
    const { control, files } = await setup();
    files.add("n,1.img", 4096);
    const hmp = (name: string, ...args: string[]): Promise<string> | undefined =>
      BLOCK_HMP.find((c) => c.name === name)?.run(control, args);
    expect(await hmp("drive_add", "0", "if=none,id=n1,node-name=nn,format=raw,file=n,,1.img")).toBe("OK\n");
    expect(control.graph.backend("n1")?.size).toBe(4096);
    await expect(hmp("drive_add", "0", "if=ide,file=n,,1.img")).rejects.toThrow(/if=none/);
    expect(await infoBlock(control, ["-n", "nn"])).toBe("nn: n,1.img (raw)\n    Cache mode:       writeback\n");
    expect(await infoSnapshots(control)).toBe("There is no snapshot available.\n");
    await hmp("drive_del", "n1");
    expect([...control.graph.backends()].map((b) => b.id)).toEqual(["d0"]);
    expect([...control.graph.nodes()].map((n) => n.filename)).not.toContain("n,1.img");
  });

  it("change media", async () => {
    const { run, files, control } = await setup();
    files.add("cd.iso", 4096);
    await run("eject", { device: "d0" });
    expect(await run("query-block")).toMatchObject([{ device: "d0", removable: true }]);
    await run("blockdev-change-medium", {
      device: "d0",
      filename: "cd.iso",
      format: "raw",
      "read-only-mode": "read-only",
    });
    expect(control.graph.backend("d0")?.size).toBe(4096);
    expect([...control.graph.nodes()]).toHaveLength(2);
  });
});
