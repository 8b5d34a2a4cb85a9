import { createWriteStream } from "node:fs";

import type { LogLevel, LogRecord } from "@mimus/machine-core";
import type { Trace } from "@mimus/tcg";

import { UsageError } from "./errors.ts";

/** `-d` items: what each shows. */
export const LOG_ITEMS: Readonly<Record<string, string>> = {
  in_asm: "guest instructions of each translated block",
  op: "micro-operations of each translated block",
  op_opt: "micro-operations after optimisation",
  out_wat: "generated WebAssembly of each compiled block and region, as text",
  exec: "each block before it runs (slow)",
  int: "interrupts and exceptions, with the CPU's registers",
  cpu_reset: "the CPU's registers before each reset",
  guest_errors: "what the guest did that the hardware forbids",
  unimp: "what the guest used that is not modelled",
  unassigned: "accesses that nothing answers",
  trace: "events of devices",
  stats: "the translator's counters at the end",
  page: "the memory map of a program as it starts",
  strace: "the system calls of a program",
};

const LEVELS: Readonly<Record<string, LogLevel>> = {
  guest_errors: "guest-error",
  unimp: "unimplemented",
  unassigned: "unassigned",
  trace: "trace",
  int: "interrupt",
  cpu_reset: "cpu-reset",
};

/** Where `-d` goes, and which items. */
export interface Logging {
  readonly items: ReadonlySet<string>;
  readonly levels: readonly LogLevel[];
  readonly trace: Trace | undefined;
  line(text: string): void;
  record(record: LogRecord): void;
  close(): Promise<void>;
}

/** @throws UsageError for an unknown item or a bad range */
export function logging(items: string, file: string | undefined, filter: string | undefined): Logging {
  const wanted = new Set(items.split(",").filter((item) => item !== ""));
  for (const item of wanted)
    if (!Object.hasOwn(LOG_ITEMS, item))
      throw new UsageError(`-d ${item}: no such item; there are: ${Object.keys(LOG_ITEMS).join(", ")}`);
  const stream = file === undefined ? process.stderr : createWriteStream(file);
  if (file !== undefined)
    stream.on("error", (error) => {
      process.stderr.write(`mimus: -D ${file}: ${error.message}\n`);
      process.exit(1);
    });
  const line = (text: string): void => void stream.write(text.endsWith("\n") ? text : `${text}\n`);
  const inRange = ranges(filter);
  return {
    items: wanted,
    levels: ["warning", "info", ...[...wanted].flatMap((item) => LEVELS[item] ?? [])],
    trace: traceOf(wanted, line, inRange),
    line,
    record: ({ level, source, message, args }) =>
      line(`${heading(level, source)}${message}${args === undefined ? "" : ` ${args.join(" ")}`}`),
    close: () => new Promise((resolve) => (stream === process.stderr ? resolve() : stream.end(() => resolve()))),
  };
}

/** What stands before a message: dumps of CPUs speak for themselves. */
function heading(level: LogLevel, source: string): string {
  if (level === "interrupt" || level === "cpu-reset") return "";
  return level === "warning" || level === "info" ? `mimus: ${source}: ` : `${level}: ${source}: `;
}

function traceOf(
  items: ReadonlySet<string>,
  line: (text: string) => void,
  inRange: (pc: bigint) => boolean,
): Trace | undefined {
  // Each dump names the block's address first.
  const show = (text: string): void => (inRange(BigInt(/0x[\da-f]+/i.exec(text)?.[0] ?? 0)) ? line(text) : undefined);
  const trace: Trace = {
    ...(items.has("in_asm") ? { inAsm: show } : {}),
    ...(items.has("op") ? { op: show } : {}),
    ...(items.has("op_opt") ? { opOpt: show } : {}),
    ...(items.has("out_wat") ? { outWat: show } : {}),
    ...(items.has("exec")
      ? { exec: (lo, hi, flags) => show(`0x${hex(hi)}${hex(lo)} flags 0x${flags.toString(16)}`) }
      : {}),
  };
  return Object.keys(trace).length === 0 ? undefined : trace;
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, "0");

/** `START..END` and `START+SIZE`, separated by commas. */
function ranges(text: string | undefined): (pc: bigint) => boolean {
  if (text === undefined) return () => true;
  const list = text.split(",").map((range) => {
    const match = /^(0x[\da-f]+|\d+)(\.\.|\+)(0x[\da-f]+|\d+)$/i.exec(range);
    if (match === null) throw new UsageError(`-dfilter ${range}: expected START..END or START+SIZE`);
    const [start, other] = [BigInt(match[1] ?? 0), BigInt(match[3] ?? 0)];
    const end = match[2] === ".." ? other : start + other - 1n;
    if (end < start || end >= 1n << 64n)
      throw new UsageError(`-dfilter ${range}: expected addresses below 2^64, the first before the last`);
    return { start, end };
  });
  return (pc) => list.some(({ start, end }) => pc >= start && pc <= end);
}
