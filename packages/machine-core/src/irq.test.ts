import { expect, it } from "vitest";
import { IrqLine, OrIrq, splitIrq } from "./irq.ts";

it("forwards changes only, and tells a late sink of a high line", () => {
  const line = new IrqLine("x");
  const heard: boolean[] = [];
  line.set(true);
  line.connect((level) => heard.push(level));
  line.set(true);
  line.set(false);
  line.pulse();
  expect(heard).toEqual([true, false, true, false]);
});

it("splits and joins", () => {
  const or = new OrIrq();
  const heard: boolean[] = [];
  or.output.connect((level) => heard.push(level));
  const a = new IrqLine();
  const b = new IrqLine();
  const seen: boolean[] = [];
  a.connect(splitIrq(or.input(0), (level) => seen.push(level)));
  b.connect(or.input(1));
  a.set(true);
  b.set(true);
  a.set(false);
  expect(or.output.level).toBe(true);
  b.set(false);
  expect(heard).toEqual([true, false]);
  expect(seen).toEqual([true, false]);
});
