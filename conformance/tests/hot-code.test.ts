/** Bare-metal programs whose hot code is interrupted or remapped: the same output on all back ends and under QEMU. */
import { describe, expect, test } from "vitest";
import { program, runOurs } from "../hot/bare.ts";
import { expectSameEverywhere, SECONDS, WAYS } from "../hot/everywhere.ts";
import { INTERRUPTED } from "../hot/interrupted.ts";
import { REMAPPED } from "../hot/remapped.ts";

test.each(Object.entries({ ...REMAPPED, ...INTERRUPTED }))("%s", { timeout: SECONDS * 5000 }, async (_, source) => {
  await expectSameEverywhere(source);
});

describe("time counted in instructions", () => {
  test.each(["a timer interrupts a hot loop", "a loop that waits for interrupts"])(
    "%s: the same number of instructions",
    { timeout: SECONDS * 3000 },
    async (title) => {
      const image = program(INTERRUPTED[title] ?? "");
      const [a, b] = [
        await runOurs(image, { tcg: WAYS.interp, icount: true }),
        await runOurs(image, { tcg: WAYS.region, icount: true }),
      ];
      expect(b).toMatchObject({ output: a.output, status: 0, executed: a.executed });
    },
  );
});
