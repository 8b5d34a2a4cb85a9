/**
 * Random blocks, optimised or not, on both back ends against the reference evaluator. The same blocks every time, unless
 * MIMUS_FUZZ_RUNS sets a number: then they differ from run to run, and a failure prints its seed.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FuzzMachine } from "./fuzz-machine.ts";

const wanted = process.env["MIMUS_FUZZ_RUNS"];
const RUNS = Number(wanted ?? 500);

const blocks = fc.record({
  script: fc.array(fc.nat(), { maxLength: 250, size: "max" }),
  seed: fc.nat(),
  loops: fc.boolean(),
});

describe.each(["interp", "wasm"] as const)("%s", (backend) => {
  test.each([
    ["optimised", true],
    ["as they are", false],
  ] as const)(
    "runs blocks %s as the evaluator does",
    (_, optimise) => {
      const machine = new FuzzMachine(backend, optimise);
      fc.assert(
        fc.property(blocks, (block) => {
          const difference = machine.difference(block);
          if (difference !== undefined) expect.fail(difference);
        }),
        { numRuns: RUNS, ...(wanted === undefined ? { seed: 2026 } : {}) },
      );
      const { compiled, uncompilable, blocks: total } = machine.tcg.stats();
      expect(total).toBeGreaterThan(0);
      if (backend === "wasm") expect(compiled).toBeGreaterThan(uncompilable);
    },
    RUNS * 20 + 20_000,
  );
});
