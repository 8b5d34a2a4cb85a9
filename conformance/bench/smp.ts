/** A parallel job in a guest with one and with two processors, each of which has a thread of the host. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { GuestShell, initramfsWith } from "./guest-shell.ts";
import { parseSample } from "./kernels.ts";
import type { Platform } from "./platform.ts";
import { median } from "./stats.ts";
import { atLeast, figure, type Row } from "./table.ts";
import { BenchError, compile, needGuest, progress } from "./tools.ts";

/** Units of guests/parallel.c: some ten seconds on one emulated processor. */
const UNITS = 600;
const SETTLE = 60;

/** Two processes that work, with one processor and with two. Both have to get the same sum. */
export async function parallel(rounds: number, platform: Platform): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const initrd = join(folder, "initramfs");
  const seconds = new Map<string, number[]>();
  const sums = new Set<string>();
  try {
    const programs = { "bin/parallel": await compile("parallel", platform.isa) };
    await initramfsWith(programs, initrd, needGuest(`${platform.name}/initramfs.gz`));
    for (let round = 0; round < rounds; round++)
      for (const who of ["qemu", "ours"] as const)
        for (const processors of [1, 2]) {
          // The last -smp counts. One processor has what it has by default.
          const extra = processors === 1 ? [] : ["-smp", `${processors}`, "-accel", "tcg,thread=multi"];
          const shell = await GuestShell.boot(platform, who, initrd, extra);
          try {
            const online = /^(\d+)\r?$/m.exec(await shell.run("grep -c ^processor /proc/cpuinfo", 60_000))?.[1];
            if (online !== `${processors}`) throw new BenchError("failed", `${who} has ${online} processors on line`);
            await shell.run(`parallel 2 ${SETTLE}`, 300_000);
            const { ns, checksum } = parseSample("parallel", await shell.run(`parallel 2 ${UNITS}`, 600_000));
            sums.add(checksum);
            const key = `${who} ${processors}`;
            seconds.set(key, [...(seconds.get(key) ?? []), ns / 1e9]);
            progress(`round ${round + 1} ${who}: ${processors} processors ${figure(ns / 1e9)} s`);
          } finally {
            await shell.close();
          }
        }
  } finally {
    await rm(folder, { recursive: true });
  }
  if (sums.size !== 1) throw new BenchError("failed", `sums differ: ${[...sums].join(", ")}`);
  const of = (who: string, processors: number): number => median(seconds.get(`${who} ${processors}`) ?? []);
  const gain = (who: string): number => of(who, 1) / of(who, 2);
  const what = `${platform.name}, two integer jobs`;
  const times = (processors: number): Row => ({
    what: `${what}, ${processors === 1 ? "one processor" : "two processors, thread=multi"}`,
    unit: "s",
    ours: of("ours", processors),
    qemu: of("qemu", processors),
    better: "less",
  });
  return [
    times(1),
    times(2),
    {
      what: `${what}: two processors against one`,
      unit: "times",
      ours: gain("ours"),
      qemu: gain("qemu"),
      better: "more",
      bar: atLeast("ours at least 1.8", gain("ours"), 1.8),
    },
  ];
}
