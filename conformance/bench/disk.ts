/** Rates of disks, read in the guest. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { GuestShell, initramfsWith } from "./guest-shell.ts";
import { type Platform, RISCV64 } from "./platform.ts";
import { median } from "./stats.ts";
import { atLeast, figure, type Row } from "./table.ts";
import { BenchError, compile, needGuest, progress } from "./tools.ts";

interface Job {
  readonly what: string;
  readonly unit: "MiB/s" | "a second";
  readonly command: string;
  /** What `dd` reads: it prints the time alone. */
  readonly mebibytes?: number;
  /** Ours has to be at least this share of QEMU's. */
  readonly bar?: number;
}

/** MiB of each disk: more than the guest's memory holds. */
const MEBIBYTES = 1024;
/** MiB that are read while the guest's code is still cold: they have a line of their own. */
const COLD = 256;

const jobs = ({ name, node, direct }: Disk): Job[] => [
  {
    what: `${name}, first ${COLD} MiB through the page cache`,
    unit: "MiB/s",
    command: `time dd if=${node} of=/dev/null bs=1M count=${COLD}`,
    mebibytes: COLD,
  },
  {
    what: `${name}, sequential read through the page cache`,
    unit: "MiB/s",
    command: `time dd if=${node} of=/dev/null bs=1M skip=${COLD}`,
    mebibytes: MEBIBYTES - COLD,
    bar: 0.5,
  },
  {
    what: `${name}, read, 1 MiB, past the page cache`,
    unit: "MiB/s",
    command: `blk read ${node} 1048576 ${MEBIBYTES}`,
    ...(direct === undefined ? {} : { bar: direct }),
  },
  {
    what: `${name}, write, 1 MiB, past the page cache`,
    unit: "MiB/s",
    command: `blk write ${node} 1048576 ${MEBIBYTES}`,
  },
  {
    what: `${name}, random read, 4 KiB, past the page cache`,
    unit: "a second",
    command: `blk random ${node} 4096 4000`,
  },
];

/** A disk of a machine. */
interface Disk {
  readonly name: string;
  /** Its node in the guest. */
  readonly node: string;
  readonly args: (image: string) => readonly string[];
  /** The share of QEMU's rate that reads past the page cache have to reach. */
  readonly direct?: number;
}

/** The disks of a platform; modules are loaded in this order, and those of `files` are added to the initramfs. */
interface Disks {
  readonly disks: readonly Disk[];
  readonly initramfs: string;
  readonly modules: readonly string[];
  readonly files: readonly string[];
}

const virtio = (device: string): Disk => ({
  name: "virtio-blk",
  node: "/dev/vda",
  args: (image) => ["-drive", `file=${image},format=raw,if=none,id=d0`, "-device", `${device},drive=d0`],
});
const VIRT: Disks = {
  disks: [virtio("virtio-blk-device")],
  initramfs: "riscv64/initramfs-modules.gz",
  modules: ["virtio_mmio", "virtio_blk"],
  files: [],
};
const PC_MODULES: readonly string[] = [
  ...["virtio", "virtio_ring", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"],
  ...["scsi_common", "scsi_mod", "libata", "sd_mod", "ata_piix"],
];
const PC: Disks = {
  disks: [
    { ...virtio("virtio-blk-pci"), direct: 0.5 },
    { name: "IDE", node: "/dev/sda", args: (image) => ["-drive", `file=${image},format=raw,if=ide`], direct: 0.5 },
  ],
  initramfs: "amd64/initramfs.gz",
  modules: PC_MODULES,
  files: PC_MODULES,
};

/** What a job printed, in its unit. @throws BenchError when it is none of the two forms */
export function parseRate({ unit, mebibytes }: Pick<Job, "unit" | "mebibytes">, text: string): number {
  const blk = /^blk ([\d.]+) (\d+)\r?$/m.exec(text);
  if (blk) return Number(unit === "MiB/s" ? blk[1] : blk[2]);
  const dd = /real\s+(?:(\d+)m )?([\d.]+)s/.exec(text);
  if (dd && mebibytes !== undefined) return mebibytes / (Number(dd[1] ?? 0) * 60 + Number(dd[2]));
  throw new BenchError("failed", `no rate in ${JSON.stringify(text.slice(-200))}`);
}

export async function diskRates(rounds: number, platform: Platform): Promise<Row[]> {
  const { disks, initramfs, modules, files } = platform === RISCV64 ? VIRT : PC;
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const initrd = join(folder, "initramfs");
  const noise = new Uint8Array(MEBIBYTES << 20);
  for (let i = 0; i < noise.length; i += 61) noise[i] = i;
  const image = (i: number): string => join(folder, `disk${i}.img`);
  const extra = disks.flatMap(({ args }, i) => args(image(i)));
  const rates = disks.flatMap(jobs).map((job) => ({ job, ours: [] as number[], qemu: [] as number[] }));
  try {
    for (const i of disks.keys()) await writeFile(image(i), noise);
    const programs = {
      "bin/blk": await compile("blk", platform.isa),
      ...Object.fromEntries(
        files.map((name) => [`modules/${name}.ko`, needGuest(`${platform.name}/modules/${name}.ko`)]),
      ),
    };
    await initramfsWith(programs, initrd, needGuest(initramfs));
    for (let round = 0; round < rounds; round++)
      for (const name of ["qemu", "ours"] as const) {
        const shell = await GuestShell.boot(platform, name, initrd, extra, `mimus.modules=${modules.join(",")}`);
        try {
          for (const rate of rates) {
            const value = parseRate(rate.job, await shell.run(rate.job.command, 300_000));
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
    const row: Row = { what: job.what, unit: job.unit, ours, qemu, better: "more" };
    if (job.bar === undefined) return row;
    return { ...row, bar: atLeast(`at least ${job.bar} times QEMU's`, ours, job.bar * qemu) };
  });
}
