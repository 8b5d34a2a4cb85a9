import { expect, it } from "vitest";
import { PM_TIMER_HZ, PmRegisters } from "./pm-registers.ts";

it("reads the timer at once, however fast time passes", () => {
  let now = 0;
  const pm = new PmRegisters({ now: () => (now += 5_000_000), arm: () => {}, sci: () => {}, sleep: () => {} });
  let last = -1;
  // Each look finds the timer 17,898 counts on: every fourth sees a carry out of the low half.
  for (let n = 0; n < 100; n++) {
    const value = pm.read(8, 4);
    expect(value - last).toBeGreaterThan(0);
    expect(value - last).toBeLessThan(PM_TIMER_HZ / 100);
    last = value;
  }
});

it("writes both words of four bytes", () => {
  const pm = new PmRegisters({ now: () => 0, arm: () => {}, sci: () => {}, sleep: () => {} });
  pm.write(0, 4, 0x0100_ffff);
  expect([pm.read(0, 4), pm.read(2, 2), pm.read(3, 1)]).toEqual([0x0100_0000, 0x0100, 1]);
});
