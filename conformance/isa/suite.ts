/** Batches of random cases, run by the oracle and by our back ends. */
import { makeCase, makeEncoding, subjects, type Case, type Subject } from "./cases.ts";
import { compareRecords, type Difference } from "./compare.ts";
import { flowSide } from "./flow-sides.ts";
import { LocalRunner } from "./local.ts";
import { runOracle } from "./oracle.ts";
import { buildProgram, RECORD, RECORDS } from "./program.ts";
import { Random } from "./random.ts";

/** Options of {@link runSuite}. */
export interface SuiteOptions {
  readonly xlen: 32 | 64;
  readonly cases: number;
  /** Names that {@link flowSide} knows. */
  readonly backends: readonly string[];
  readonly seed: number;
  /** Only these instructions. */
  readonly only?: RegExp | undefined;
  readonly batch?: number;
  report?(difference: Difference, backend: string): void;
  progress?(done: number): void;
}

/** States that each random encoding is run from. */
const STATES = 8;

/** Cases and differences, by part of the instruction set. */
export type Counts = Map<string, { cases: number; instructions: Set<string>; differences: number }>;

/** Run `cases` random cases; every instruction gets its share. */
export async function runSuite(o: SuiteOptions): Promise<Counts> {
  const list: Subject[] = subjects(o.xlen).filter((s) => !o.only || o.only.test(s.entry.name));
  const counts: Counts = new Map();
  const batch = Math.min(o.batch ?? 8000, o.cases);
  const random = new Random(o.seed);
  const runners = o.backends.map(
    (b) => [b, new LocalRunner(o.xlen, flowSide(b, o.seed), RECORDS + (batch + 1) * RECORD.size)] as const,
  );
  let next = 0;
  for (let done = 0, n = 0; done < o.cases; n++) {
    const size = Math.min(batch, o.cases - done);
    const base = n % 2 === 0 ? 31 : 30;
    const cases: Case[] = [];
    while (cases.length < size) {
      const subject = list[next++ % list.length] as Subject;
      const encoding = makeEncoding(random, subject, base);
      const count = counts.get(encoding.part) ?? { cases: 0, instructions: new Set(), differences: 0 };
      count.instructions.add(encoding.name);
      counts.set(encoding.part, count);
      for (let i = 0; i < STATES && cases.length < size; i++) {
        cases.push(makeCase(random, encoding));
        count.cases++;
      }
    }
    const program = buildProgram(o.xlen, base, cases);
    const expected = await runOracle(o.xlen, program);
    for (const [backend, runner] of runners) {
      for (const d of compareRecords(o.xlen, cases, program, runner.run(program), expected)) {
        const count = counts.get(cases[d.index]?.encoding.part ?? "");
        if (count) count.differences++;
        o.report?.(d, backend);
      }
    }
    done += size;
    o.progress?.(done);
  }
  return counts;
}
