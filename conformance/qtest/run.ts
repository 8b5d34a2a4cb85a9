/**
 * Runs device test sequences against our machines.
 *
 *   pnpm qtest-sequences FILE...          each file: sequences in QEMU's test protocol
 *   pnpm qtest-sequences --verbose FILE   every answer
 *
 * A sequence passes when every operation is answered as wanted (with OK where nothing is stated), none takes longer than a second of the
 * processor, and the machine still answers afterwards. Exit status 1 when one does not pass.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { Qtest, qtestPort } from "@mimus/system";
import { commandLine } from "../lib/command-line.ts";
import { buildMachine, Unavailable } from "./machine.ts";
import { readSequences, satisfies, type Sequence, splitOp } from "./sequence.ts";

const LIMIT_MS = 1000;
/** An operation that any machine answers. */
const ALIVE = "inb 0x80";

/** How much time passes, and how much of it on the processor: the smaller of the two is what an operation took, however busy the computer is. */
function stopwatch(): () => number {
  const start = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - start, (user + system) / 1000);
  };
}

interface Outcome {
  readonly kind: "pass" | "fail" | "skip";
  readonly why: string;
}

async function run(sequence: Sequence, verbose: boolean): Promise<Outcome> {
  const answers: string[] = [];
  let qtest: Qtest;
  try {
    const system = await buildMachine(sequence.target, sequence.args);
    qtest = new Qtest(qtestPort(system), (line) => {
      if (!line.startsWith("IRQ ")) answers.push(line);
    });
    system.start();
  } catch (error) {
    if (error instanceof Unavailable) return { kind: "skip", why: error.message };
    return { kind: "fail", why: `machine: ${error instanceof Error ? error.message : String(error)}` };
  }
  for (const [i, op] of [...sequence.ops, ALIVE].entries()) {
    const { line, want } = splitOp(op);
    answers.length = 0;
    const elapsed = stopwatch();
    try {
      qtest.line(line);
    } catch (error) {
      return {
        kind: "fail",
        why: `op ${i} "${line}" threw ${error instanceof Error ? (error.stack ?? "") : String(error)}`,
      };
    }
    // Completions of disks and the like come between operations.
    await new Promise((resolve) => void setImmediate(resolve));
    const ms = elapsed();
    if (verbose) console.log(`  ${line} -> ${answers[0]}`);
    if (ms > LIMIT_MS) return { kind: "fail", why: `op ${i} "${line}" took ${ms.toFixed(0)} ms` };
    if (!satisfies(answers[0], want)) {
      return {
        kind: "fail",
        why: `op ${i} "${line}" gave "${answers[0] ?? "nothing"}"${want === undefined ? "" : `, wanted "${want}"`}`,
      };
    }
  }
  return { kind: "pass", why: "" };
}

const { values, positionals } = commandLine(import.meta.filename, {
  allowPositionals: true,
  options: { verbose: { type: "boolean", default: false } },
});
let failed = false;
for (const file of positionals) {
  const sequences = readSequences(readFileSync(file, "utf8"));
  let passed = 0;
  const skipped = new Map<string, number>();
  for (const sequence of sequences) {
    const outcome = await run(sequence, values.verbose);
    if (outcome.kind === "pass") passed++;
    else if (outcome.kind === "skip") skipped.set(outcome.why, (skipped.get(outcome.why) ?? 0) + 1);
    else {
      failed = true;
      console.log(`FAIL ${sequence.name}: ${outcome.why}`);
    }
  }
  const why = [...skipped].map(([what, n]) => `needs ${what}: ${n}`).join(", ");
  const skips = skipped.size === 0 ? "" : `, ${[...skipped.values()].reduce((a, b) => a + b)} skipped (${why})`;
  console.log(`${basename(file)}: ${passed} of ${sequences.length} answered${skips}`);
}
process.exit(failed ? 1 : 0);
