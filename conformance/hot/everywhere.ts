/** Runs a program on all back ends and under QEMU. */
import { expect } from "vitest";
import type { TcgOptions } from "@mimus/tcg";
import { oracle } from "../lib/mimus.ts";
import { program, runOurs, runQemu } from "./bare.ts";

/** Seconds for one run. */
export const SECONDS = 60;

/** The back ends, by name. */
export const WAYS: Readonly<Record<"interp" | "region" | "stress" | "auto", TcgOptions>> = {
  interp: { backend: "interp" },
  region: { backend: "region" },
  stress: { backend: "region", region: { stress: 7 } },
  auto: { backend: "auto", hotThreshold: 5, batch: 2, region: { threshold: 10 } },
};

/** The program ends with status 0 and the same output everywhere. */
export async function expectSameEverywhere(source: string, harts = 1): Promise<void> {
  const image = program(source);
  const outputs: Set<string> = new Set(oracle("qemu-system-riscv64") ? [runQemu(image, harts).output] : []);
  for (const [name, tcg] of Object.entries(WAYS)) {
    const { output, status } = await runOurs(image, { tcg, seconds: SECONDS, harts });
    expect.soft(status, name).toBe(0);
    expect.soft(output, name).toMatch(/^([0-9a-f]{16}\n)+$/);
    outputs.add(output);
  }
  expect([...outputs]).toHaveLength(1);
}
