/** Rates of a virtio block device, read in the guest. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { GuestShell, initramfsWith } from "./guest-shell.ts";
import { RISCV64 } from "./platform.ts";
import { median } from "./stats.ts";
import { figure, type Row } from "./table.ts";
import { BenchError, compile, needGuest, progress } from "./tools.ts";

interface Job {
  readonly what: string;
  readonly unit: "MiB/s" | "a second";
  readonly command: string;
  /** Ours has to be at least this share of QEMU's. */
  readonly bar?: number;
}

const jobs = (mebibytes: number): Job[] => [
  {
    what: "sequential read through the page cache",
    unit: "MiB/s",
    command: "time dd if=/dev/vda of=/dev/null bs=1M",
    bar: 0.5,
  },
  { what: "read, 1 MiB, past the page cache", unit: "MiB/s", command: `blk read /dev/vda 1048576 ${mebibytes}` },
  { what: "write, 1 MiB, past the page cache", unit: "MiB/s", command: `blk write /dev/vda 1048576 ${mebibytes}` },
  { what: "random read, 4 KiB, past the page cache", unit: "a second", command: "blk random /dev/vda 4096 4000" },
];

/** What a job printed, in its unit. @throws BenchError when it is none of the two forms */
export function parseRate(job: Pick<Job, "unit">, text: string, mebibytes: number): number {
  const blk = /^blk ([\d.]+) (\d+)\r?$/m.exec(text);
  if (blk) return Number(job.unit === "MiB/s" ? blk[1] : blk[2]);
  const dd = /real\s+(?:(\d+)m )?([\d.]+)s/.exec(text);
  if (dd) return mebibytes / (Number(dd[1] ?? 0) * 60 + Number(dd[2]));
  throw new BenchError("failed", `no rate in ${JSON.stringify(text.slice(-200))}`);
}

/** @param mebibytes size of the disk */
export async function diskRates(rounds: number, mebibytes: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const image = join(folder, "disk.img");
  const initrd = join(folder, "initramfs");
  const noise = new Uint8Array(mebibytes << 20);
  for (let i = 0; i < noise.length; i += 61) noise[i] = i;
  const extra = ["-drive", `file=${image},format=raw,if=none,id=d0`, "-device", "virtio-blk-device,drive=d0"];
  const rates = jobs(mebibytes).map((job) => ({ job, ours: [] as number[], qemu: [] as number[] }));
  try {
    await writeFile(image, noise);
    const programs = { "bin/blk": await compile("blk", "riscv64") };
    await initramfsWith(programs, initrd, needGuest("riscv64/initramfs-modules.gz"));
    for (let round = 0; round < rounds; round++)
      for (const name of ["qemu", "ours"] as const) {
        const shell = await GuestShell.boot(RISCV64, name, initrd, extra, "mimus.modules=virtio_mmio,virtio_blk");
        try {
          for (const rate of rates) {
            const value = parseRate(rate.job, await shell.run(rate.job.command, 300_000), mebibytes);
            rate[name].push(value);
            progress(`round ${round + 1} ${name}: ${rate.job.what} ${figure(value)} ${rate.job.unit}`);
          }
        } finally {
          await shell.close();
        }
      }
  } finally {
    await rm(folder, { recursive: true });
  }
  return rates.map(({ job, ...of }) => {
    const [ours, qemu] = [median(of.ours), median(of.qemu)];
    const row: Row = { what: `virtio-blk, ${job.what}`, unit: job.unit, ours, qemu, better: "more" };
    if (job.bar === undefined) return row;
    return { ...row, bar: { text: `at least ${job.bar} times QEMU's`, met: ours >= job.bar * qemu } };
  });
}
