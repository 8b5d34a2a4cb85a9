import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { oracle, runMimus } from "../lib/mimus.ts";
import { mimusWords, NbdServerProcess, runBeside } from "../lib/nbd.ts";
import { Qmp } from "../lib/qmp.ts";

const SIZE = 4 << 20;
let home = "";
let running: NbdServerProcess[] = [];
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "mimus-qsd-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(async () => {
  for (const daemon of running) await daemon.stop();
  running = [];
});

function disk(name: string): string {
  const path = join(home, name);
  writeFileSync(path, "");
  truncateSync(path, SIZE);
  return path;
}

const missing = !["nbdinfo", "qemu-io", "qemu-img"].map(oracle).every(Boolean);

describe.skipIf(missing)("mimus storage-daemon (needs libnbd-bin and qemu-utils)", { timeout: 60_000 }, () => {
  test("exports nodes of the command line, and is worked by QMP", async () => {
    const [socket, monitor] = [join(home, "nbd1"), join(home, "qmp1")];
    const daemon = await NbdServerProcess.start(
      mimusWords(
        ...["storage-daemon", "--blockdev", `driver=file,node-name=f,filename=${disk("a.raw")}`],
        ...["--blockdev", "driver=raw,node-name=d,file=f", "--nbd-server", `addr.type=unix,addr.path=${socket}`],
        ...["--export", "nbd,id=e,node-name=d,name=disk,writable=on,allocation-depth=on"],
        ...["--chardev", `socket,id=c,path=${monitor},server=on,wait=off`, "--monitor", "chardev=c"],
      ),
      monitor,
    );
    running.push(daemon);
    const uri = (name: string): string => `nbd+unix:///${name}?socket=${socket}`;
    expect(await runBeside("qemu-io", ["-f", "raw", "-c", "write -P 5 1M 64k", uri("disk")])).toMatchObject({
      status: 0,
    });
    const qmp = new Qmp(monitor);
    expect(await qmp.next()).toHaveProperty("QMP");
    expect(await qmp.ask("qmp_capabilities")).toEqual({});
    expect(await qmp.ask("query-block-exports")).toMatchObject([{ id: "e", "node-name": "d", type: "nbd" }]);
    const target = { driver: "raw", "node-name": "t", file: { driver: "file", filename: disk("b.raw") } };
    expect(await qmp.ask("blockdev-add", target)).toEqual({});
    expect(await qmp.ask("block-export-add", { type: "nbd", id: "e2", "node-name": "t", name: "copy" })).toEqual({});
    expect((await runBeside("nbdinfo", ["--list", "--json", uri("")])).stdout).toMatch(/disk[^]*copy/);
    expect(await qmp.ask("blockdev-backup", { "job-id": "j", device: "d", target: "t", sync: "full" })).toEqual({});
    for (let n = 0; !qmp.events.some((e) => e["event"] === "BLOCK_JOB_COMPLETED") && n < 200; n++)
      await qmp.ask("query-jobs");
    const { stdout } = await runBeside("qemu-io", [
      "-r",
      "-f",
      "raw",
      "-c",
      "read -P 5 1M 64k",
      "-c",
      "read -P 0 2M 64k",
      uri("copy"),
    ]);
    expect(stdout).not.toMatch(/failed|Pattern/);
    // The client's goodbye may still be on its way.
    let deleted: unknown;
    for (let n = 0; n < 50 && JSON.stringify(deleted) !== "{}"; n++)
      deleted = await qmp.ask("block-export-del", { id: "e2" });
    expect(deleted).toEqual({});
    expect(await qmp.ask("blockdev-del", { "node-name": "t" })).toEqual({});
    const ended = new Promise((resolve) => daemon.child.once("exit", resolve));
    expect(await qmp.ask("quit")).toEqual({});
    expect(await ended).toBe(0);
  });

  test("runs in the background, with a pid file", async () => {
    const [socket, pidFile] = [join(home, "nbd2"), join(home, "pid")];
    const { status, stderr } = runMimus([
      ...["storage-daemon", "--daemonize", "--pidfile", pidFile, "--nbd-server", `addr.type=unix,addr.path=${socket}`],
      ...["--blockdev", `driver=file,node-name=f,filename=${disk("c.raw")}`, "--export", "type=nbd,id=e,node-name=f"],
    ]);
    expect([status, stderr]).toEqual([0, ""]);
    expect((await runBeside("nbdinfo", ["--size", `nbd+unix:///f?socket=${socket}`])).stdout).toBe(`${SIZE}\n`);
    process.kill(Number(readFileSync(pidFile, "utf8")));
  });

  test.each([
    [["--export", "type=nbd,id=x,node-name=d"], /--export type=nbd,id=x,node-name=d: NBD server not running/],
    [["--monitor", "chardev=c"], /--monitor chardev=c: chardev "c" not found/],
    [["--blockdev", "driver=raw,node-name=f"], /--blockdev .*'file'/],
    [["--object", "nonsense,id=o"], /--object nonsense,id=o: /],
    [["--bogus"], /unrecognized option '--bogus'/],
    [["file"], /Unexpected argument: file/],
  ])("%j is one clear line", (args, message) => {
    const { status, stderr } = runMimus(["storage-daemon", ...args]);
    expect(status).toBe(1);
    expect(stderr.split("\n")[0]).toMatch(message);
  });
});
