import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";

import { bareCosts } from "./bare.ts";
import { browserBoot } from "./browser.ts";
import { codegen } from "./codegen.ts";
import { diskRates } from "./disk.ts";
import { convertImages, imageReads, imageTables } from "./images.ts";
import { browserKernels, systemKernels, userKernels } from "./kernels.ts";
import { boot, coldStart } from "./machine.ts";
import { HELP, type Options, parseOptions } from "./options.ts";
import { gzip, hello, python } from "./programs.ts";
import { RISCV64 } from "./platform.ts";
import {
  describeMachine,
  printSection,
  readDocument,
  type Report,
  type Section,
  sound,
  writeSection,
} from "./report.ts";
import { type Bars, kernelRow, KERNELS, type KernelSamples, summarise, SYSTEM_BARS, USER_BARS } from "./stats.ts";
import type { Row } from "./table.ts";
import { buildCommand, needCommand, progress, ROOT } from "./tools.ts";

/** The measurements of a group, by the names of options.ts. */
const FIGURES: Readonly<Record<string, Readonly<Record<string, (options: Options) => Promise<readonly Row[]>>>>> = {
  programs: {
    hello: (options) => hello(options),
    gzip: (options) => gzip(options),
    python: (options) => python(options),
    // Its bars are a size and a share: one long run tells.
    codegen: () => codegen(1),
  },
  machine: {
    "cold-start": ({ rounds }) => coldStart(rounds),
    boot: ({ rounds, platform }) => boot(platform, rounds, 10),
    disk: ({ rounds }) => diskRates(rounds, 256),
    traps: ({ rounds }) => bareCosts(rounds),
  },
  images: {
    convert: ({ rounds }) => convertImages(rounds),
    tables: ({ rounds }) => imageTables(rounds),
    reads: ({ rounds }) => imageReads(rounds),
  },
  browser: {
    boot: ({ rounds }) => browserBoot(rounds),
  },
};
const TITLES: Readonly<Record<string, string>> = {
  programs: "Programs in user mode, riscv64",
  machine: "A whole machine",
  images: "Image tools, against qemu-img and qemu-nbd",
  browser: "In Chromium, without SharedArrayBuffer",
};

type KernelRun = "kernels user" | "kernels system" | "browser kernels";
const KERNEL_RUNS: Readonly<
  Record<KernelRun, { title: string; bars?: Bars; run: (options: Options) => Promise<KernelSamples[]> }>
> = {
  "kernels user": { title: "user mode", bars: USER_BARS, run: userKernels },
  "kernels system": {
    title: "inside a booted guest, one processor",
    bars: SYSTEM_BARS,
    run: (options) => systemKernels(options, options.platform),
  },
  "browser kernels": { title: "user mode in Chromium, without SharedArrayBuffer", run: browserKernels },
};

async function kernelSection(name: KernelRun, options: Options): Promise<Section> {
  const { title, bars, run } = KERNEL_RUNS[name];
  const whole = options.kernels.length === KERNELS.length;
  const target = options.platform.name;
  const head = { name: `${name} ${target}`, title: `Kernels, ${target}, ${title}`, whole };
  try {
    const rows = (await run(options)).map(kernelRow);
    const summary = summarise(rows, bars, whole);
    return { ...head, kernels: { rows, summary }, failures: [] };
  } catch (error) {
    return { ...head, failures: [(error as Error).message] };
  }
}

async function figureSection(group: string, options: Options): Promise<Section | undefined> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const [name, measure] of Object.entries(FIGURES[group] ?? {})) {
    if (!options.wanted.has(`${group} ${name}`)) continue;
    progress(`${group}: ${name}`);
    try {
      rows.push(...(await measure(options)));
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  const all = Object.keys(FIGURES[group] ?? {}).every((name) => options.wanted.has(`${group} ${name}`));
  const nothing = rows.length === 0 && failures.length === 0;
  const of = options.platform === RISCV64 ? "" : ` ${options.platform.name}`;
  // Of a PC there is less to measure.
  const whole = all || of !== "";
  return nothing
    ? undefined
    : { name: `${group}${of}`, title: `${TITLES[group] ?? group}${of}`, whole, rows, failures };
}

async function main(argv: string[]): Promise<void> {
  const options = parseOptions(argv);
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const [load = 0] = loadavg();
  if (load > 0.5) progress(`the machine is busy (load ${load.toFixed(1)}): figures will waver`);
  if (options.build) await buildCommand();
  needCommand();
  const sections: Section[] = [];
  const add = (section: Section | undefined): void => {
    if (section === undefined) return;
    sections.push(section);
    if (!options.json) process.stdout.write(`\n${printSection(section)}`);
  };
  for (const name of Object.keys(KERNEL_RUNS) as KernelRun[])
    if (options.wanted.has(name)) add(await kernelSection(name, options));
  for (const group of Object.keys(FIGURES)) add(await figureSection(group, options));
  const report: Report = {
    machine: describeMachine(),
    rounds: options.rounds,
    warmUpMs: options.warmUp,
    windowMs: options.window,
    cpuTime: options.cpuTime,
    sections,
  };
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  if (options.writeDocs) writeDocs(sections, report);
  if (!sections.every(sound)) process.exitCode = 1;
}

function writeDocs(sections: readonly Section[], report: Report): void {
  const path = join(ROOT, "docs/benchmarks.md");
  let document = readDocument(path);
  for (const section of sections)
    if (section.whole && sound(section)) document = writeSection(document, section, report);
    else
      progress(`'${section.name}' was not measured as a whole, or not in full: docs/benchmarks.md keeps what it has`);
  writeFileSync(path, document);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
});
