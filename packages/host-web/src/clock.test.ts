import { afterAll, expect, test } from "vitest";

import { webClock } from "./clock.ts";

const clock = webClock();
afterAll(() => clock.close());

test("time goes forward and agrees with the wall clock", async () => {
  const [start, wall] = [clock.now(), clock.wallNow()];
  await clock.sleepUntil(start + 20e6, () => {});
  expect(clock.now() - start).toBeGreaterThanOrEqual(19e6);
  expect(Math.abs(clock.wallNow() - wall - (clock.now() - start))).toBeLessThan(5e6);
  expect(Math.abs(wall / 1e6 - Date.now())).toBeLessThan(60_000);
  const shifted = webClock({ wallOffset: -3600e9 });
  expect(Math.abs(shifted.wallNow() - clock.wallNow() + 3600e9)).toBeLessThan(5e9);
  shifted.close();
});

test("a hundred turns take no hundred clamped timers", async () => {
  const start = clock.now();
  for (let i = 0; i < 100; i++) await clock.yield();
  expect(clock.now() - start).toBeLessThan(200e6);
});

test("turns let messages of others through", async () => {
  const { port1, port2 } = new MessageChannel();
  const heard: unknown[] = [];
  port1.addEventListener("message", ({ data }) => heard.push(data));
  port1.start();
  port2.postMessage("hello");
  // Node drains up to a thousand messages of one port before it looks at another one.
  for (let i = 0; i < 5000 && heard.length === 0; i++) await clock.yield();
  expect(heard).toEqual(["hello"]);
  port1.close();
});

test("a sleep ends early when it is woken, even before it began", async () => {
  const start = clock.now();
  let wake = (): void => {};
  const long = clock.sleepUntil(Infinity, (w) => (wake = w));
  setTimeout(() => wake(), 5);
  await long;
  await clock.sleepUntil(clock.now() + 60e9, (w) => w());
  await clock.sleepUntil(clock.now() + 3e6, (w) => w());
  await clock.sleepUntil(clock.now() - 1, () => {});
  expect(clock.now() - start).toBeLessThan(5e9);
});

test("short sleeps in a row are not held back to 4 ms each", async () => {
  const start = clock.now();
  for (let i = 0; i < 50; i++) await clock.sleepUntil(clock.now() + 1e6, () => {});
  // 50 × 4 ms would be 200 ms; generous for busy machines.
  expect((clock.now() - start) / 50).toBeLessThan(20e6);
});

test("randomness fills any length", () => {
  const bytes = new Uint8Array(200_000);
  clock.random(bytes);
  expect(new Set(bytes.subarray(0, 5000)).size).toBeGreaterThan(200);
  expect(new Set(bytes.subarray(195_000)).size).toBeGreaterThan(200);
});
