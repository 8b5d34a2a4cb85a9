/** The tables, as text for a terminal and as Markdown. */
import type { KernelRow, Summary } from "./stats.ts";

/** One measured figure; contenders that do not have it are absent. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  readonly qemu?: number;
  readonly native?: number;
  readonly better: "less" | "more";
  readonly bar?: Bar;
  /** A remark, such as how the figure moved. */
  readonly note?: string;
}

/** A figure that has to be reached, in words, and whether it was. */
export interface Bar {
  readonly text: string;
  readonly met: boolean;
}

export const mark = (met: boolean | undefined): string =>
  met === undefined ? "not all kernels ran" : met ? "met" : "FALLS SHORT";

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

/** Cells of the kernels' table, head first. */
export function kernelCells(rows: readonly KernelRow[]): string[][] {
  return [
    ["kernel", "native ms", "QEMU / native", "ours / native", "QEMU / ours", "least to greatest"],
    ...rows.map((row) => [
      row.kernel,
      (row.ns.native / 1e6).toFixed(2),
      ratio(row.qemuToNative),
      ratio(row.oursToNative),
      ratio(row.speedup),
      Number.isFinite(row.spread[0]) ? `${ratio(row.spread[0])} to ${ratio(row.spread[1])}` : "",
    ]),
  ];
}

/** Cells of the means with their bars, head first. */
export function summaryCells(summary: readonly Summary[]): string[][] {
  return [
    ["geometric mean", "QEMU / native", "ours / native", "QEMU / ours", "bar", ""],
    ...summary.map((of) => [
      of.mean,
      ratio(of.qemuToNative),
      ratio(of.oursToNative),
      ratio(of.speedup),
      of.bar === undefined ? "" : `at least ${of.bar}`,
      of.bar === undefined ? "" : mark(of.met),
    ]),
  ];
}

/** Cells of the other figures, head first. */
export function rowCells(rows: readonly Row[]): string[][] {
  return [
    ["figure", "unit", "native", "QEMU", "ours", "times as good as QEMU", "bar", ""],
    ...rows.map((row) => {
      const times = advantage(row);
      return [
        row.note === undefined ? row.what : `${row.what} (${row.note})`,
        row.unit,
        figure(row.native),
        figure(row.qemu),
        figure(row.ours),
        times === undefined ? "" : ratio(times),
        row.bar?.text ?? "",
        row.bar === undefined ? "" : mark(row.bar.met),
      ];
    }),
  ];
}

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
