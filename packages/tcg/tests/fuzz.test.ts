/** Random blocks, optimised or not, on both back ends against the reference evaluator. MIMUS_FUZZ_RUNS sets the number. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FuzzMachine } from "./fuzz-machine.ts";

const RUNS = Number(process.env["MIMUS_FUZZ_RUNS"] ?? 500);

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
        { numRuns: RUNS },
      );
      const { compiled, uncompilable, blocks: total } = machine.tcg.stats();
      expect(total).toBeGreaterThan(0);
      if (backend === "wasm") expect(compiled).toBeGreaterThan(uncompilable);
    },
    RUNS * 20 + 20_000,
  );
});
