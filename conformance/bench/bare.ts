/** Traps, privileged instructions, device registers and interrupts without an operating system, in nanoseconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { contenders, type Peer, peersOf, type Platform, RISCV64, startV86 } from "./platform.ts";
import { median } from "./stats.ts";
import { asFast, figure, type Row } from "./table.ts";
import { BenchError, need, output, progress } from "./tools.ts";

interface Cost {
  /** As the guest program prints it. */
  readonly name: string;
  readonly what: string;
  /** It has to be as fast as QEMU's. */
  readonly bar?: true;
}

/** A program without an operating system, and how each machine starts it. */
interface Program {
  readonly source: string;
  readonly script: string;
  readonly compiler: string;
  readonly flags: string;
  readonly costs: readonly Cost[];
  readonly args: (image: string) => readonly string[];
}

const VIRT: Program = {
  source: "privileged.c",
  script: "bare.ld",
  compiler: "riscv64-linux-gnu-gcc",
  flags: "-march=rv64gc -mabi=lp64d -mcmodel=medany",
  costs: [
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
  ],
  args: (image) => ["-M", "virt", "-nographic", "-bios", image],
};

const PC: Program = {
  source: "privileged-pc.c",
  script: "pc.ld",
  compiler: "i686-linux-gnu-gcc",
  flags: "-march=i686 -fno-stack-protector",
  costs: [
    { name: "port-read", what: "port read, 8 bits (serial port)", bar: true },
    { name: "port-write", what: "port write, 8 bits (port 0x80)", bar: true },
    { name: "port-read-32", what: "port read, 32 bits (PCI configuration)", bar: true },
    { name: "vga-write", what: "write into the text screen", bar: true },
    { name: "hpet-read", what: "HPET register read", bar: true },
    { name: "hpet-write", what: "HPET register write", bar: true },
    { name: "ioapic-read", what: "I/O APIC register read", bar: true },
    { name: "ioapic-write", what: "I/O APIC register write", bar: true },
    { name: "lapic-read", what: "local APIC register read", bar: true },
    { name: "lapic-write", what: "local APIC register write", bar: true },
    { name: "int-iret", what: "INT and IRET within ring 0", bar: true },
    { name: "user-int", what: "INT from ring 3 and IRET", bar: true },
    { name: "user-sysenter", what: "SYSENTER and SYSEXIT", bar: true },
    { name: "page-fault", what: "page fault, mapping and return", bar: true },
    { name: "invlpg", what: "INVLPG" },
    { name: "cr3-write", what: "write of CR3" },
    { name: "cpuid", what: "CPUID" },
    { name: "rdtsc", what: "RDTSC" },
    { name: "self-ipi", what: "interrupt to itself, round trip", bar: true },
    { name: "apic-timer", what: "local APIC timer round trip, due 1 us ahead", bar: true },
    { name: "pit", what: "timer interrupt round trip through the PIC, due 1.7 us ahead", bar: true },
  ],
  args: (image) => ["-M", "pc", "-m", "64", "-nographic", "-kernel", image],
};

const GUESTS = join(import.meta.dirname, "guests");
const FLAGS = "-O2 -ffreestanding -nostdlib -static -fno-pic -no-pie";

/** Nanoseconds by name: the medians of the rounds that the program printed, the first of which warms up. */
function parseCosts(text: string): Map<string, number> {
  const rounds = new Map<string, number[]>();
  for (const [, name = "", ps] of text.matchAll(/^([a-z0-9-]+) (\d+)\r?$/gm)) {
    const values = rounds.get(name) ?? [];
    rounds.set(name, values);
    values.push(Number(ps) / 1000);
  }
  return new Map([...rounds].map(([name, values]) => [name, median(values.length > 1 ? values.slice(1) : values)]));
}

async function build({ source, script, compiler, flags }: Program, image: string): Promise<void> {
  const link = `-Wl,--build-id=none,--no-warn-rwx-segments,-T,${join(GUESTS, script)}`;
  const options = [...FLAGS.split(" "), ...flags.split(" "), link];
  await output([need(compiler), ...options, "-o", image, join(GUESTS, source), "-lgcc"], 60_000);
}

/** Builds the program, and runs it on all in turn. v86 has no HPET and no APIC. */
export async function bareCosts(rounds: number, platform: Platform): Promise<Row[]> {
  const program = platform === RISCV64 ? VIRT : PC;
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const peers = peersOf(platform);
  const samples = new Map<string, number[]>();
  const of = (who: Peer, cost: Cost): number[] => samples.get(`${who} ${cost.name}`) ?? [];
  try {
    const image = join(folder, "privileged.elf");
    await build(program, image);
    for (let round = 0; round < rounds; round++)
      for (const who of peers) {
        const machine =
          who === "v86" ? startV86(["64", image, "--multiboot"]) : contenders(platform)[who].start(program.args(image));
        if (who === "v86") await machine.waitFor("done", 240_000).finally(() => machine.kill());
        await machine.exit(240_000);
        const costs = parseCosts(machine.log);
        for (const cost of program.costs) {
          const ns = costs.get(cost.name);
          if (ns !== undefined) samples.set(`${who} ${cost.name}`, [...of(who, cost), ns]);
          else if (who !== "v86")
            throw new BenchError(
              "failed",
              `${who} printed no ${cost.name}: ${JSON.stringify(machine.log.slice(-300))}`,
            );
        }
        progress(`round ${round + 1}, ${who}: ${[...costs].map(([key, ns]) => `${key} ${figure(ns)}`).join(", ")}`);
      }
  } finally {
    await rm(folder, { recursive: true });
  }
  return program.costs.map((cost) => {
    const [ours, qemu] = [median(of("ours", cost)), median(of("qemu", cost))];
    const v86 = peers.includes("v86") && of("v86", cost).length > 0 ? { v86: median(of("v86", cost)) } : {};
    const row: Row = { what: cost.what, unit: "ns", ours, qemu, ...v86, better: "less" };
    return cost.bar === undefined ? row : { ...row, bar: asFast(ours, qemu) };
  });
}
