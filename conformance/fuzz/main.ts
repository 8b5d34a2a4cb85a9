/** Damaged input for every parser of bytes that nobody vouches for. `pnpm fuzz -h` says how. */
import { parseArgs } from "node:util";
import { countAllocations } from "./allocations.ts";
import { byteParser } from "./bytes.ts";
import { diskParsers } from "./disks.ts";
import { LOADERS } from "./loaders.ts";
import type { FuzzOptions, Parser } from "./parser.ts";
import { CONVERSATIONS, STREAMS } from "./streams.ts";
import { watchdog } from "./watchdog.ts";

const HELP = `Usage: pnpm fuzz [PARSER...] [--count N] [--seconds N] [--seed N] [--first N] [--hang SECONDS] [--list]

Damages the input of each parser N times (default 10,000) or as often as the seconds of each allow. What it takes it uses;
what it refuses it must refuse in one line, in a second, with 64 MiB. The status is 1 when something else happened;
the line of a failure names --seed and the run, which --first N --count 1 repeats. A run
that does not end within --hang seconds (default 60) ends the process.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string" },
    seconds: { type: "string" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    hang: { type: "string", default: "60" },
    list: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});

/** Each parser there is, the buffers of this process counted from now on. */
function parsers(): Parser[] {
  const allocated = countAllocations();
  const bytes = [...LOADERS, ...STREAMS].map((parser) => byteParser(parser, allocated));
  return [...diskParsers(allocated), ...bytes, ...CONVERSATIONS];
}

async function fuzz(): Promise<number> {
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const all = parsers();
  if (values.list === true) {
    for (const { name, what } of all) console.log(`${name.padEnd(12)} ${what}`);
    return 0;
  }
  const unknown = positionals.find((name) => !all.some((p) => p.name === name));
  if (unknown !== undefined) {
    console.error(`fuzz: no parser '${unknown}'; there are ${all.map((p) => p.name).join(", ")}`);
    return 2;
  }
  const seconds = values.seconds === undefined ? Number.POSITIVE_INFINITY : Number(values.seconds);
  const count = Number(values.count ?? (values.seconds === undefined ? 10_000 : Number.MAX_SAFE_INTEGER));
  let failed = 0;
  for (const parser of all.filter((p) => positionals.length === 0 || positionals.includes(p.name)))
    failed += await one(parser, count, seconds);
  return failed > 0 ? 1 : 0;
}

const started = watchdog(Number(values.hang));

/** @returns 1 when it failed */
async function one(parser: Parser, count: number, seconds: number): Promise<number> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  let done = 0;
  const progress = (runs: number): boolean => {
    done = runs;
    return (performance.now() - start) / 1000 > seconds;
  };
  const took = (runs: number): string => {
    const { user, system } = process.cpuUsage(cpu);
    const used = (user + system) / 1e6;
    return `${((performance.now() - start) / 1000).toFixed(0)} s; ${used.toFixed(0)} s of a processor: ${Math.round(runs / used)} a second`;
  };
  const options = { seed: Number(values.seed), first: Number(values.first), started };
  try {
    const { runs, taken, refused, longestMs, notes } = await parser.run({ ...options, count, progress });
    const share = `${taken} taken (${((100 * taken) / Math.max(1, runs)).toFixed(1)} %), ${refused} refused`;
    const more = notes === undefined ? "" : `; ${notes}`;
    console.log(
      `ok     ${parser.name}: ${runs} runs: ${share}${more}; longest ${Math.round(longestMs)} ms (${took(runs)})`,
    );
    return 0;
  } catch (e) {
    console.log(
      `FAILED ${parser.name} after about ${done} runs: ${await withStack(parser, options, e)} (${took(done)})`,
    );
    return 1;
  } finally {
    started(-1);
  }
}

/** What failed, repeated once with its stack: of the many errors that are answers nobody sees one. */
async function withStack(parser: Parser, options: Omit<FuzzOptions, "count" | "progress">, error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  const run = /, run (\d+):/.exec(message)?.[1];
  if (run === undefined) return message;
  Error.stackTraceLimit = 20;
  const again = await parser.run({ ...options, first: Number(run), count: 1, progress: () => true }).catch((e) => e);
  Error.stackTraceLimit = 0;
  return again instanceof Error ? again.message : `${message} (which does not happen when it is repeated)`;
}

// A stack costs more than refusing does.
Error.stackTraceLimit = 0;
process.exitCode = await fuzz();
