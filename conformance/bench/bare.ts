/** Traps, CSR accesses, fences, device registers and timer interrupts on the bare "virt" machine, in nanoseconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { contenders, RISCV64 } from "./platform.ts";
import { median } from "./stats.ts";
import { figure, type Row } from "./table.ts";
import { BenchError, need, output, progress } from "./tools.ts";

/** What the guest program measures, by the names that it prints; those with a bar have to be as fast as QEMU's. */
const FIGURES: readonly { readonly name: string; readonly what: string; readonly bar?: true }[] = [
  { name: "csr-mscratch", what: "CSR read and write (mscratch)", bar: true },
  { name: "csr-mepc", what: "CSR read and write (mepc)", bar: true },
  { name: "csr-mstatus", what: "CSR set and clear of a bit (mstatus)", bar: true },
  { name: "csr-mie", what: "CSR read and write (mie)", bar: true },
  { name: "rdtime", what: "CSR read (time)", bar: true },
  { name: "ecall-mret", what: "ecall and return", bar: true },
  { name: "sfence-vma", what: "sfence.vma", bar: true },
  { name: "fence-i", what: "fence.i", bar: true },
  { name: "clint-read", what: "timer register read (mtime)", bar: true },
  { name: "clint-write", what: "interrupt register write (msip)", bar: true },
  { name: "uart-read", what: "serial port register read", bar: true },
  { name: "uart-write", what: "serial port register write", bar: true },
  { name: "timer-irq", what: "timer interrupt round trip, due a tick ahead" },
  { name: "timer-irq-1us", what: "timer interrupt round trip, due 1 us ahead", bar: true },
];

const SOURCE = join(import.meta.dirname, "guests/privileged.c");
const SCRIPT = join(import.meta.dirname, "guests/bare.ld");
const FLAGS = "-O2 -march=rv64gc -mabi=lp64d -mcmodel=medany -ffreestanding -nostdlib -static -fno-pic -no-pie";

/** Nanoseconds by name: the medians of the rounds that the program printed, the first of which warms up. */
export function parseCosts(text: string): Map<string, number> {
  const rounds = new Map<string, number[]>();
  for (const [, name = "", ps] of text.matchAll(/^([a-z0-9-]+) (\d+)\r?$/gm)) {
    const values = rounds.get(name) ?? [];
    rounds.set(name, values);
    values.push(Number(ps) / 1000);
  }
  return new Map([...rounds].map(([name, values]) => [name, median(values.length > 1 ? values.slice(1) : values)]));
}

/** Builds the program, and runs it on both in turn. */
export async function bareCosts(rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const samples = FIGURES.map(() => ({ ours: [] as number[], qemu: [] as number[] }));
  try {
    const image = join(folder, "privileged.elf");
    const link = `-Wl,--build-id=none,--no-warn-rwx-segments,-T,${SCRIPT}`;
    await output([need("riscv64-linux-gnu-gcc"), ...FLAGS.split(" "), link, "-o", image, SOURCE], 60_000);
    for (let round = 0; round < rounds; round++)
      for (const name of ["qemu", "ours"] as const) {
        const machine = contenders(RISCV64)[name].start(["-M", "virt", "-nographic", "-bios", image]);
        await machine.exit(120_000);
        const costs = parseCosts(machine.log);
        FIGURES.forEach((f, i) => {
          const cost = costs.get(f.name);
          if (cost === undefined)
            throw new BenchError("failed", `${name} printed no ${f.name}: ${JSON.stringify(machine.log.slice(-300))}`);
          samples[i]![name].push(cost);
        });
        progress(`round ${round + 1}, ${name}: ${[...costs].map(([key, ns]) => `${key} ${figure(ns)}`).join(", ")}`);
      }
  } finally {
    await rm(folder, { recursive: true });
  }
  return FIGURES.map(({ what, bar }, i) => {
    const ours = median(samples[i]!.ours);
    const qemu = median(samples[i]!.qemu);
    const row: Row = { what, unit: "ns", ours, qemu, better: "less" };
    return bar === undefined ? row : { ...row, bar: { text: "at most QEMU's time", met: ours <= qemu } };
  });
}
