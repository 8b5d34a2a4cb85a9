import { parseArgs } from "node:util";

import { GROUPS, kernelsOf, measuredOn, SUBJECTS } from "./measurements.ts";
import { I386, type Platform, PLATFORMS } from "./platform.ts";
import { BenchError } from "./tools.ts";

export const HELP = `usage: pnpm bench [GROUP [NAME...] [riscv64|amd64|i386]] [options]
       pnpm bench smp [options]
       pnpm bench bars [riscv|pc|disks...] [options]

Measures ours, QEMU, native code and v86 on the same work in one run, in turn, and prints medians, ratios and bars.
Without a group: everything of riscv64, which takes an hour.

  kernels   user, system        18 kernels: under 'mimus riscv64' / inside a booted guest with one processor; those of
                                i386 with x87 and with SSE2, and beside v86
  programs  hello, gzip, python, codegen
                                real programs in user mode; a guest that generates code without end
  machine   cold-start, boot, disk, traps, os, smp
                                a whole machine: start, firmware and Linux to the shell, memory, idling; disks; traps,
                                device registers and interrupts without an operating system; system calls and page
                                faults of Linux; a parallel job with two processors (also 'pnpm bench smp')
  images    convert, tables, reads
                                disk images: conversions, check and map, random reads over NBD
  browser   kernels, boot       the kernels in user mode, and Linux to the shell, on a page in Chromium without
                                SharedArrayBuffer
  bars      riscv, pc, disks    everything that has a bar, and one table of the bars at the end

For amd64 there are ${measuredOn("amd64").join(", ")};
for i386 ${measuredOn("i386").join(", ")}.

  --rounds N     rounds of each measurement (5; with bars 3)
  --kernel NAME  this kernel only; repeatable
  --warm-up MS   untimed work of a kernel before its window (700; i386, where v86 needs longer, 1500)
  --window MS    the timed window of a kernel (400)
  --cpu-time     kernels and programs: processor time in place of real time, for a busy machine
  --json         the report as JSON on standard output
  --write-docs   writes what was measured whole into docs/benchmarks.md
  --no-build     measures the command as it was built last
  -h, --help     this text

MIMUS_BENCH_OURS=PROGRAM measures 'PROGRAM riscv64' and 'PROGRAM system-riscv64' in place of this build.
Needs 'pnpm guests all', QEMU 7.2 (qemu-user-static, qemu-system-misc, qemu-system-x86), gcc, gcc-riscv64-linux-gnu,
gcc-i686-linux-gnu; browsers chromium; images qemu-utils, libnbd-bin, libnbd-dev; v86 seabios.
The exit status is 0 when a bar is missed, and 1 when something could not be measured or results disagree.
`;

/** Measurements of one platform. */
export interface Plan {
  /** `"kernels user"` and so on. */
  readonly wanted: ReadonlySet<string>;
  readonly platform: Platform;
  readonly rounds: number;
  readonly kernels: readonly string[];
  readonly warmUp: number;
  readonly window: number;
  readonly cpuTime: boolean;
}

export interface Options {
  readonly help: boolean;
  readonly plans: readonly Plan[];
  /** The bars are wanted in one table at the end. */
  readonly bars: boolean;
  readonly json: boolean;
  readonly writeDocs: boolean;
  readonly build: boolean;
}

/** @throws BenchError kind usage, which names what there is */
export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parse(argv);
  const bars = positionals[0] === "bars";
  const chosen = bars ? ofSubjects(positionals.slice(1)) : [ofGroup(positionals)];
  const plans = chosen.map(({ platform, wanted }): Plan => {
    const all = kernelsOf(platform);
    const kernels = values.kernel ?? all;
    const unknown = kernels.find((name) => !all.includes(name));
    if (unknown !== undefined) throw usage(`no kernel '${unknown}'; there are ${all.join(", ")}`);
    return {
      wanted,
      platform,
      rounds: count("rounds", values.rounds ?? (bars ? "3" : "5"), 1),
      kernels,
      warmUp: count("warm-up", values["warm-up"] ?? (platform === I386 ? "1500" : "700"), 0),
      window: count("window", values.window, 1),
      cpuTime: values["cpu-time"],
    };
  });
  return {
    help: values.help,
    plans,
    bars,
    json: values.json,
    writeDocs: values["write-docs"],
    build: !values["no-build"],
  };
}

// oxlint-disable-next-line typescript/explicit-function-return-type
const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({
      args: argv.filter((arg, i) => !(i === 0 && arg === "--")),
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h", default: false },
        rounds: { type: "string" },
        kernel: { type: "string", multiple: true },
        "warm-up": { type: "string" },
        window: { type: "string", default: "400" },
        "cpu-time": { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        "write-docs": { type: "boolean", default: false },
        "no-build": { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw usage((error as Error).message);
  }
};

type Chosen = Pick<Plan, "platform" | "wanted">;

function ofSubjects(names: readonly string[]): Chosen[] {
  const all = Object.keys(SUBJECTS);
  const unknown = names.find((name) => !all.includes(name));
  if (unknown !== undefined) throw usage(`no subject '${unknown}'; there are ${all.join(", ")}`);
  const plans = (names.length === 0 ? all : names).flatMap((name) => SUBJECTS[name] ?? []);
  return plans.map(([platform, ...wanted]) => ({ platform: PLATFORMS[platform], wanted: new Set(wanted) }));
}

function ofGroup(positionals: readonly string[]): Chosen {
  // Two processors are a matter of the PC alone.
  const [group, ...rest] = positionals[0] === "smp" ? ["machine", "smp", "amd64"] : positionals;
  const platform = platformOf(rest);
  const there = measuredOn(platform.name);
  if (group === undefined) return { platform, wanted: new Set(there) };
  const names = GROUPS[group];
  if (names === undefined)
    throw usage(`no group '${group}'; there are ${[...Object.keys(GROUPS), "smp", "bars"].join(", ")}`);
  const chosen = rest.filter((name) => !Object.hasOwn(PLATFORMS, name));
  for (const name of chosen) {
    if (there.includes(`${group} ${name}`)) continue;
    if (names.includes(name))
      throw usage(`'${group} ${name}' is not measured for ${platform.name}; there are: ${there.join(", ")}`);
    throw usage(
      `no '${name}' in ${group}; there are ${names.join(", ")} (targets: ${Object.keys(PLATFORMS).join(", ")})`,
    );
  }
  const all = there.filter((name) => name.startsWith(`${group} `));
  if (all.length === 0) throw usage(`nothing of ${group} is measured for ${platform.name}`);
  return { platform, wanted: new Set(chosen.length === 0 ? all : chosen.map((name) => `${group} ${name}`)) };
}

function platformOf(positionals: readonly string[]): Platform {
  const found = positionals.filter((name) => Object.hasOwn(PLATFORMS, name));
  if (found.length > 1) throw usage(`one target at a time: ${found.join(", ")}`);
  return PLATFORMS[(found[0] ?? "riscv64") as Platform["name"]];
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < least)
    throw usage(`--${name} ${text}: a whole number of at least ${least} was expected`);
  return value;
}

const usage = (message: string): BenchError => new BenchError("usage", `${message}\nTry 'pnpm bench --help'.`);
