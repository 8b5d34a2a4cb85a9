/** Damaged input for every parser of bytes that nobody vouches for. `pnpm fuzz -h` says how. */
import { parseArgs } from "node:util";
import { countAllocations } from "./allocations.ts";
import { byteParser } from "./bytes.ts";
import { diskParsers } from "./disks.ts";
import { LOADERS } from "./loaders.ts";
import type { Parser } from "./parser.ts";
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
  const took = (): string => {
    const { user, system } = process.cpuUsage(cpu);
    return `${((performance.now() - start) / 1000).toFixed(0)} s, ${((user + system) / 1e6).toFixed(0)} s of a processor`;
  };
  try {
    const { runs, taken, refused, longestMs, notes } = await parser.run({
      count,
      seed: Number(values.seed),
      first: Number(values.first),
      started,
      progress,
    });
    const more = notes === undefined ? "" : `; ${notes}`;
    console.log(
      `ok     ${parser.name}: ${runs} runs: ${taken} taken, ${refused} refused${more}; longest ${Math.round(longestMs)} ms (${took()})`,
    );
    return 0;
  } catch (e) {
    console.log(
      `FAILED ${parser.name} after about ${done} runs: ${e instanceof Error ? e.message : String(e)} (${took()})`,
    );
    return 1;
  } finally {
    started(-1);
  }
}

// Refusals are many; where they come from is seen when one of them is repeated.
Error.stackTraceLimit = 4;
process.exitCode = await fuzz();
