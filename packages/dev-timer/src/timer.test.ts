import { Bench, testDevice, testManifest } from "@mimus/testkit";
import fc from "fast-check";
import { expect, it } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { aclintMtimer } from "./aclint-mtimer.ts";
import { aclintSwi } from "./aclint-swi.ts";
import { GoldfishRtc } from "./goldfish.ts";
import { goldfishRtc } from "./goldfish-rtc.ts";
import plugin from "./index.ts";
import { MTimer } from "./mtimer.ts";
import { SoftwareInterrupts } from "./swi.ts";
import { Halves, TickRate } from "./ticks.ts";

testDevice(aclintMtimer, { props: { "num-harts": 3 } });
testDevice(aclintSwi, { props: { "num-harts": 3 } });
testDevice(aclintSwi, { props: { "num-harts": 2, sswi: 1 } });
// A clock keeps its time over a reset.
testDevice(goldfishRtc, { ignore: ["chip.offset"] });
testManifest(packageJson, plugin);

const TIME = 0x7ff8;

interface Harness {
  readonly chip: MTimer;
  /** Lets the time be this, in nanoseconds. */
  at(ns: number): void;
  readonly level: boolean[];
  /** Deadlines of the harts. */
  readonly armed: (number | undefined)[];
  now: number;
}

function mtimer(): Harness {
  const h: Harness = {
    now: 0,
    level: [],
    armed: [],
    at: (ns) => {
      h.now = ns;
      for (const [hart, deadline] of h.armed.entries())
        if (deadline !== undefined && deadline <= ns) h.chip.expire(hart);
    },
    chip: new MTimer(
      { harts: 2, frequency: 10_000_000, timecmpBase: 0, timeBase: TIME },
      {
        now: () => h.now,
        output: (hart, level) => (h.level[hart] = level),
        arm: (hart, deadline) => (h.armed[hart] = deadline),
        guestError: () => {},
      },
    ),
  };
  h.chip.reset();
  return h;
}

it("counts 10 MHz and interrupts at mtimecmp", () => {
  const h = mtimer();
  h.chip.writeWide(8, 1000, 0);
  expect(h.armed[1]).toBe(100_000);
  h.at(99_999);
  expect([h.chip.read(TIME, 4), h.level[1]]).toEqual([999, false]);
  h.at(100_000);
  expect([h.chip.read(TIME, 4), h.level]).toEqual([1000, [false, true]]);
  h.chip.writeWide(8, 0xffffffff, 0xffffffff);
  expect(h.level[1]).toBe(false);
  expect(h.armed[1]).toBeUndefined();
});

it("takes mtimecmp in halves", () => {
  const h = mtimer();
  h.at(50_000);
  h.chip.write(4, 4, 0xffffffff);
  h.chip.write(0, 4, 600);
  expect(h.level[0]).toBe(false);
  h.chip.write(4, 4, 0);
  expect(h.armed[0]).toBe(60_000);
});

it("sets mtime, wraps it at 2^64, and tells of the jump", () => {
  const h = mtimer();
  let jumps = 0;
  h.chip.onJump = () => jumps++;
  h.at(1000);
  h.chip.writeWide(TIME, 0xfffffff6, 0xffffffff);
  expect(jumps).toBe(1);
  h.chip.writeWide(0, 0xffffffff, 0xffffffff);
  expect(h.armed[0]).toBe(1900);
  h.at(1900);
  expect(h.level[0]).toBe(true);
  h.at(2000);
  expect([h.chip.read(TIME, 4), h.chip.read(TIME + 4, 4)]).toEqual([0, 0]);
});

it("gives deadlines for any comparison, the far end of time included", () => {
  const h = mtimer();
  h.at(12_345);
  expect(h.chip.deadline(123, 0)).toBeUndefined();
  expect(h.chip.deadline(124, 0)).toBe(12_400);
  expect(h.chip.deadline(0, 0x80000000)).toBe(Infinity);
});

it("starts mtime at zero on reset", () => {
  const h = mtimer();
  h.at(5_000_000);
  h.chip.reset();
  expect(h.chip.read(TIME, 4)).toBe(0);
  h.at(5_000_100);
  expect(h.chip.read(TIME, 4)).toBe(1);
});

it("converts ticks to the first nanosecond that shows them", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 0xffffffff }), fc.integer({ min: 0, max: 2 ** 40 }), (hz, ticks) => {
      const rate = new TickRate(hz);
      const ns = rate.nsOf(ticks);
      if (ns >= 2 ** 52) return;
      expect(rate.ticksAt(ns)).toBeGreaterThanOrEqual(ticks);
      if (ns > 0) expect(rate.ticksAt(ns - 1)).toBeLessThanOrEqual(ticks);
    }),
  );
});

it("adds and subtracts modulo 2^64", () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const split = (v: bigint): [number, number] => [Number(v & 0xffffffffn), Number(v >> 32n)];
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      const h = new Halves();
      h.set(...split(a));
      expect(h.atLeast(...split(b))).toBe(a >= b);
      h.add(...split(b));
      expect([h.lo, h.hi]).toEqual(split(BigInt.asUintN(64, a + b)));
      h.sub(...split(b));
      expect([h.lo, h.hi]).toEqual(split(a));
    }),
  );
});

it("keeps machine software interrupts and pulses supervisor ones", () => {
  const seen: [number, boolean][] = [];
  const machine = new SoftwareInterrupts(2, false, (hart, level) => seen.push([hart, level]));
  machine.write(4, 4, 0xffffffff);
  expect([machine.read(4, 4), machine.read(8, 4)]).toEqual([1, 0]);
  machine.write(4, 4, 2);
  machine.write(8, 4, 1);
  expect(seen).toEqual([
    [1, true],
    [1, false],
  ]);
  seen.length = 0;
  const supervisor = new SoftwareInterrupts(2, true, (hart, level) => seen.push([hart, level]));
  supervisor.write(0, 4, 1);
  expect(supervisor.read(0, 4)).toBe(0);
  expect(seen).toEqual([[0, true]]);
});

it("tells the host's time, keeps what is set, and rings", () => {
  let now = 1_700_000_000e9;
  const h = { level: false, armed: undefined as number | undefined };
  const rtc = new GoldfishRtc({ now: () => now, irq: (l) => (h.level = l), arm: (d) => (h.armed = d) });
  const time = (): number => rtc.read(0, 4) + rtc.read(4, 4) * 2 ** 32;
  expect(time()).toBe(now);
  // Times near today are exact to 256 ns.
  rtc.write(4, 4, 0x17000000);
  rtc.write(0, 4, 0x2000);
  expect(time()).toBe(0x17000000 * 2 ** 32 + 0x2000);
  now += 4096;
  expect(time()).toBe(0x17000000 * 2 ** 32 + 0x2000 + 4096);
  rtc.write(0x10, 4, 1);
  rtc.write(0x0c, 4, 0x17000000);
  rtc.write(0x08, 4, 0x8000);
  expect(rtc.read(0x18, 4)).toBe(1);
  expect(h.level).toBe(false);
  now = h.armed ?? 0;
  rtc.expire();
  expect([h.level, rtc.read(0x18, 4)]).toEqual([true, 0]);
  rtc.write(0x1c, 4, 1);
  expect(h.level).toBe(false);
});

it("rings the clock's timer through the machine", () => {
  const bench = new Bench({ types: [aclintMtimer] });
  const device = bench.device("riscv.aclint.mtimer", {}, { id: "t" });
  bench.machine.reset();
  (device.impl as MTimer).writeWide(0, 10, 0);
  bench.advance(999);
  expect(device.irqOut("mtip").level).toBe(false);
  bench.advance(1);
  expect(device.irqOut("mtip").level).toBe(true);
});
