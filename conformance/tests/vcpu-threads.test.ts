import { describe, expect, test } from "vitest";

import { runMimus } from "../lib/mimus.ts";

const multi = (...more: string[]): { status: number; stderr: string } =>
  runMimus(["system-x86_64", "-display", "none", "-nodefaults", "-accel", "tcg,thread=multi", ...more]);

describe("vCPUs on threads are refused", () => {
  test("with a clock of instructions", () => {
    const { status, stderr } = multi("-smp", "2", "-icount", "shift=0");
    expect([status, stderr]).toEqual([1, expect.stringContaining("thread=multi: not with -icount")]);
  });

  test("for CPUs that have none", () => {
    const { status, stderr } = runMimus([
      "system-riscv64", "-M", "virt", "-bios", "none", "-smp", "2", "-accel", "tcg,thread=multi",
    ]); // prettier-ignore
    expect([status, stderr]).toEqual([1, expect.stringContaining("do not run on threads of their own")]);
  });

  test("for more CPUs than have a bit", () => {
    const { status, stderr } = multi("-smp", "33");
    expect([status, stderr]).toEqual([1, expect.stringContaining("at most 32 can have threads")]);
  });
});
