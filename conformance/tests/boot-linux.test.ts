import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, copyFileSync, chmodSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { SHELL_PROMPT } from "../../tools/guests/initramfs.ts";
import { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { guest, oracle, startMimus } from "../lib/mimus.ts";

const kernel = guest("riscv64/linux");
const initrd = guest("riscv64/initramfs.gz");
const initrdWithModules = guest("riscv64/initramfs-modules.gz");
const busybox = guest("riscv64/busybox");
afterEach(() => Console.killAll());

const MINUTES = 60_000;
const missing =
  kernel === undefined || initrd === undefined || initrdWithModules === undefined || busybox === undefined;

function linux(append: string, extra: readonly string[] = [], image = initrd ?? ""): Console {
  const boot = ["-kernel", kernel ?? "", "-initrd", image, "-append", `console=ttyS0 ${append}`];
  return startMimus(["system-riscv64", "-M", "virt", "-m", "512", "-nographic", ...boot, ...extra]);
}

/** The console's text without what differs from run to run: times, addresses of randomised things, CPU frequencies. */
function comparable(log: string): string[] {
  return log
    .replaceAll("\r", "")
    .split("\n")
    .map((line) => line.replace(/^\[\s*\d+\.\d+\] /, "").replaceAll(/\d+\.\d+ ?(?:BogoMIPS|ms|s)\b/g, "TIME"))
    .filter((line) => !/random: crng|clocksource|sched_clock|Calibrating|hctosys|goldfish_rtc|lpj=/.test(line));
}

describe.skipIf(missing)("Debian's Linux (needs 'pnpm guests')", { timeout: 4 * MINUTES }, () => {
  test("boots to a shell, runs commands, powers off with status 0", async () => {
    const machine = linux("");
    await machine.waitFor("OpenSBI v", MINUTES);
    const shell = new LinuxShell(machine);
    await shell.ready(2 * MINUTES);
    await machine.type("uname -m; echo $((6*7)); head -c 1000000 /dev/zero | md5sum\n");
    await machine.waitFor("riscv64\r\n42\r\n879f4bba57ed37c9ec5e5aedf9864698", MINUTES);
    expect(await shell.powerOff(MINUTES)).toBe(0);
  });

  test("sees four processors with -smp 4", async () => {
    const machine = linux("", ["-smp", "4"]);
    const shell = new LinuxShell(machine);
    await shell.ready(3 * MINUTES);
    await machine.type("echo cpus=$(nproc)\n");
    await machine.waitFor("cpus=4", MINUTES);
    expect(await shell.powerOff(MINUTES)).toBe(0);
  });

  test(
    "prints the same console log on the interpreter and on the WebAssembly back end",
    async () => {
      const logs: string[][] = [];
      for (const backend of ["interp", "wasm"]) {
        const machine = linux("nokaslr", [
          "-accel",
          `tcg,backend=${backend}`,
          "-icount",
          "shift=2",
          "-seed",
          "1",
          "-rtc",
          "base=2026-01-01",
        ]);
        await new LinuxShell(machine).ready(4 * MINUTES);
        await machine.type("uname -a; cat /proc/cpuinfo | head -12; poweroff -f\n");
        expect(await machine.exit(MINUTES)).toBe(0);
        logs.push(comparable(machine.log));
      }
      expect(logs[0]).toEqual(logs[1]);
    },
    8 * MINUTES,
  );
});

describe.skipIf(missing || !oracle("mke2fs"))(
  "a root file system on virtio-blk (needs 'pnpm guests', e2fsprogs)",
  () => {
    let folder = "";
    let image = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "mimus-root-"));
      const root = join(folder, "root");
      for (const name of ["bin", "dev", "proc", "sys", "tmp"]) mkdirSync(join(root, name), { recursive: true });
      copyFileSync(busybox ?? "", join(root, "bin/busybox"));
      writeFileSync(
        join(root, "init"),
        `#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin PS1='${SHELL_PROMPT}'\nmount -t proc proc /proc\nmount -t devtmpfs dev /dev\necho ROOT-READY\nexec setsid cttyhack sh\n`,
      );
      chmodSync(join(root, "init"), 0o755);
      image = join(folder, "root.img");
      execFileSync("mke2fs", ["-q", "-t", "ext4", "-d", root, image, "96M"]);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const boot = (): Console =>
      linux(
        "mimus.root=/dev/vda mimus.modules=crc16,mbcache,jbd2,crc32c_generic,ext4,virtio_mmio,virtio_blk",
        ["-drive", `file=${image},format=raw,if=none,id=d0`, "-device", "virtio-blk-device,drive=d0"],
        initrdWithModules,
      );

    test("keeps what was synced through kill -9, and fsck finds it clean", { timeout: 6 * MINUTES }, async () => {
      const first = boot();
      await first.waitFor("ROOT-READY", 3 * MINUTES);
      await first.waitFor(SHELL_PROMPT, MINUTES);
      await first.type(
        "for i in $(seq 200); do echo line $i; done > /precious; dd if=/dev/urandom of=/noise bs=64k count=64 2>/dev/null; md5sum /noise > /noise.md5; sync; echo SYNCED\n",
      );
      await first.waitFor("\nSYNCED", MINUTES);
      await first.type("echo unsynced > /later; dd if=/dev/zero of=/filler bs=64k count=200 2>/dev/null &\n");
      await new Promise((resolve) => setTimeout(resolve, 200));
      first.kill("SIGKILL");
      await first.exit(MINUTES);
      const second = boot();
      await second.waitFor("ROOT-READY", 3 * MINUTES);
      await second.waitFor(SHELL_PROMPT, MINUTES);
      await second.type("wc -l < /precious; md5sum -c /noise.md5; echo CHECKED\n");
      await second.waitFor(/200\r\n\/noise: OK\r\nCHECKED/, MINUTES);
      await second.type("sync; mount -o remount,ro / ; poweroff -f\n");
      expect(await second.exit(MINUTES)).toBe(0);
      execFileSync("e2fsck", ["-f", "-n", image]);
    });

    test("a snapshot leaves the file as it is", { timeout: 4 * MINUTES }, async () => {
      const before = readFileSync(image);
      const machine = linux(
        "mimus.root=/dev/vda mimus.modules=crc16,mbcache,jbd2,crc32c_generic,ext4,virtio_mmio,virtio_blk",
        ["-snapshot", "-drive", `file=${image},format=raw,if=none,id=d0`, "-device", "virtio-blk-device,drive=d0"],
        initrdWithModules,
      );
      await machine.waitFor("ROOT-READY", 3 * MINUTES);
      await machine.waitFor(SHELL_PROMPT, MINUTES);
      await machine.type("echo gone > /gone; sync; poweroff -f\n");
      expect(await machine.exit(MINUTES)).toBe(0);
      expect(readFileSync(image).equals(before)).toBe(true);
    });
  },
);
