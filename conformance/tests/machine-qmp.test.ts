/** A machine's monitor for programs, and its disks served from it. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { oracle } from "../lib/mimus.ts";
import { mimusWords, NbdServerProcess, runBeside } from "../lib/nbd.ts";
import { Qmp } from "../lib/qmp.ts";

let home = "";
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "mimus-qmp-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const missing = !["nbdinfo", "qemu-io"].map(oracle).every(Boolean);

describe.skipIf(missing)("a machine's QMP (needs libnbd-bin and qemu-utils)", { timeout: 60_000 }, () => {
  test("the machine, its disks, exports by QMP and by the human monitor", async () => {
    const disk = join(home, "disk.raw");
    writeFileSync(disk, "");
    truncateSync(disk, 4 << 20);
    const [monitor, socket] = [join(home, "qmp"), join(home, "nbd")];
    const machine = await NbdServerProcess.start(
      mimusWords(
        ...[
          "system-riscv64",
          "-M",
          "virt",
          "-bios",
          "none",
          "-display",
          "none",
          "-S",
          "-qmp",
          `unix:${monitor},server=on,wait=off`,
        ],
        ...["-drive", `file=${disk},format=raw,if=none,id=d0`, "-device", "virtio-blk-device,drive=d0"],
      ),
      monitor,
    );
    try {
      const qmp = new Qmp(monitor);
      expect(await qmp.next()).toHaveProperty("QMP");
      expect(await qmp.ask("query-status")).toMatchObject({ class: "CommandNotFound" });
      expect(await qmp.ask("qmp_capabilities")).toEqual({});
      expect(await qmp.ask("query-status")).toEqual({ status: "prelaunch", singlestep: false, running: false });
      expect(await qmp.ask("no-such-command")).toMatchObject({ class: "CommandNotFound" });
      expect(await qmp.ask("stop", { x: 1 })).toMatchObject({ desc: "Parameter 'x' is unexpected" });
      const address = { addr: { type: "unix", data: { path: socket } } };
      expect(await qmp.ask("block-export-add", { type: "nbd", id: "e", "node-name": "d0" })).toHaveProperty("class");
      expect(await qmp.ask("nbd-server-start", address)).toEqual({});
      expect(await qmp.ask("nbd-server-start", address)).toMatchObject({ desc: "NBD server already running" });
      expect(await qmp.ask("nbd-server-add", { device: "d0", name: "first", writable: true })).toEqual({});
      expect(await qmp.ask("query-block-exports")).toMatchObject([{ id: "first", type: "nbd" }]);
      const uri = (name: string): string => `nbd+unix:///${name}?socket=${socket}`;
      const written = await runBeside("qemu-io", ["-f", "raw", "-c", "write -P 7 1M 64k", uri("first")]);
      expect(written.status).toBe(0);
      const hmp = (line: string): Promise<unknown> => qmp.ask("human-monitor-command", { "command-line": line });
      expect(await hmp("info status")).toMatch("prelaunch");
      let removed: unknown = "in use";
      // The client's goodbye may still be on its way.
      for (let n = 0; n < 50 && removed !== ""; n++) removed = await hmp("nbd_server_remove first");
      expect(removed).toBe("");
      expect(await hmp("nbd_server_stop")).toBe("");
      expect(await hmp("nbd_server_stop")).toBe("NBD server not running\n");
      expect(await hmp("nbd_server_start -w unix:x")).toMatch("-w only valid together with -a");
      expect(await hmp(`nbd_server_start -a unix:${socket}2`)).toBe("");
      const list = await runBeside("nbdinfo", ["--list", "--json", `nbd+unix:///?socket=${socket}2`]);
      expect(list.stdout).toMatch(/"export-name": "d0"[^]*"is_read_only": true/);
      expect(await qmp.ask("cont")).toEqual({});
      await qmp.event("RESUME", 20_000);
      expect(await qmp.ask("stop")).toEqual({});
      await qmp.event("STOP", 20_000);
      const ended = new Promise((resolve) => machine.child.once("exit", resolve));
      expect(await qmp.ask("quit")).toEqual({});
      expect(await ended).toBe(0);
    } finally {
      await machine.stop();
    }
    expect((await runBeside("qemu-io", ["-r", "-f", "raw", "-c", "read -P 7 1M 64k", disk])).stdout).not.toMatch(
      /fail/,
    );
  });
});
