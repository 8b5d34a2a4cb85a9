import { expect, it } from "vitest";
import { riscvFile, runTestfloat } from "../float/run.ts";

// Each case runs twice: with clear flags, and with inexact already set.
it("softfloat: all TestFloat cases for RISC-V, results and flags", () => {
  const report = runTestfloat(riscvFile);
  console.log(`testfloat-riscv: ${report.equal} of ${report.cases} equal, ${report.byFunction.size} functions`);
  expect(report.differences).toEqual([]);
  expect([...report.missing]).toEqual([]);
  expect(report).toMatchObject({ cases: 105_550, equal: 105_550 });
});
