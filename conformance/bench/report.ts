/** What a run found out, the machine it ran on, and docs/benchmarks.md. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";

import { kernelCells, markdownTable, rowCells, type Section, summaryCells, textTable } from "./table.ts";

/** The machine, without names that identify it. */
export interface MachineDescription {
  readonly date: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly v8: string;
  readonly qemu: string;
  readonly qemuUser: string;
  readonly compiler: string;
  readonly crossCompiler: string;
  readonly commit: string;
}

/** What was measured of a platform. */
export interface Part {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Kernels and programs were timed by processor time. */
  readonly cpuTime: boolean;
  readonly sections: readonly Section[];
}

export interface Report {
  readonly machine: MachineDescription;
  readonly parts: Part[];
}

export function describeMachine(): MachineDescription {
  const firstLine = (command: string, ...args: string[]): string =>
    spawnSync(command, args, { encoding: "utf8" }).stdout?.split("\n")[0]?.trim() || "not installed";
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    v8: process.versions.v8,
    qemu: /version (\S+)/.exec(firstLine("qemu-system-riscv64", "--version"))?.[1] ?? "not installed",
    qemuUser: /version (\S+)/.exec(firstLine("qemu-riscv64-static", "--version"))?.[1] ?? "not installed",
    compiler: firstLine("gcc", "--version"),
    crossCompiler: firstLine("riscv64-linux-gnu-gcc", "--version"),
    commit: firstLine("git", "-C", import.meta.dirname, "rev-parse", "--short", "HEAD"),
  };
}

export function printSection(section: Section): string {
  const parts = [section.title];
  if (section.kernels) {
    const { rows, summary, v86 } = section.kernels;
    parts.push(textTable(kernelCells(rows)), "", textTable(summaryCells(summary)));
    if (v86) parts.push("", textTable(summaryCells(v86, "v86")));
    for (const row of section.kernels.rows) for (const failure of row.failures) parts.push(`${row.kernel}: ${failure}`);
  }
  if (section.rows && section.rows.length > 0) parts.push(textTable(rowCells(section.rows)));
  parts.push(...section.failures.map((failure) => `not measured: ${failure}`));
  return `${parts.join("\n")}\n`;
}

/** Something could not be measured, or results disagree. */
export const sound = (section: Section): boolean =>
  section.failures.length === 0 && (section.kernels?.rows.every((row) => row.agrees) ?? true);

const start = (name: string): string => `<!-- bench: ${name} -->`;
const end = (name: string): string => `<!-- /bench: ${name} -->`;

/** The sections that docs/benchmarks.md holds, in its order. */
export function sectionsOf(document: string): string[] {
  return [...document.matchAll(/^<!-- bench: (.+) -->$/gm)].map((m) => m[1] ?? "");
}

/** Replaces what the document says between a section's marks. @throws Error when it has no such marks */
export function writeSection(document: string, section: Section, machine: MachineDescription, part: Part): string {
  const from = document.indexOf(start(section.name));
  const to = document.indexOf(end(section.name));
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no marks '${start(section.name)}'`);
  const { rounds, warmUpMs, windowMs, cpuTime } = part;
  const parts: string[] = [];
  if (section.kernels) {
    const { rows, summary, v86 } = section.kernels;
    parts.push(markdownTable(kernelCells(rows)), "", markdownTable(summaryCells(summary)));
    if (v86) parts.push("", markdownTable(summaryCells(v86, "v86")));
    for (const row of section.kernels.rows) for (const f of row.failures) parts.push("", `\`${row.kernel}\`: ${f}`);
  }
  if (section.rows && section.rows.length > 0) parts.push(markdownTable(rowCells(section.rows)));
  for (const failure of section.failures) parts.push("", `Not measured: ${failure}`);
  const windows = section.kernels ? `; ${warmUpMs} ms of warm-up, ${windowMs} ms timed` : "";
  const times = cpuTime && (section.kernels !== undefined || section.name === "programs") ? "; by processor time" : "";
  parts.push(
    "",
    `${machine.date}, commit ${machine.commit}; medians of ${rounds}${windows}${times}. ${machine.processor}, ${machine.cores} cores, ` +
      `${machine.memoryGiB} GiB; Node ${machine.node.slice(1)} (V8 ${machine.v8}), QEMU ${machine.qemu}.`,
  );
  return `${document.slice(0, from + start(section.name).length)}\n\n${parts.join("\n").trim()}\n\n${document.slice(to)}`;
}

export const readDocument = (path: string): string => readFileSync(path, "utf8");
