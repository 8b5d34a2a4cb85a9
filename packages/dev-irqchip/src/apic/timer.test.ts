import { describe, expect, it } from "vitest";
import { MASKED, TIMER } from "./spec.ts";
import { apicState } from "./state.ts";
import { ApicTimer } from "./timer.ts";

/** A timer on a clock that goes on by `step` each time somebody looks at it, as a host's does. */
function timer(step: number) {
  const m = { now: 0, armed: undefined as number | undefined, fired: 0 };
  const chip = new ApicTimer(
    { now: () => (m.now += step), arm: (deadline) => void (m.armed = deadline) },
    () => void m.fired++,
  );
  chip.divide = 3;
  chip.setVector(TIMER.ONE_SHOT, false);
  return { chip, m };
}

describe("a count that ends before it is looked at", () => {
  it("interrupts once", () => {
    const { chip, m } = timer(2000);
    chip.setInitial(62);
    expect(m.armed).toBeLessThan(m.now);
    chip.expire();
    expect([m.fired, m.armed]).toEqual([1, undefined]);
    chip.expire();
    chip.update();
    expect([m.fired, m.armed]).toEqual([1, undefined]);
  });

  it("is not lost when time is set anew, or the state is saved and loaded", () => {
    const { chip, m } = timer(1);
    chip.setInitial(62);
    m.now += 5000;
    chip.update();
    expect(m.armed).toBe(chip.start + 992);
    const saved = { initial: chip.initial, divide: chip.divide, start: chip.start, ended: chip.ended };
    chip.load(apicState.parse({}), MASKED);
    expect(m.armed).toBeUndefined();
    chip.load(apicState.parse(saved), 0x31);
    expect(m.armed).toBeDefined();
    chip.expire();
    expect(m.fired).toBe(1);
  });

  it("is lost when it ended while it was masked", () => {
    const { chip, m } = timer(1);
    chip.setVector(TIMER.ONE_SHOT, true);
    chip.setInitial(62);
    m.now += 5000;
    chip.setVector(TIMER.ONE_SHOT, false);
    expect(m.armed).toBeUndefined();
    chip.setVector(TIMER.ONE_SHOT, true);
    chip.setInitial(62);
    chip.setVector(TIMER.ONE_SHOT, false);
    expect(m.armed).toBeDefined();
  });
});
