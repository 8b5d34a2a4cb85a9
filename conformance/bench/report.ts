/** What a run found out, the machine it ran on, and docs/benchmarks.md. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";

import { type KernelRow, type Summary } from "./stats.ts";
import { kernelCells, markdownTable, type Row, rowCells, summaryCells, textTable } from "./table.ts";

/** One part of the report: a table of kernels with its means, or a table of figures. */
export interface Section {
  /** `"kernels user riscv64"`, or the name of a group. */
  readonly name: string;
  readonly title: string;
  readonly kernels?: { readonly rows: readonly KernelRow[]; readonly summary: readonly Summary[] };
  readonly rows?: readonly Row[];
  /** All of it was asked for: only such a section goes into the docs. */
  readonly whole: boolean;
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

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

export interface Report {
  readonly machine: MachineDescription;
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Kernels and programs were timed by processor time. */
  readonly cpuTime: boolean;
  readonly sections: readonly Section[];
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
    parts.push(textTable(kernelCells(section.kernels.rows)), "", textTable(summaryCells(section.kernels.summary)));
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
export function writeSection(document: string, section: Section, report: Report): string {
  const from = document.indexOf(start(section.name));
  const to = document.indexOf(end(section.name));
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no marks '${start(section.name)}'`);
  const { machine, rounds, warmUpMs, windowMs, cpuTime } = report;
  const parts: string[] = [];
  if (section.kernels) {
    parts.push(
      markdownTable(kernelCells(section.kernels.rows)),
      "",
      markdownTable(summaryCells(section.kernels.summary)),
    );
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
