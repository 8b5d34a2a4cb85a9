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
import { kernelsOf, measuredOn } from "./measurements.ts";
import { services } from "./os.ts";
import { HELP, parseOptions, type Plan } from "./options.ts";
import { gzip, hello, python } from "./programs.ts";
import { I386, type Platform, RISCV64 } from "./platform.ts";
import { describeMachine, printSection, readDocument, type Report, sound, writeSection } from "./report.ts";
import {
  type Bars,
  besideV86,
  kernelRow,
  type KernelSamples,
  summarise,
  SYSTEM_BARS,
  USER_BARS,
  V86_BARS,
} from "./stats.ts";
import { parallel } from "./smp.ts";
import { barCells, barsOf, type Row, type Section, textTable } from "./table.ts";
import { buildCommand, needCommand, progress, ROOT } from "./tools.ts";

/** The measurements of a group, by the names of measurements.ts. */
const FIGURES: Readonly<Record<string, Readonly<Record<string, (plan: Plan) => Promise<readonly Row[]>>>>> = {
  programs: {
    hello,
    gzip: (plan) => gzip(plan),
    python: (plan) => python(plan),
    // Its bars are a size and a share: one long run tells.
    codegen: () => codegen(1),
  },
  machine: {
    "cold-start": ({ rounds }) => coldStart(rounds),
    boot: ({ rounds, platform }) => boot(platform, rounds, 10),
    disk: ({ rounds, platform }) => diskRates(rounds, platform),
    traps: ({ rounds, platform }) => bareCosts(rounds, platform),
    os: ({ rounds, platform }) => services(rounds, platform),
    smp: ({ rounds, platform }) => parallel(rounds, platform),
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
  Record<
    KernelRun,
    { title: string; bars(platform: Platform): Bars | undefined; run: (plan: Plan) => Promise<KernelSamples[]> }
  >
> = {
  "kernels user": { title: "user mode", bars: () => USER_BARS, run: userKernels },
  "kernels system": {
    title: "inside a booted guest, one processor",
    bars: ({ name }) => SYSTEM_BARS[name],
    run: (plan) => systemKernels(plan, plan.platform),
  },
  "browser kernels": {
    title: "user mode in Chromium, without SharedArrayBuffer",
    bars: () => undefined,
    run: browserKernels,
  },
};

async function kernelSection(name: KernelRun, plan: Plan): Promise<Section> {
  const { title, bars, run } = KERNEL_RUNS[name];
  const { platform } = plan;
  const whole = kernelsOf(platform).every((kernel) => plan.kernels.includes(kernel));
  const head = { name: `${name} ${platform.name}`, title: `Kernels, ${platform.name}, ${title}`, whole };
  try {
    const rows = (await run(plan)).map(kernelRow);
    const summary = summarise(rows, bars(platform), whole);
    const v86 = platform === I386 ? { v86: summarise(rows.map(besideV86), V86_BARS, whole) } : {};
    return { ...head, kernels: { rows, summary, ...v86 }, failures: [] };
  } catch (error) {
    return { ...head, failures: [(error as Error).message] };
  }
}

async function figureSection(group: string, plan: Plan): Promise<Section | undefined> {
  const { platform, wanted } = plan;
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const [name, measure] of Object.entries(FIGURES[group] ?? {})) {
    if (!wanted.has(`${group} ${name}`)) continue;
    progress(`${group}: ${name}`);
    try {
      rows.push(...(await measure(plan)));
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (rows.length === 0 && failures.length === 0) return undefined;
  const there = measuredOn(platform.name).filter((name) => name.startsWith(`${group} `));
  const whole = there.filter((name) => !Object.hasOwn(KERNEL_RUNS, name)).every((name) => wanted.has(name));
  const of = platform === RISCV64 ? "" : ` ${platform.name}`;
  return { name: `${group}${of}`, title: `${TITLES[group] ?? group}${of && `,${of}`}`, whole, rows, failures };
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
  const report: Report = { machine: describeMachine(), parts: [] };
  for (const plan of options.plans) {
    const sections: Section[] = [];
    const { rounds, warmUp, window, cpuTime } = plan;
    report.parts.push({ rounds, warmUpMs: warmUp, windowMs: window, cpuTime, sections });
    const add = (section: Section | undefined): void => {
      if (section === undefined) return;
      sections.push(section);
      if (!options.json) process.stdout.write(`\n${printSection(section)}`);
    };
    for (const name of Object.keys(KERNEL_RUNS) as KernelRun[])
      if (plan.wanted.has(name)) add(await kernelSection(name, plan));
    for (const group of Object.keys(FIGURES)) add(await figureSection(group, plan));
  }
  const all = report.parts.flatMap(({ sections }) => sections);
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else if (options.bars) process.stdout.write(`\nBars\n${textTable(barCells(all.flatMap(barsOf)))}\n`);
  if (options.writeDocs) writeDocs(report);
  if (!all.every(sound)) process.exitCode = 1;
}

function writeDocs({ machine, parts }: Report): void {
  const path = join(ROOT, "docs/benchmarks.md");
  let document = readDocument(path);
  for (const part of parts)
    for (const section of part.sections)
      if (section.whole && sound(section)) document = writeSection(document, section, machine, part);
      else
        progress(`'${section.name}' was not measured as a whole, or not in full: docs/benchmarks.md keeps what it has`);
  writeFileSync(path, document);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
});
