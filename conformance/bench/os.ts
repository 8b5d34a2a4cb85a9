/** What Linux in the guest does for a program: system calls, page faults, processes, and port accesses on a PC. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { GuestShell, initramfsWith } from "./guest-shell.ts";
import { parseSample } from "./kernels.ts";
import { type Peer, peersOf, type Platform, RISCV64 } from "./platform.ts";
import { median } from "./stats.ts";
import { asFast, figure, type Row } from "./table.ts";
import { compile, needGuest, output, progress } from "./tools.ts";

interface Service {
  readonly kernel: string;
  readonly what: string;
  /** How often a unit does it. */
  readonly times: number;
  readonly bar?: true;
}

/** Of guests/bench.c. */
const SERVICES: readonly Service[] = [
  { kernel: "syscall", what: "system call (getppid)", times: 20_000, bar: true },
  { kernel: "fault", what: "page fault", times: 2 * 1024, bar: true },
  { kernel: "fork", what: "fork, exit and wait", times: 20 },
  { kernel: "pipe", what: "round trip through two pipes", times: 1000 },
  { kernel: "sleep", what: "nanosleep of 1 us", times: 200 },
];
/** Of guests/portio.c. */
const PORTS: readonly Service[] = [
  { kernel: "inb", what: "port read from a program, 8 bits", times: 20_000, bar: true },
  { kernel: "outb", what: "port write from a program, 8 bits", times: 20_000, bar: true },
  { kernel: "inl", what: "port read from a program, 32 bits", times: 20_000, bar: true },
];

/** Nanoseconds, in one guest after the other. */
export async function services(rounds: number, platform: Platform): Promise<Row[]> {
  const pc = platform !== RISCV64;
  const all = [...SERVICES, ...(pc ? PORTS : [])];
  const peers = peersOf(platform);
  const samples = new Map<string, number[]>();
  const add = (who: string, { kernel, times }: Service, ns: number): void => {
    samples.set(`${who} ${kernel}`, [...(samples.get(`${who} ${kernel}`) ?? []), ns / times]);
  };
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  try {
    const native = await compile("bench", "native");
    const programs = {
      "bin/bench": await compile("bench", platform.isa),
      ...(pc ? { "bin/portio": await compile("portio", platform.isa) } : {}),
    };
    const initrd = join(folder, "initramfs");
    await initramfsWith(programs, initrd, needGuest(`${platform.name}/initramfs.gz`));
    const measured = SERVICES.map(({ kernel }) => kernel).join(" ");
    for (let round = 0; round < rounds; round++) {
      const host = await output([native, "-t", "200", ...measured.split(" ")], 60_000);
      for (const service of SERVICES) add("native", service, parseSample(service.kernel, host).ns);
      for (const who of peers) {
        const printed = await inGuest(platform, who, initrd, measured, pc);
        for (const service of all) add(who, service, parseSample(service.kernel, printed).ns);
        const costs = all.map((s) => `${s.kernel} ${figure(samples.get(`${who} ${s.kernel}`)?.at(-1))}`);
        progress(`round ${round + 1}, ${who}: ${costs.join(", ")} ns`);
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  const of = (who: Peer | "native", { kernel }: Service): number => median(samples.get(`${who} ${kernel}`) ?? []);
  return all.map((service) => {
    const [ours, qemu, native] = [of("ours", service), of("qemu", service), of("native", service)];
    const v86 = peers.includes("v86") ? { v86: of("v86", service) } : {};
    const host = Number.isNaN(native) ? {} : { native };
    const what = `${platform.name} Linux: ${service.what}`;
    const row: Row = { what, unit: "ns", ours, qemu, ...host, ...v86, better: "less" };
    return service.bar === undefined ? row : { ...row, bar: asFast(ours, qemu) };
  });
}

async function inGuest(platform: Platform, who: Peer, initrd: string, kernels: string, pc: boolean): Promise<string> {
  const shell = await GuestShell.boot(platform, who, initrd);
  try {
    const printed = await shell.run(`bench -w 2000 -t 400 ${kernels}`, 300_000);
    return pc ? printed + (await shell.run("portio", 300_000)) : printed;
  } finally {
    await shell.close();
  }
}
