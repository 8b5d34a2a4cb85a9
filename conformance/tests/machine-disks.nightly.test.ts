/** Disks that are copied and run full while a guest writes to them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { guest, oracle, startMimus } from "../lib/mimus.ts";
import { runBeside } from "../lib/nbd.ts";
import { Qmp } from "../lib/qmp.ts";

const MINUTES = 60_000;
const kernel = guest("riscv64/linux");
const initrd = guest("riscv64/initramfs-modules.gz");
const missing = kernel === undefined || initrd === undefined || !["nbdcopy", "qemu-img"].map(oracle).every(Boolean);

let home = "";
beforeAll(() => void (home = mkdtempSync(join(tmpdir(), "mimus-live-"))));
afterAll(() => rmSync(home, { recursive: true, force: true }));
afterEach(() => Console.killAll());

/** A guest at its shell, with /dev/vda. */
async function boot(name: string, disk: readonly string[]): Promise<{ machine: Console; qmp: Qmp }> {
  const monitor = join(home, `${name}.qmp`);
  const machine = startMimus([
    ...["system-riscv64", "-M", "virt", "-m", "256", "-nographic", "-kernel", kernel ?? "", "-initrd", initrd ?? ""],
    ...["-append", "console=ttyS0 mimus.modules=virtio_mmio,virtio_blk", "-qmp", `unix:${monitor},server=on,wait=off`],
    ...disk,
  ]);
  await new LinuxShell(machine).ready(10 * MINUTES);
  return { machine, qmp: await Qmp.ready(monitor) };
}

describe.skipIf(missing)(
  "disks of a running machine (needs 'pnpm guests', libnbd-bin, qemu-utils)",
  { timeout: 30 * MINUTES },
  () => {
    test("backup and mirror while the guest writes", async () => {
      const disk = join(home, "disk.qcow2");
      execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "32M"]);
      const { machine, qmp } = await boot("copies", [
        ...["-blockdev", `driver=qcow2,node-name=disk,file.driver=file,file.filename=${disk}`],
        ...["-device", "virtio-blk-device,drive=disk"],
      ]);
      await machine.type(
        "while :; do dd if=/dev/urandom of=/dev/vda bs=4k count=20 seek=$((RANDOM % 8000)) conv=notrunc,fsync 2>/dev/null; done &\n",
      );
      const target = async (name: string): Promise<string> => {
        const path = join(home, `${name}.raw`);
        execFileSync("qemu-img", ["create", "-q", "-f", "raw", path, "32M"]);
        const node = { driver: "raw", "node-name": name, file: { driver: "file", filename: path } };
        expect(await qmp.ask("blockdev-add", node)).toEqual({});
        return path;
      };
      const written = async (): Promise<number> => {
        const [stats] = (await qmp.ask("query-blockstats")) as { stats: { wr_operations: number } }[];
        return stats?.stats.wr_operations ?? 0;
      };
      const moreWritten = async (): Promise<void> => {
        const before = await written();
        for (let n = 0; n < 600 && (await written()) < before + 20; n++) await new Promise((r) => setTimeout(r, 100));
        expect(await written()).toBeGreaterThanOrEqual(before + 20);
      };
      await moreWritten();

      // What the disk is at the moment of the backup's start, read through an export while the machine stands.
      expect(await qmp.ask("stop")).toEqual({});
      await qmp.event("STOP", MINUTES);
      const socket = join(home, "nbd");
      expect(await qmp.ask("nbd-server-start", { addr: { type: "unix", data: { path: socket } } })).toEqual({});
      expect(await qmp.ask("block-export-add", { type: "nbd", id: "e", "node-name": "disk", name: "e" })).toEqual({});
      const then = join(home, "then.raw");
      expect(await runBeside("nbdcopy", [`nbd+unix:///e?socket=${socket}`, then], 2 * MINUTES)).toMatchObject({
        status: 0,
      });
      expect(await qmp.ask("nbd-server-stop")).toEqual({});
      const backup = await target("backup");
      const job = { "job-id": "b", device: "disk", target: "backup", sync: "full", speed: 8 << 20 };
      expect(await qmp.ask("blockdev-backup", job)).toEqual({});
      expect(await qmp.ask("cont")).toEqual({});
      await moreWritten();
      await qmp.event("BLOCK_JOB_COMPLETED", 5 * MINUTES);
      expect(await qmp.ask("blockdev-del", { "node-name": "backup" })).toEqual({});
      execFileSync("qemu-img", ["compare", "-f", "raw", "-F", "raw", then, backup]);

      // The guest goes on while it is copied, and then on the copy.
      const mirror = await target("mirror");
      expect(
        await qmp.ask("blockdev-mirror", { "job-id": "m", device: "disk", target: "mirror", sync: "full" }),
      ).toEqual({});
      await qmp.event("BLOCK_JOB_READY", 5 * MINUTES);
      await moreWritten();
      expect(await qmp.ask("stop")).toEqual({});
      await qmp.event("STOP", MINUTES);
      expect(await qmp.ask("block-job-complete", { device: "m" })).toEqual({});
      await qmp.event("BLOCK_JOB_COMPLETED", 5 * MINUTES);
      expect(await qmp.ask("blockdev-del", { "node-name": "disk" })).toEqual({});
      execFileSync("qemu-img", ["check", "-q", disk]);
      execFileSync("qemu-img", ["compare", "-U", "-f", "qcow2", "-F", "raw", disk, mirror]);
      expect(await qmp.ask("cont")).toEqual({});
      await moreWritten();
      expect(JSON.stringify(await qmp.ask("query-block"))).toContain("mirror.raw");
      expect(await qmp.ask("quit")).toEqual({});
      expect(await machine.exit(MINUTES)).toBe(0);
      expect(() =>
        execFileSync("qemu-img", ["compare", "-f", "qcow2", "-F", "raw", disk, mirror], { stdio: "ignore" }),
      ).toThrow();
    });

    const full = join(tmpdir(), `mimus-full-${process.pid}`);
    const mounted = ((): boolean => {
      if (missing) return false;
      try {
        mkdirSync(full);
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", full], { stdio: "ignore" });
        return true;
      } catch {
        process.stderr.write("skipped: a full file system needs the right to mount one\n");
        return false;
      }
    })();
    afterAll(() => {
      if (mounted) execFileSync("umount", ["-l", full]);
      if (existsSync(full)) rmSync(full, { recursive: true });
    });

    test.skipIf(!mounted)(
      "a full file system stops the machine, and with room it goes on; or the guest is told",
      async () => {
        const filler = join(full, "filler");
        const write =
          "dd if=/dev/zero bs=64k count=256 2>/dev/null | tr '\\0' x | dd of=/dev/vda bs=64k conv=fsync 2>&1; echo ENDED-$?\n";
        for (const policy of ["enospc", "report"]) {
          const disk = join(full, "disk.qcow2");
          execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "32M"]);
          writeFileSync(filler, new Uint8Array(16 << 20));
          const drive = [
            "-drive",
            `file=${disk},format=qcow2,if=none,id=d0,werror=${policy}`,
            "-device",
            "virtio-blk-device,drive=d0",
          ];
          const { machine, qmp } = await boot(policy, drive);
          await machine.type(write);
          const action = policy === "report" ? "report" : "stop";
          expect(await qmp.event("BLOCK_IO_ERROR", 3 * MINUTES)).toMatchObject({
            data: { device: "d0", operation: "write", action, nospace: true },
          });
          if (action === "report") {
            await machine.waitFor("I/O error", 2 * MINUTES);
            // What the image itself still has to write needs room, too.
            rmSync(filler);
          } else {
            await qmp.event("STOP", MINUTES);
            expect(await qmp.ask("query-status")).toMatchObject({ status: "io-error", running: false });
            expect(JSON.stringify(await qmp.ask("query-block"))).toContain('"io-status":"nospace"');
            // Still full: it stops again.
            expect(await qmp.ask("cont")).toEqual({});
            await qmp.event("RESUME", MINUTES);
            await qmp.event("STOP", MINUTES);
            rmSync(filler);
            expect(await qmp.ask("cont")).toEqual({});
            await machine.waitFor("ENDED-0", 3 * MINUTES);
          }
          expect(await qmp.ask("quit")).toEqual({});
          expect(await machine.exit(MINUTES)).toBe(0);
          execFileSync("qemu-img", ["check", "-q", disk]);
          if (action === "stop") {
            const io = execFileSync("qemu-io", ["-r", "-c", "read -P 0x78 0 16M", disk], { encoding: "utf8" });
            expect(io).not.toMatch(/failed/);
          }
          rmSync(disk);
          rmSync(filler, { force: true });
        }
      },
    );
  },
);
