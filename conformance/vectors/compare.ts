import type { MemoryBytes, Runner, StepCase, Verdict } from "./case.ts";

/** A machine that can be put into a state, run for one case and be asked for its state. */
export interface StepMachine {
  /**
   * Sets the state and runs. @returns why the case can't be run ("no x87 yet"), or what happened; `exception` is the
   * architectural number of an exception, of which the registers must be those before its entry.
   */
  run(test: StepCase): { readonly skipped: string } | { readonly exception?: number };
  /** Value after the run; undefined when the machine has no such register. */
  register(name: string): bigint | undefined;
  /** A view of memory after the run. */
  memory(address: number, length: number): Uint8Array;
  /** Whether two values of a register are near enough, for approximate cases. */
  near?(name: string, got: bigint, wanted: bigint): boolean;
}

/** Compares the state of a machine after each case with the expected one. */
export function stepRunner(machine: StepMachine): Runner {
  return {
    run(test): Verdict {
      if (test.kind !== "step") return { skipped: "not an instruction" };
      const outcome = machine.run(test);
      if ("skipped" in outcome) return outcome;
      const differences = [...compare(machine, test, outcome.exception)];
      return differences.length === 0 ? { equal: true } : { differences };
    },
  };
}

function* compare(machine: StepMachine, test: StepCase, exception: number | undefined): Generator<string> {
  if (exception !== test.expected.exception) {
    yield `exception ${exception ?? "none"}, wanted ${test.expected.exception ?? "none"}`;
  }
  for (const [name, before] of test.registers) {
    const got = machine.register(name);
    if (got === undefined) continue;
    const wanted = test.expected.registers.get(name) ?? before;
    const compared = ~(test.ignored.get(name) ?? 0n);
    if ((got & compared) === (wanted & compared)) continue;
    if (test.alternatives?.get(name) === got) continue;
    if (test.approximate === true && machine.near?.(name, got, wanted) === true) continue;
    yield `${name} ${got.toString(16)}, wanted ${wanted.toString(16)}`;
  }
  const expected = [...test.memory, ...test.expected.memory];
  for (const region of expected) {
    const got = machine.memory(region.address, region.bytes.length);
    if (Buffer.compare(got, region.bytes) === 0) continue;
    yield* bytesThatDiffer(got, region, expected.slice(expected.indexOf(region) + 1));
  }
}

/** Differences of a region where no later region of the list gives the byte another value. */
function* bytesThatDiffer(got: Uint8Array, region: MemoryBytes, later: readonly MemoryBytes[]): Generator<string> {
  let shown = 0;
  for (let i = 0; i < got.length && shown < 8; i++) {
    const at = region.address + i;
    if (
      got[i] === region.bytes[i] ||
      later.some(({ address, bytes }) => at >= address && at < address + bytes.length)
    ) {
      continue;
    }
    shown++;
    yield `[${at.toString(16)}] ${byte(got[i])}, wanted ${byte(region.bytes[i])}`;
  }
}

function byte(value: number | undefined): string {
  return (value ?? 0).toString(16).padStart(2, "0");
}
