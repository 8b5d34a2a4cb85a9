/**
 * Debian's amd64 kernel with two vCPUs, each on a thread of its own. Counters under locks, the order of loads and stores, code
 * that one vCPU changes for the other, disks while both compute; stop, cont, registers and a reset.
 *
 *   pnpm smp [--cpus N] [--thread multi|single] [--only counters|orders|code] [--patience N] [--verbose]
 *
 * --only runs that part of threads.c alone; --patience N waits N times as long; --verbose prints the console at the end.
 */
import { execFileSync } from "node:child_process";
import { createHash, randomFillSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { commandLine } from "../lib/command-line.ts";
import { initramfsWith } from "../bench/guest-shell.ts";
import { Console } from "../lib/console.ts";
import { LinuxShell } from "../lib/linux-shell.ts";
import { guest, startMimus } from "../lib/mimus.ts";

const DISK_MIB = 16;
/** Of the disk, in the order in which they are loaded. */
const MODULES = ["virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"];

const { values } = commandLine(import.meta.filename, {
  options: {
    cpus: { type: "string", default: "2" },
    thread: { type: "string", default: "multi" },
    patience: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    verbose: { type: "boolean", default: false },
  },
});
const minutes = 60_000 * Number(values.patience);
let failures = 0;

function check(what: string, ok: boolean, detail = ""): void {
  if (!ok) failures++;
  console.log(`${ok ? "ok " : "BAD"} ${what}${detail === "" ? "" : `: ${detail}`}`);
}

const folder = mkdtempSync(join(tmpdir(), "mimus-smp-"));
try {
  const kernel = guest("amd64/linux");
  const initramfs = guest("amd64/initramfs.gz");
  if (kernel === undefined || initramfs === undefined) throw new Error("no amd64 guest: run 'pnpm guests pc'");
  const program = join(folder, "threads");
  const source = join(import.meta.dirname, "threads.c");
  execFileSync("gcc", ["-O2", "-static", "-pthread", "-Wno-strict-aliasing", "-o", program, source]);
  const initrd = join(folder, "initramfs");
  const modules = MODULES.map((name) => [`modules/${name}.ko`, guest(`amd64/modules/${name}.ko`) ?? ""]);
  await initramfsWith({ "bin/threads": program, ...Object.fromEntries(modules) }, initrd, initramfs);
  const disk = join(folder, "disk.img");
  const bytes = randomFillSync(Buffer.alloc(DISK_MIB * 2 ** 20));
  writeFileSync(disk, bytes);
  const machine = startMimus([
    "system-x86_64", "-m", "256", "-smp", values.cpus, "-accel", `tcg,thread=${values.thread}`, "-nographic", "-vga", "none",
    "-kernel", kernel, "-initrd", initrd, "-append", `console=ttyS0 mimus.modules=${MODULES.join(",")}`, "-drive", `file=${disk},format=raw,if=virtio,readonly=on`,
  ]); // prettier-ignore
  const shell = new LinuxShell(machine);
  const ms = await shell.ready(5 * minutes, "x86_64");
  check("boots to the shell", true, `${(ms / 1000).toFixed(1)} s`);
  const online = (await shell.run("nproc", minutes)).trim();
  check("nproc", online === values.cpus, online);

  const printed = await shell.run(`threads ${values.only}; true`, 20 * minutes);
  for (const line of printed
    .replaceAll("\r", "")
    .split("\n")
    .filter((l) => /^(ok|BAD) /.test(l)))
    check(line.slice(3).trim(), line.startsWith("ok "));
  check("all of threads.c", printed.includes("threads done: ok"));

  const usage = await machine.usage();
  const busy =
    "for c in 0 1; do taskset $((c+1)) sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done' & done; wait";
  const began = performance.now();
  await shell.run(busy, 10 * minutes);
  const after = await machine.usage();
  const share = ((after?.cpuSeconds ?? 0) - (usage?.cpuSeconds ?? 0)) / ((performance.now() - began) / 1000);
  console.log(`    two loops took ${share.toFixed(2)} processors of the host`);

  const wanted = createHash("md5").update(bytes).digest("hex");
  const sums = await shell.run(
    "sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done' & " +
      "for c in 1 2 1 2; do taskset $c md5sum /dev/vda; echo 3 > /proc/sys/vm/drop_caches; done; wait",
    10 * minutes,
  );
  const found = sums.match(/[0-9a-f]{32}/g) ?? [];
  check("disk while both compute", found.length === 4 && found.every((sum) => sum === wanted), found.join(" "));

  await machine.type("threads counters &\n");
  await machine.type("\x01c");
  await machine.waitFor("(qemu)", minutes);
  await machine.type("info cpus\ninfo registers -a\nstop\ninfo status\ninfo registers -a\ncont\ninfo status\n");
  await machine.waitFor("VM status: running", minutes);
  check("stop, registers of both, cont", machine.log.includes("VM status: paused"));
  await machine.type("\x01c\n");
  await machine.waitFor(/threads done: ok/, 10 * minutes);
  const wrong = machine.log.match(/Oops|BUG:|soft lockup|rcu_sched self-detected|WARNING: CPU/);
  check("the kernel has nothing to complain of", wrong === null, wrong?.[0]);
  const seen = machine.log.length;
  await machine.type("\x01c");
  await machine.type("system_reset\n\x01c");
  await shell.ready(5 * minutes, "x86_64");
  check("starts again after a reset", machine.log.slice(seen).includes("SeaBIOS"));
  check("nproc after it", (await shell.run("nproc", minutes)).trim() === values.cpus);
  check("powers off with status 0", (await shell.powerOff(minutes)) === 0);
  if (values.verbose) console.log(machine.log);
} catch (error) {
  failures++;
  console.error(error instanceof Error ? error.message : error);
} finally {
  Console.killAll();
  rmSync(folder, { recursive: true });
}
process.exitCode = failures === 0 ? 0 : 1;
