/**
 * The kernels of guests/bench.c under a user-mode emulator and inside a booted guest. Each run of a kernel is a process
 * of its own: one unit, then units until the warm-up has passed, then units until the window has passed, by the clock
 * that the program sees. Contenders take turns within a round, so that a machine that slows down slows all of them.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { KernelPage } from "../web/kernel-page.ts";
import { needChromium } from "./browser.ts";
import { GuestShell, initramfsWith } from "./guest-shell.ts";
import { type Peer, peersOf, type Platform } from "./platform.ts";
import { type ContenderName, CONTENDERS, type KernelSamples, type Sample } from "./stats.ts";
import { BenchError, compile, emulators, need, needGuest, output, progress } from "./tools.ts";

export interface KernelOptions {
  readonly kernels: readonly string[];
  readonly rounds: number;
  /** Milliseconds of untimed work before the window. */
  readonly warmUp: number;
  /** Milliseconds of the timed window. */
  readonly window: number;
  /** Processor time in place of real time: for a busy machine. In a guest, that of the emulator. */
  readonly cpuTime: boolean;
}

const benchArgs = ({ warmUp, window, cpuTime }: KernelOptions, kernel: string): string[] => [
  "-w",
  `${warmUp}`,
  "-t",
  `${window}`,
  ...(cpuTime ? ["-c", "1"] : []),
  kernel,
];

/** A process that hangs is given up after this; slow contenders need long for the first unit. */
const LONGEST = 180_000;

/** The line that guests/bench.c prints for a kernel. @throws BenchError when there is none */
export function parseSample(kernel: string, text: string): Sample {
  for (const line of text.split(/\r?\n/)) {
    const found = /^(\w+) (\d+) (\d+) ([0-9a-f]{8})$/.exec(line.trim());
    if (found?.[1] === kernel && Number(found[2]) > 0)
      return { ns: Number(found[2]), units: Number(found[3]), checksum: found[4] ?? "" };
  }
  throw new BenchError("failed", `no line for '${kernel}' in ${JSON.stringify(text.trim().slice(-200))}`);
}

type Sampled = (Sample | undefined)[];

/** Collects samples round by round. */
class Collector {
  readonly #kernels: Map<
    string,
    { samples: Record<(typeof CONTENDERS)[number], Sampled> & { v86?: Sampled }; failures: string[] }
  >;

  constructor(kernels: readonly string[]) {
    this.#kernels = new Map(
      kernels.map((kernel) => [kernel, { samples: { native: [], qemu: [], ours: [] }, failures: [] }]),
    );
  }

  async take(round: number, kernel: string, name: ContenderName, measure: () => Promise<Sample>): Promise<void> {
    const of = this.#kernels.get(kernel);
    if (of === undefined) return;
    try {
      const sample = await measure();
      (of.samples[name] ??= [])[round] = sample;
      progress(`round ${round + 1} ${kernel.padEnd(8)} ${name.padEnd(6)} ${(sample.ns / 1e6).toFixed(3)} ms`);
    } catch (error) {
      const line = `${name}: ${(error as Error).message}`;
      of.failures.push(line);
      progress(`round ${round + 1} ${kernel.padEnd(8)} ${line}`);
    }
  }

  all(): KernelSamples[] {
    return [...this.#kernels].map(([kernel, { samples, failures }]) => ({ kernel, samples, failures }));
  }
}

/** Runs our side of a kernel with the arguments of guests/bench.c. @returns what it printed */
type RunOurs = (args: readonly string[], timeoutMs: number) => Promise<string>;

/** Natively, under qemu-riscv64-static, and as `ours` runs it. */
async function inUserMode(options: KernelOptions, program: string, ours: RunOurs): Promise<KernelSamples[]> {
  const { kernels, rounds, warmUp, window } = options;
  const native = await compile("bench", "native");
  const run: Record<(typeof CONTENDERS)[number], RunOurs> = {
    native: (args, timeoutMs) => output([native, ...args], timeoutMs),
    qemu: (args, timeoutMs) => output([...emulators().qemu, program, ...args], timeoutMs),
    ours,
  };
  const collector = new Collector(kernels);
  for (let round = 0; round < rounds; round++)
    for (const kernel of kernels)
      for (const name of CONTENDERS)
        await collector.take(round, kernel, name, async () => {
          return parseSample(kernel, await run[name](benchArgs(options, kernel), LONGEST + warmUp + window));
        });
  return collector.all();
}

/** Under `mimus riscv64`. */
export async function userKernels(options: KernelOptions): Promise<KernelSamples[]> {
  const program = await compile("bench", "riscv64");
  return inUserMode(options, program, (args, timeoutMs) => output([...emulators().ours, program, ...args], timeoutMs));
}

/** On a page in Chromium. */
export async function browserKernels(options: KernelOptions): Promise<KernelSamples[]> {
  needChromium();
  const program = await compile("bench", "riscv64");
  const page = await KernelPage.open(program);
  try {
    // A page has no processor time.
    return await inUserMode({ ...options, cpuTime: false }, program, async (args) => {
      const { status, output: printed } = await page.run(args);
      if (status !== 0) throw new BenchError("failed", `status ${status}: ${printed.trim().slice(-300)}`);
      return printed;
    });
  } finally {
    await page.close();
  }
}

/** `matmul-sse2` is the kernel `matmul` of another program. */
const programOf = (kernel: string): { program: string; kernel: string } =>
  kernel.endsWith("-sse2") ? { program: "bench-sse2", kernel: kernel.slice(0, -5) } : { program: "bench", kernel };

/** In a guest with one processor, which boots anew each round. */
export async function systemKernels(options: KernelOptions, platform: Platform): Promise<KernelSamples[]> {
  const { kernels, rounds } = options;
  need(`qemu-system-${platform.target}`);
  needGuest(platform.kernel);
  const native = await compile("bench", "native");
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const initrd = join(folder, "initramfs");
  const programs = {
    "bin/bench": await compile("bench", platform.isa),
    ...(platform.isa === "i386"
      ? { "bin/bench-sse2": await compile("bench", "i386", ["-msse2", "-mfpmath=sse"]) }
      : {}),
  };
  await initramfsWith(programs, initrd, needGuest(`${platform.name}/initramfs.gz`));
  const collector = new Collector(kernels);
  try {
    for (let round = 0; round < rounds; round++) {
      const machines = new Machines(platform, initrd);
      try {
        for (const kernel of kernels) {
          await collector.take(round, kernel, "native", async () => {
            const of = programOf(kernel).kernel;
            return parseSample(of, await output([native, ...benchArgs(options, of)], LONGEST));
          });
          for (const name of peersOf(platform))
            await collector.take(round, kernel, name, () => machines.measure(name, kernel, options));
        }
        await machines.checkClocks();
      } finally {
        await machines.close();
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return collector.all();
}

/** The guests of a round. One that stopped to answer is given up, and boots anew for the next kernel; twice. */
class Machines {
  readonly #platform: Platform;
  readonly #initrd: string;
  readonly #shells: Map<Peer, GuestShell> = new Map();
  readonly #boots: Map<Peer, number> = new Map();

  constructor(platform: Platform, initrd: string) {
    this.#platform = platform;
    this.#initrd = initrd;
  }

  async #get(name: Peer): Promise<GuestShell> {
    const there = this.#shells.get(name);
    if (there !== undefined) return there;
    const boots = (this.#boots.get(name) ?? 0) + 1;
    if (boots > 3) throw new BenchError("failed", "given up after three boots");
    this.#boots.set(name, boots);
    const shell = await GuestShell.boot(this.#platform, name, this.#initrd);
    this.#shells.set(name, shell);
    return shell;
  }

  async measure(name: Peer, kernel: string, options: KernelOptions): Promise<Sample> {
    const shell = await this.#get(name);
    const of = programOf(kernel);
    const args = benchArgs({ ...options, cpuTime: false }, of.kernel).join(" ");
    const timeoutMs = LONGEST + options.warmUp + options.window;
    try {
      if (!options.cpuTime) return parseSample(of.kernel, await shell.run(`${of.program} ${args}`, timeoutMs));
      const { printed, cpuNs } = await shell.runTimed(`${of.program} -m 1 ${args}`, timeoutMs);
      const sample = parseSample(of.kernel, printed);
      return { ...sample, ns: cpuNs / sample.units };
    } catch (error) {
      this.#shells.delete(name);
      await shell.close();
      throw error;
    }
  }

  /** Times read in a guest mean something only while its clock runs as the host's does. */
  async checkClocks(): Promise<void> {
    for (const [name, shell] of this.#shells) {
      const { drift, seconds } = await shell.drift();
      progress(`the guest's clock under ${name} is ${(drift * 100).toFixed(1)} % off after ${seconds.toFixed(0)} s`);
      if (Math.abs(drift) > 0.05 && seconds > 10)
        throw new BenchError("failed", `the guest's clock under ${name} is ${(drift * 100).toFixed(0)} % off`);
    }
  }

  async close(): Promise<void> {
    for (const shell of this.#shells.values()) await shell.close();
  }
}
