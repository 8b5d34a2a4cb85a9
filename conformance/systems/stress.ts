/** stress-ng and fio with verification in a Debian system: errors, the disk's contents, and the machine's memory over time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { copyDisk, debianSystem, fsck } from "./debian.ts";
import { DebianGuest } from "./guest.ts";
import type { Architecture } from "./recipe.ts";

export interface StressOptions {
  readonly architecture: Architecture;
  readonly bus: "ide" | "virtio";
  readonly cpus: number;
  readonly minutes: number;
  readonly qemu?: boolean;
  readonly icount?: number;
}

/** What was seen. */
export interface StressResult {
  /** The last lines of stress-ng and fio. */
  readonly summary: string;
  /** Resident MiB of the process, four times a minute. */
  readonly rssMiB: readonly number[];
  /** Mean of the last third over the mean of the second, 1: flat. The first third is translation. */
  readonly growth: number;
  readonly fsck: number;
  /** Complaints of the kernel: errors of disks and file systems, stalls. */
  readonly complaints: string;
}

const STRESSORS = "--cpu 1 --vm 1 --vm-bytes 64M --switch 1 --pipe 1 --hdd 1 --hdd-bytes 16M --matrix 1 --qsort 1";
const JOB =
  "--name=verify --filename=/root/fio.data --size=48M --rw=randrw --bsrange=4k-128k --direct=1 --ioengine=libaio --iodepth=8 " +
  "--verify=crc32c --verify_fatal=1 --verify_backlog=128 --randrepeat=0 --time_based --group_reporting";

export async function stress(
  { minutes, ...o }: StressOptions,
  log: (line: string) => void = () => {},
): Promise<StressResult> {
  const system = debianSystem(o.architecture, log);
  const folder = mkdtempSync(join(tmpdir(), "mimus-stress-"));
  const disk = join(folder, "disk.img");
  copyDisk(system.disk, disk);
  const guest = new DebianGuest({ ...o, by: "kernel", memory: 768, system, disk });
  const rssMiB: number[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  try {
    const seconds = await guest.login(30);
    log(
      `login after ${seconds.toFixed(0)} s, ${(await guest.console.usage())?.cpuSeconds.toFixed(0) ?? "?"} s of processor time`,
    );
    await guest.run("dd if=/dev/urandom of=/root/data bs=1M count=24 status=none; sha256sum /root/data >/root/sum", 15);
    timer = setInterval(() => {
      void guest.console.usage().then((usage) => {
        if (usage !== undefined) rssMiB.push(Math.round(usage.rssMiB));
      });
    }, 15_000);
    const runtime = Math.round(minutes * 60);
    const jobs = [
      `(stress-ng --verify --metrics-brief --timeout ${runtime}s ${STRESSORS} >/tmp/stress 2>&1; echo $? >/tmp/stress.status)`,
      `(fio ${JOB} --runtime=${runtime} >/tmp/fio 2>&1; echo $? >/tmp/fio.status)`,
    ];
    await guest.run(`${jobs.join(" & ")} & wait`, 4 * minutes + 30);
    clearInterval(timer);
    const summary = await guest.run("grep -v metrc: /tmp/stress; grep -E 'err=|READ:|WRITE:' /tmp/fio");
    log(summary);
    await guest.run("test $(cat /tmp/stress.status) = 0 && test $(cat /tmp/fio.status) = 0");
    await guest.run("! grep -Ei 'fail|unsuccessful run' /tmp/stress");
    await guest.run("sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum -c --quiet /root/sum", 15);
    const complaints = await guest.run(
      "dmesg | grep -Ei 'I/O error|EXT4-fs error|ata[0-9].*(error|failed|exception)|BUG:|\\bOops\\b|rcu.*stall|soft lockup' || true",
    );
    await guest.poweroff("command");
    return { summary, rssMiB, growth: growthOf(rssMiB), fsck: fsck(disk).status, complaints: complaints.trim() };
  } catch (error) {
    log(guest.console.log.slice(-3000));
    throw error;
  } finally {
    clearInterval(timer);
    guest.console.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function growthOf(samples: readonly number[]): number {
  const third = Math.floor(samples.length / 3);
  if (third === 0) return 1;
  const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0) / part.length;
  return mean(samples.slice(-third)) / mean(samples.slice(third, 2 * third));
}
