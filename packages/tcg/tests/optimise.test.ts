import { Optimiser, evaluate, print, verify } from "@mimus/tcg";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TestState, blockFrom, outcome } from "./random-block.ts";

const RUNS = Number(
  (globalThis as { process?: { env: Record<string, string> } }).process?.env["MIMUS_FUZZ_RUNS"] ?? 3000,
);

test(
  "an optimised block does what the block did",
  () => {
    const optimiser = new Optimiser();
    let before = 0;
    let after = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 300, size: "max" }), fc.nat(), (choices, seed) => {
        const block = blockFrom(choices);
        const text = print(block);
        const better = optimiser.run(block, (pass, b) => {
          try {
            verify(b);
          } catch (error) {
            throw new Error(`after ${pass}:\n${print(b)}`, { cause: error });
          }
        });
        const original = blockFrom(choices);
        before += original.ops.length;
        after += better.ops.length;
        const [one, two] = [new TestState(seed), new TestState(seed)];
        const [x, y] = [outcome(evaluate(original, one), one), outcome(evaluate(better, two), two)];
        if (JSON.stringify(x) !== JSON.stringify(y)) expect({ ...y, text: print(better) }).toEqual({ ...x, text });
      }),
      { numRuns: RUNS },
    );
    expect(after).toBeLessThan(before);
  },
  RUNS * 5 + 20_000,
);

test("optimising again changes little and nothing in meaning", () => {
  const optimiser = new Optimiser();
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 200, size: "max" }), (choices) => {
      const block = optimiser.run(blockFrom(choices));
      const once = block.ops.length;
      optimiser.run(block, (_, b) => verify(b));
      expect(block.ops.length).toBeLessThanOrEqual(once + 2);
    }),
    { numRuns: 500 },
  );
});
