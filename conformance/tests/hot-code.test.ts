/** Bare-metal programs whose hot code is changed, remapped or interrupted: the same output on all back ends and under QEMU. */
import { describe, expect, test } from "vitest";
import type { TcgOptions } from "@mimus/tcg";
import { program, runOurs, runQemu } from "../hot/bare.ts";
import { HOT_CODE } from "../hot/hot-code.ts";
import { generator, SELF_MODIFYING } from "../hot/self-modifying.ts";
import { oracle } from "../lib/mimus.ts";

const SECONDS = 60;

const WAYS: Readonly<Record<string, TcgOptions>> = {
  interp: { backend: "interp" },
  region: { backend: "region" },
  stress: { backend: "region", region: { stress: 7 } },
  auto: { backend: "auto", hotThreshold: 5, batch: 2, region: { threshold: 10 } },
};

const qemu = oracle("qemu-system-riscv64");

describe.each(Object.entries({ ...SELF_MODIFYING, ...HOT_CODE }))("%s", (_, source) => {
  const image = program(source);
  test("as under QEMU on all back ends", { timeout: SECONDS * 1000 * 5 }, async () => {
    const expected = qemu ? runQemu(image) : undefined;
    const outputs: Set<string> = new Set(expected === undefined ? [] : [expected.output]);
    for (const [name, tcg] of Object.entries(WAYS)) {
      const { output, status } = await runOurs(image, { tcg, seconds: SECONDS });
      expect.soft(status, name).toBe(0);
      expect.soft(output, name).toMatch(/^([0-9a-f]{16}\n)+$/);
      outputs.add(output);
    }
    expect([...outputs]).toHaveLength(1);
  });
});

describe("time counted in instructions", () => {
  test.each(["a timer interrupts a hot loop", "a loop that waits for interrupts"])("%s", async (title) => {
    const image = program(HOT_CODE[title] ?? "");
    const a = await runOurs(image, { tcg: WAYS["interp"]!, icount: true });
    const b = await runOurs(image, { tcg: WAYS["region"]!, icount: true });
    expect(b).toMatchObject({ output: a.output, status: 0, executed: a.executed });
  });
});

test("a guest that generates code without end stays below the cap", { timeout: 120_000 }, async () => {
  const image = program(generator(1200, 0x80000));
  const expected = await runOurs(image, { tcg: { backend: "interp" } });
  const codeCap = 256 << 10;
  for (const stress of [undefined, 5]) {
    const region = { codeCap, ...(stress === undefined ? {} : { stress }) };
    const { output, stats } = await runOurs(image, { tcg: { backend: "region", region } });
    expect(output).toBe(expected.output);
    expect(stats.evictions).toBeGreaterThan(0);
    expect(stats.codeBytes).toBeLessThanOrEqual(codeCap);
  }
});
