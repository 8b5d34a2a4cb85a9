import { expect, it } from "vitest";
import { ClockSet } from "./clock.ts";
import { Timer } from "./timer.ts";

it("fires timers in the order of deadlines, then of arming", () => {
  let now = 0;
  const clocks = new ClockSet(() => now);
  const fired: string[] = [];
  const timers = ["c", "a", "b", "b2"].map((n) => new Timer(clocks.virtual, () => fired.push(n)));
  [30, 10, 20, 20].forEach((at, i) => timers[i]!.arm(at));
  expect(clocks.nextDeadline()).toBe(10);
  now = 20;
  expect(clocks.run()).toBe(3);
  expect(fired).toEqual(["a", "b", "b2"]);
  timers[0]!.cancel();
  expect(timers[0]!.armed).toBe(false);
  expect(clocks.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
});

it("does not hang on a timer that arms itself in the past", () => {
  const clocks = new ClockSet(() => 100);
  let fired = 0;
  const timer: Timer = new Timer(clocks.virtual, () => {
    fired++;
    timer.arm(0);
  });
  timer.arm(0);
  clocks.run();
  expect(fired).toBe(1);
  clocks.run();
  expect(fired).toBe(2);
  timer.arm(Number.NaN);
  expect(timer.armed).toBe(false);
});

it("agrees with a sorted list", () => {
  let seed = 3;
  const rnd = (n: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n;
  let now = 0;
  const clocks = new ClockSet(() => now);
  const fired: number[] = [];
  const timers = Array.from({ length: 50 }, (_, i) => new Timer(clocks.virtual, () => fired.push(i)));
  const order = new Map<number, number>();
  for (let n = 0; n < 500; n++) {
    const i = rnd(50);
    if (rnd(4) === 0) timers[i]!.cancel();
    else timers[i]!.arm(rnd(1000));
    order.set(i, n);
  }
  const expected = timers
    .map((t, i) => ({ i, armed: t.armed, at: t.deadline }))
    .filter((t) => t.armed)
    .toSorted((x, y) => x.at - y.at || order.get(x.i)! - order.get(y.i)!)
    .map((t) => t.i);
  now = 1000;
  clocks.run();
  expect(fired).toEqual(expected);
});

it("stops, starts, and changes the source of guest time without a jump", () => {
  let host = 1000;
  let instructions = 5;
  const clocks = new ClockSet(() => host);
  expect(clocks.virtual.now()).toBe(0);
  host = 1500;
  clocks.stop();
  host = 9000;
  expect(clocks.virtual.now()).toBe(500);
  const timer = new Timer(clocks.virtual, () => {});
  timer.arm(1);
  expect(clocks.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  expect(clocks.run()).toBe(0);
  clocks.start();
  host = 9100;
  expect(clocks.virtual.now()).toBe(600);
  clocks.virtual.setSource(() => instructions * 10);
  instructions = 8;
  expect(clocks.virtual.now()).toBe(630);
  clocks.virtual.set(7);
  expect(clocks.virtual.now()).toBe(7);
});

it("tells of earlier deadlines and counts realtime ones in guest time", () => {
  let host = 50;
  const clocks = new ClockSet(
    () => host,
    () => 1e18,
  );
  let heard = 0;
  clocks.onEarlier(() => heard++);
  const real = new Timer(clocks.realtime, () => {});
  real.arm(80);
  const late = new Timer(clocks.virtual, () => {});
  late.arm(1000);
  const early = new Timer(clocks.virtual, () => {});
  early.arm(900);
  late.arm(2000);
  expect(heard).toBe(3);
  expect(clocks.nextDeadline()).toBe(30);
  expect(clocks.host.now()).toBe(1e18);
  host = 80;
  expect(clocks.run()).toBe(1);
});
