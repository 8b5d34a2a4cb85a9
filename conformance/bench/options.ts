import { parseArgs } from "node:util";

import { type Platform, PLATFORMS, RISCV64 } from "./platform.ts";
import { KERNELS } from "./stats.ts";
import { BenchError } from "./tools.ts";

/** What can be measured: groups, and the names in them. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  kernels: ["user", "system"],
  programs: ["hello", "gzip", "python", "codegen"],
  machine: ["cold-start", "boot", "disk", "traps"],
  images: ["convert", "tables", "reads"],
  browser: ["kernels", "boot"],
};

export const HELP = `usage: pnpm bench [GROUP [NAME...] [riscv64|amd64|i386]] [options]

Measures ours, QEMU and native code on the same work in one run, in turn, and prints medians, ratios and bars.
Without a group: everything of riscv64, which takes an hour. For amd64 and i386 there are 'kernels system' and 'machine boot'.

  kernels   user, system        18 kernels: under 'mimus riscv64' / inside a booted guest with one processor
  programs  hello, gzip, python, codegen
                                real programs in user mode; a guest that generates code without end
  machine   cold-start, boot, disk, traps
                                a whole machine: start, Linux to the shell, memory, idling, disk, interrupts
  images    convert, tables, reads
                                disk images: conversions, check and map, random reads over NBD
  browser   kernels, boot       the kernels in user mode, and Linux to the shell, on a page in Chromium without
                                SharedArrayBuffer

  --rounds N     rounds of each measurement (5)
  --kernel NAME  this kernel only; repeatable
  --warm-up MS   untimed work of a kernel before its window (700)
  --window MS    the timed window of a kernel (400)
  --cpu-time     kernels and programs: processor time in place of real time, for a busy machine
  --json         the report as JSON on standard output
  --write-docs   writes what was measured whole into docs/benchmarks.md
  --no-build     measures the command as it was built last
  -h, --help     this text

MIMUS_BENCH_OURS=PROGRAM measures 'PROGRAM riscv64' and 'PROGRAM system-riscv64' in place of this build.
Needs 'pnpm guests', QEMU 7.2 (qemu-user-static, qemu-system-misc), gcc, gcc-riscv64-linux-gnu; browsers chromium;
images qemu-utils, libnbd-bin, libnbd-dev.
The exit status is 0 when a bar is missed, and 1 when something could not be measured or results disagree.
`;

export interface Options {
  readonly help: boolean;
  /** `"kernels user"` and so on. */
  readonly wanted: ReadonlySet<string>;
  readonly platform: Platform;
  readonly rounds: number;
  readonly kernels: readonly string[];
  readonly warmUp: number;
  readonly window: number;
  readonly cpuTime: boolean;
  readonly json: boolean;
  readonly writeDocs: boolean;
  readonly build: boolean;
}

/** @throws BenchError kind usage, which names what there is */
export function parseOptions(argv: readonly string[]): Options {
  const { values, positionals } = parse(argv);
  const platform = platformOf(positionals);
  const kernels = values.kernel ?? KERNELS;
  const unknown = kernels.find((name) => !KERNELS.includes(name));
  if (unknown !== undefined) throw usage(`no kernel '${unknown}'; there are ${KERNELS.join(", ")}`);
  return {
    help: values.help,
    wanted: wanted(positionals, platform),
    platform,
    rounds: count("rounds", values.rounds, 1),
    kernels,
    warmUp: count("warm-up", values["warm-up"], 0),
    window: count("window", values.window, 1),
    cpuTime: values["cpu-time"],
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
        rounds: { type: "string", default: "5" },
        kernel: { type: "string", multiple: true },
        "warm-up": { type: "string", default: "700" },
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

function wanted(positionals: readonly string[], on: Platform): Set<string> {
  const [group, ...rest] = positionals;
  const there = (g: string): string[] =>
    (GROUPS[g] ?? []).map((n) => `${g} ${n}`).filter((name) => on === RISCV64 || ON_PC.includes(name));
  if (group === undefined) return new Set(Object.keys(GROUPS).flatMap(there));
  const names = GROUPS[group];
  if (names === undefined) throw usage(`no group '${group}'; there are ${Object.keys(GROUPS).join(", ")}`);
  const chosen = rest.filter((name) => !Object.hasOwn(PLATFORMS, name));
  for (const name of chosen) {
    if (there(group).includes(`${group} ${name}`)) continue;
    if (names.includes(name))
      throw usage(`'${group} ${name}' is not measured for ${on.name}; there are: ${ON_PC.join(", ")}`);
    throw usage(
      `no '${name}' in ${group}; there are ${names.join(", ")} (targets: ${Object.keys(PLATFORMS).join(", ")})`,
    );
  }
  return new Set(chosen.length === 0 ? there(group) : chosen.map((name) => `${group} ${name}`));
}

/** What is measured on a PC. */
const ON_PC: readonly string[] = ["kernels system", "machine boot"];

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
