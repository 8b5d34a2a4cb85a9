/** The tables, as text for a terminal and as Markdown. */
import { besideV86, type KernelRow, type Summary } from "./stats.ts";

/** One measured figure; contenders that do not have it are absent. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  readonly qemu?: number;
  readonly native?: number;
  readonly v86?: number;
  readonly better: "less" | "more";
  readonly bar?: Bar;
  /** A remark, such as how the figure moved. */
  readonly note?: string;
}

/** The kernels of one run, with their means. */
interface KernelTable {
  readonly rows: readonly KernelRow[];
  readonly summary: readonly Summary[];
  /** The same beside v86, where it ran. */
  readonly v86?: readonly Summary[];
}

/** One part of the report: a table of kernels with its means, or a table of figures. */
export interface Section {
  /** `"kernels user riscv64"`, or the name of a group. */
  readonly name: string;
  readonly title: string;
  readonly kernels?: KernelTable;
  readonly rows?: readonly Row[];
  /** All of it was asked for: only such a section goes into the docs. */
  readonly whole: boolean;
  /** What could not be measured, and why. */
  readonly failures: readonly string[];
}

/** A figure that has to be reached, in words, and whether it was. */
export interface Bar {
  readonly text: string;
  /** How much of it was reached: 1 or more meets it. */
  readonly reached: number;
}

export const atMost = (text: string, ours: number, limit: number): Bar => ({ text, reached: limit / ours });
export const atLeast = (text: string, ours: number, limit: number): Bar => ({ text, reached: ours / limit });
/** No slower than QEMU. */
export const asFast = (ours: number, qemu: number): Bar => atMost("at most QEMU's time", ours, qemu);

/** @param reached how much of the bar was reached, where it was not met */
const mark = (met: boolean | undefined, reached?: number): string => {
  if (met === undefined) return "not all kernels ran";
  if (met) return "met";
  return reached === undefined || !Number.isFinite(reached)
    ? "FALLS SHORT"
    : `FALLS SHORT by ${Math.max(1, Math.round(100 * (1 - reached)))} %`;
};

/** Three figures, or more before the point. */
export const figure = (value: number | undefined): string => {
  if (value === undefined) return "";
  if (Number.isNaN(value)) return "none";
  if (!Number.isFinite(value)) return "-";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.001))));
  return value.toFixed(Math.min(digits, 3));
};

const ratio = (value: number): string => (Number.isFinite(value) ? value.toFixed(2) : "none");

/** How many times as good as QEMU's ours is. */
export function advantage({ ours, qemu, better }: Row): number | undefined {
  if (qemu === undefined) return undefined;
  return better === "less" ? qemu / ours : ours / qemu;
}

/** Cells of the kernels' table, head first; v86's where it ran. */
export function kernelCells(rows: readonly KernelRow[]): string[][] {
  const v86 = rows.some(({ ns }) => ns.v86 !== undefined);
  return [
    [
      ...["kernel", "native ms", "QEMU / native", "ours / native", "QEMU / ours", "least to greatest"],
      ...(v86 ? ["v86 / native", "v86 / ours"] : []),
    ],
    ...rows.map((row) => [
      row.kernel,
      (row.ns.native / 1e6).toFixed(2),
      ratio(row.qemuToNative),
      ratio(row.oursToNative),
      ratio(row.speedup),
      Number.isFinite(row.spread[0]) ? `${ratio(row.spread[0])} to ${ratio(row.spread[1])}` : "",
      ...(v86 ? [ratio(besideV86(row).qemuToNative), ratio(besideV86(row).speedup)] : []),
    ]),
  ];
}

/** Cells of the means with their bars, head first. */
export function summaryCells(summary: readonly Summary[], peer = "QEMU"): string[][] {
  return [
    ["geometric mean", `${peer} / native`, "ours / native", `${peer} / ours`, "bar", ""],
    ...summary.map((of) => [
      of.mean,
      ratio(of.qemuToNative),
      ratio(of.oursToNative),
      ratio(of.speedup),
      of.bar === undefined ? "" : `at least ${of.bar}`,
      of.bar === undefined ? "" : mark(of.met, of.met === false ? of.speedup / of.bar : undefined),
    ]),
  ];
}

/** Cells of the other figures, head first. */
export function rowCells(rows: readonly Row[]): string[][] {
  const v86 = rows.some((row) => row.v86 !== undefined);
  return [
    ["figure", "unit", "native", ...(v86 ? ["v86"] : []), "QEMU", "ours", "times as good as QEMU", "bar", ""],
    ...rows.map((row) => {
      const times = advantage(row);
      return [
        row.note === undefined ? row.what : `${row.what} (${row.note})`,
        row.unit,
        figure(row.native),
        ...(v86 ? [figure(row.v86)] : []),
        figure(row.qemu),
        figure(row.ours),
        times === undefined ? "" : ratio(times),
        row.bar?.text ?? "",
        row.bar === undefined ? "" : mark(row.bar.reached >= 1, row.bar.reached),
      ];
    }),
  ];
}

/** One bar, and how it was met. */
export interface BarLine {
  readonly of: string;
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  /** How many times as good as the peer. */
  readonly times: number | undefined;
  readonly bar: string;
  readonly verdict: string;
}

/** The bars of a section; what could not be measured is a bar missed. */
export function barsOf(section: Section): BarLine[] {
  const { kernels, rows = [], failures } = section;
  const means = (summary: readonly Summary[], peer: string): BarLine[] =>
    summary.flatMap((s) =>
      s.bar === undefined
        ? []
        : [
            {
              of: section.name,
              what: `${s.mean}, ${peer} / ours`,
              ours: `${ratio(s.oursToNative)} x native`,
              peer: `${ratio(s.qemuToNative)} x native`,
              times: s.speedup,
              bar: `at least ${s.bar}`,
              verdict: mark(s.met, s.speedup / s.bar),
            },
          ],
    );
  return [
    ...means(kernels?.summary ?? [], "QEMU"),
    ...means(kernels?.v86 ?? [], "v86"),
    ...rows.flatMap((row): BarLine[] =>
      row.bar === undefined
        ? []
        : [
            {
              of: section.name,
              what: row.what,
              ours: `${figure(row.ours)} ${row.unit}`,
              peer: row.qemu === undefined ? "" : `${figure(row.qemu)} ${row.unit}`,
              times: advantage(row),
              bar: row.bar.text,
              verdict: mark(row.bar.reached >= 1, row.bar.reached),
            },
          ],
    ),
    ...failures.map((failure) => ({
      ...{ of: section.name, what: failure.slice(0, 100), ours: "", peer: "", times: undefined, bar: "" },
      verdict: "NOT MEASURED",
    })),
  ];
}

/** Cells of the table of bars, head first. */
export const barCells = (bars: readonly BarLine[]): string[][] => [
  ["of", "figure", "ours", "peer", "ratio", "bar", ""],
  ...bars.map(({ of, what, ours, peer, times, bar, verdict }) => [
    of,
    what,
    ours,
    peer,
    times === undefined ? "" : ratio(times),
    bar,
    verdict,
  ]),
];

const right = (column: string): boolean => /^[\d.]*$|^none$/.test(column);

/** Columns side by side; figures to the right. */
export function textTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells
    .map((row, line) =>
      row
        .map((cell, i) => {
          const width = widths[i] ?? 0;
          const figures = right(cells[1]?.[i] ?? "x") && i > 0;
          return (line === 0 ? figures : right(cell) && figures) ? cell.padStart(width) : cell.padEnd(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A Markdown table. */
export function markdownTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, i) => Math.max(3, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  const [head = [], ...rest] = cells;
  return [line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(line)].join("\n");
}
