import { adapterFor } from "./adapters.ts";
import { VectorError } from "./case.ts";
import type { Adapter, RunSettings, Verdict, VectorCase, VectorFile } from "./case.ts";

/** Counts of one file. `total` = `equal` + `different` + all of `skipped`. */
export interface Report {
  readonly total: number;
  readonly equal: number;
  readonly different: number;
  /** Number of cases by reason. */
  readonly skipped: ReadonlyMap<string, number>;
  /** Differing cases by class: how many, and the first few as text. */
  readonly classes: ReadonlyMap<string, { readonly count: number; readonly first: readonly string[] }>;
}

export interface ReportOptions {
  /** Differences kept per class; default 3. */
  readonly keep?: number;
  /** Only classes that match. */
  readonly only?: RegExp;
  readonly settings?: RunSettings;
}

/** Runs all cases of a file through the adapter of its target. */
export async function report(file: VectorFile, options: ReportOptions = {}, adapter?: Adapter): Promise<Report> {
  const opened = await (adapter ?? adapterFor(file.target)).open(file, options.settings);
  const skipped = new Map<string, number>();
  const classes = new Map<string, { count: number; first: string[] }>();
  let [total, equal, different] = [0, 0, 0];
  for (const test of file.cases) {
    if (options.only && !options.only.test(test.class)) continue;
    total++;
    const verdict = "missing" in opened ? { skipped: opened.missing } : judge(test, opened.run.bind(opened));
    if ("equal" in verdict) equal++;
    else if ("skipped" in verdict) skipped.set(verdict.skipped, (skipped.get(verdict.skipped) ?? 0) + 1);
    else {
      different++;
      const entry = classes.get(test.class) ?? { count: 0, first: [] };
      classes.set(test.class, entry);
      entry.count++;
      if (entry.first.length < (options.keep ?? 3)) entry.first.push(describe(test, verdict.differences));
    }
  }
  return { total, equal, different, skipped, classes };
}

/** A case that makes the emulator throw is a difference, not the end of the run; a malformed line is the latter. */
function judge(test: VectorCase, run: (test: VectorCase) => Verdict): Verdict {
  if (test.kind !== "float" && test.skip !== undefined) return { skipped: test.skip };
  try {
    return run(test);
  } catch (error) {
    if (error instanceof VectorError) throw error;
    return { differences: [`threw ${(error as Error).name}: ${(error as Error).message.split("\n")[0]}`] };
  }
}

function describe(test: VectorCase, differences: readonly string[]): string {
  return `line ${test.line}${test.kind === "float" ? "" : ` (${test.text})`}: ${differences.join("; ")}`;
}

/** `N of M equal, K skipped (why)`. */
export function summary({ total, equal, skipped }: Report): string {
  const count = [...skipped.values()].reduce((sum, n) => sum + n, 0);
  if (count === 0) return `${equal} of ${total} equal, 0 skipped`;
  const reasons = [...skipped].sort(([, a], [, b]) => b - a);
  const why = reasons.length === 1 ? reasons[0]?.[0] : reasons.map(([reason, n]) => `${n} ${reason}`).join(", ");
  return `${equal} of ${total} equal, ${count} skipped (${why})`;
}
