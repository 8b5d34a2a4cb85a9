import { expect, it } from "vitest";
import { SampledTime } from "./sampled-time.ts";

it("asks the host once for readings that are close together in instructions", () => {
  let host = 100;
  let mark = 1000;
  let asked = 0;
  const time = new SampledTime(
    () => (asked++, host++),
    () => mark,
  );
  expect([time.now(), time.now(), asked]).toEqual([100, 100, 1]);
  mark -= 1000;
  expect([time.now(), asked]).toEqual([101, 2]);
  // A new run: the mark rose.
  mark += 5000;
  expect([time.now(), asked]).toEqual([102, 3]);
  expect([time.fresh(), asked]).toEqual([103, 4]);
});

it("lets time go on for a guest that reads nothing else", () => {
  let host = 0;
  const time = new SampledTime(
    () => ++host,
    () => 1,
  );
  for (let i = 0; i < 100; i++) time.now();
  expect(time.now()).toBeGreaterThan(5);
});

it("asks each time without a mark", () => {
  let host = 0;
  const time = new SampledTime(
    () => ++host,
    () => 0,
  );
  expect([time.now(), time.now(), time.now()]).toEqual([1, 2, 3]);
});
