/** A guest that generates code without end (guests/jit.c): its rate, and what is left of a hot loop's speed after it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Console } from "../lib/console.ts";
import { type CodeCache, parseCodeCache } from "./code-cache.ts";
import { median } from "./stats.ts";
import { atLeast, atMost, figure, type Row } from "./table.ts";
import { BenchError, compile, emulators, progress } from "./tools.ts";

/** One line of guests/jit.c. */
export interface JitLine {
  readonly pages: number;
  readonly pagesPerSecond: number;
  /** Nanoseconds of the fixed function right after the generated code. */
  readonly first: number;
  /** The same when it has run for a while. */
  readonly settled: number;
  readonly checksum: string;
}

/** @throws BenchError when the program did not finish its ten parts */
export function parseJit(text: string): JitLine[] {
  const lines = [...text.matchAll(/^jit (\d+) (\d+) (\d+) (\d+) ([0-9a-f]{8})\r?$/gm)].map(
    ([, pages, rate, first, settled, checksum = ""]) => ({
      pages: Number(pages),
      pagesPerSecond: Number(rate),
      first: Number(first),
      settled: Number(settled),
      checksum,
    }),
  );
  if (lines.length < 11) throw new BenchError("failed", `${lines.length} of 11 parts: ${text.trim().slice(-300)}`);
  return lines;
}

/** The hot function's best time of all parts, divided by its time after the last one: 1 is as fast as ever. */
export const recovery = (lines: readonly JitLine[]): number =>
  Math.min(...lines.map((line) => line.settled)) / (lines.at(-1)?.settled ?? Number.NaN);

interface Figures {
  readonly lines: readonly JitLine[];
  /** Of ours, at the end. */
  readonly cache: CodeCache | undefined;
  /** Greatest resident size seen, MiB. */
  readonly rss: number;
}

async function runJit(command: readonly string[], pages: number, settleMs: number, stats?: string): Promise<Figures> {
  const [program = "", ...args] = command;
  const child = new Console(program, [...args, `${pages}`, `${settleMs}`]);
  let rss = 0;
  const timer = setInterval(() => {
    void child.usage().then((usage) => {
      rss = Math.max(rss, usage?.rssMiB ?? 0);
    });
  }, 200);
  const status = await child.exit(1_800_000);
  clearInterval(timer);
  if (status !== 0) throw new BenchError("failed", `${command.join(" ")}: status ${status}: ${child.log.slice(-300)}`);
  const cache = stats === undefined ? undefined : parseCodeCache(await readFile(stats, "utf8").catch(() => ""));
  return { lines: parseJit(child.log), cache, rss };
}

/**
 * @param pages 10^5: 400 MiB of code, of which 64 MiB exist at a time
 * @param settleMs how long the hot loop runs each time it is measured
 */
export async function codegen(rounds: number, pages = 100_000, settleMs = 200): Promise<Row[]> {
  const program = await compile("jit", "riscv64");
  const of = emulators();
  const all: Record<"ours" | "qemu", Figures[]> = { ours: [], qemu: [] };
  const folder = await mkdtemp(join(tmpdir(), "mimus-bench-"));
  const stats = join(folder, "stats");
  for (let round = 0; round < rounds; round++)
    for (const name of ["qemu", "ours"] as const) {
      const options = name === "ours" ? ["-d", "stats", "-D", stats] : [];
      const found = await runJit(
        [...of[name], ...options, program],
        pages,
        settleMs,
        name === "ours" ? stats : undefined,
      );
      all[name].push(found);
      const rate = found.lines.slice(1).map((line) => line.pagesPerSecond);
      progress(
        `round ${round + 1} ${name}: ${rate.join(" ")} pages/s, hot loop back at ${recovery(found.lines).toFixed(2)} of its speed, ${found.rss.toFixed(0)} MiB`,
      );
    }
  await rm(folder, { recursive: true });
  const sums = new Set([...all.ours, ...all.qemu].map(({ lines }) => lines.map((line) => line.checksum).join()));
  if (sums.size !== 1) throw new BenchError("failed", "checksums of generated code differ");
  const of2 = (pick: (figures: Figures) => number): { ours: number; qemu: number } => ({
    ours: median(all.ours.map(pick)),
    qemu: median(all.qemu.map(pick)),
  });
  const part = (which: "first" | "last") => (figures: Figures) =>
    (which === "first" ? figures.lines[1] : figures.lines.at(-1))?.pagesPerSecond ?? Number.NaN;
  const back = of2(({ lines }) => recovery(lines));
  const caches = all.ours.flatMap(({ cache }) => (cache === undefined ? [] : [cache]));
  const bytes = Math.max(...caches.map((c) => c.bytes));
  const cap = Math.min(...caches.map((c) => c.cap));
  const what = `code generation, ${pages} pages`;
  return [
    { what: `${what}: first tenth`, unit: "pages/s", ...of2(part("first")), better: "more" },
    { what: `${what}: last tenth`, unit: "pages/s", ...of2(part("last")), better: "more" },
    {
      what: `${what}: speed of a hot loop afterwards`,
      unit: "of its best",
      ...back,
      better: "more",
      bar: atLeast("ours at least 0.8", back.ours, 0.8),
    },
    {
      what: `${what}: code cache`,
      note: `${median(caches.map((c) => c.evictions))} evictions`,
      unit: "MiB",
      ours: bytes / 2 ** 20,
      better: "less",
      bar: atMost(`at most its cap, ${figure(cap / 2 ** 20)}`, bytes, cap),
    },
    { what: `${what}: resident memory`, unit: "MiB", ...of2(({ rss }) => rss), better: "less" },
  ];
}
