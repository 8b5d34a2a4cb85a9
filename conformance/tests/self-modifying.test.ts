/** Bare-metal programs that change code while it is hot: the same output on all back ends and under QEMU. */
import { expect, test } from "vitest";
import { program, runOurs } from "../hot/bare.ts";
import { expectSameEverywhere, SECONDS, WAYS } from "../hot/everywhere.ts";
import { generator, OTHER_HART, SELF_MODIFYING } from "../hot/self-modifying.ts";

test.each(Object.entries(SELF_MODIFYING))("%s", { timeout: SECONDS * 5000 }, async (_, source) => {
  await expectSameEverywhere(source);
});

test("one hart patches what another one runs", { timeout: SECONDS * 5000 }, async () => {
  await expectSameEverywhere(OTHER_HART, 2);
});

test("a guest that generates code without end stays below the cap", { timeout: SECONDS * 3000 }, async () => {
  const image = program(generator(800, 0x80000));
  const expected = await runOurs(image, { tcg: WAYS.interp });
  const codeCap = 256 << 10;
  const tcg = { backend: "auto", hotThreshold: 5, batch: 4, region: { threshold: 10, codeCap } } as const;
  const { output, stats } = await runOurs(image, { tcg });
  expect(output).toBe(expected.output);
  expect(stats.regions).toBeGreaterThan(100);
  expect(stats.evictions).toBeGreaterThan(0);
  // The module that exceeds it is made first.
  expect(stats.codeBytes).toBeLessThanOrEqual(codeCap + (64 << 10));
});
