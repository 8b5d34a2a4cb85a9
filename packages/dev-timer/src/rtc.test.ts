import { describe, expect, it } from "vitest";
import { Rtc } from "./rtc.ts";

const SECOND = 1e9;
const at = (...date: Parameters<typeof Date.UTC>): number => Date.UTC(...date) * 1e6;

function chip(start = at(2024, 1, 29, 23, 59, 58), slew = false) {
  let now = start;
  let due: number | undefined;
  const edges: number[] = [];
  let level = false;
  const rtc: Rtc = new Rtc(
    { baseYear: 0, slew },
    {
      now: () => now,
      irq: (on) => {
        if (on && !level) edges.push(now - start);
        level = on;
      },
      arm: (deadline) => (due = deadline),
    },
  );
  const set = (index: number, value: number): void => (rtc.write(0, 1, index), rtc.write(1, 1, value));
  const get = (index: number): number => (rtc.write(0, 1, index), rtc.read(1, 1));
  const advance = (ns: number): void => {
    const end = now + ns;
    for (let i = 0, at = due; i < 10_000 && at !== undefined && at <= end; i++, at = due) {
      now = Math.max(now, at);
      rtc.expire();
    }
    now = end;
  };
  const time = (): string => [0x32, 9, 8, 7, 4, 2, 0].map((r) => get(r).toString(16).padStart(2, "0")).join(" ");
  return { rtc, set, get, advance, time, edges, level: () => level, now: () => now };
}

describe("time", () => {
  it("runs, in BCD and 24 hours, over the leap day", () => {
    const c = chip();
    expect([c.time(), c.get(6)]).toEqual(["20 24 02 29 23 59 58", 5]);
    c.advance(2 * SECOND);
    expect([c.time(), c.get(6)]).toEqual(["20 24 03 01 00 00 00", 6]);
  });

  it("shows binary and 12 hours", () => {
    const c = chip(at(2024, 0, 1, 13, 5, 6));
    c.set(0x0b, 0x00);
    expect(c.get(4)).toBe(0x81);
    c.set(0x0b, 0x04);
    expect([c.get(4), c.get(2)]).toEqual([0x81, 5]);
  });

  it("stands still while it is set, and goes on from there", () => {
    const c = chip();
    c.set(0x0b, 0x82);
    c.advance(5 * SECOND);
    expect(c.time()).toBe("20 24 02 29 23 59 58");
    for (const [r, v] of [
      [0x32, 0x19],
      [9, 0x99],
      [8, 0x12],
      [7, 0x31],
      [4, 0x23],
      [2, 0x59],
      [0, 0x59],
    ] as const)
      c.set(r, v);
    c.set(0x0b, 0x02);
    expect(c.time()).toBe("19 99 12 31 23 59 59");
    c.advance(SECOND);
    expect(c.time()).toBe("20 00 01 01 00 00 00");
  });

  it("warns before an update", () => {
    const c = chip();
    c.advance(SECOND - 250_000);
    expect(c.get(0x0a) & 0x80).toBe(0);
    c.advance(100_000);
    expect(c.get(0x0a) & 0x80).toBe(0x80);
    c.advance(200_000);
    expect(c.get(0x0a) & 0x80).toBe(0);
  });

  it("begins half a second after the divider is let go", () => {
    const c = chip();
    c.set(0x0a, 0x76);
    c.advance(3 * SECOND + 1e8);
    expect(c.time()).toBe("20 24 02 29 23 59 58");
    c.set(0x0a, 0x26);
    c.advance(SECOND / 2 - 1e6);
    expect(c.get(0)).toBe(0x58);
    c.advance(2e6);
    expect(c.get(0)).toBe(0x59);
  });
});

describe("interrupts", () => {
  it("come each second, until the flags are read", () => {
    const c = chip(at(2024, 0, 1, 5));
    c.set(0x0b, 0x12);
    c.advance(3 * SECOND);
    expect([c.edges, c.level()]).toEqual([[SECOND], true]);
    expect(c.get(0x0c)).toBe(0xd0); // and the periodic flag, which does not interrupt
    expect(c.level()).toBe(false);
    c.advance(SECOND);
    expect(c.edges).toHaveLength(2);
  });

  it("come at the alarm", () => {
    const c = chip();
    c.set(1, 0x05);
    c.set(3, 0xc0);
    c.set(5, 0xff);
    c.set(0x0b, 0x22);
    c.advance(8 * SECOND);
    expect(c.edges).toEqual([7 * SECOND]);
    expect(c.get(0x0c) & 0xa0).toBe(0xa0);
    c.advance(60 * SECOND);
    expect(c.edges).toEqual([7 * SECOND, 67 * SECOND]);
    c.get(0x0c);
    c.set(5, 0x24);
    c.advance(86400 * SECOND);
    expect(c.edges).toHaveLength(2);
  });

  it("come at the periodic rate", () => {
    const c = chip();
    c.set(0x0a, 0x2f);
    c.set(0x0b, 0x42);
    for (let i = 0; i < 4; i++) {
      c.advance(SECOND / 2);
      c.get(0x0c);
    }
    expect(c.edges).toEqual([SECOND / 2, SECOND, 1.5 * SECOND, 2 * SECOND]);
  });

  it("are lost when the guest is slow, or made up for", () => {
    for (const slew of [false, true]) {
      const c = chip(undefined, slew);
      c.set(0x0a, 0x2f);
      c.set(0x0b, 0x42);
      c.get(0x0c);
      c.advance(2 * SECOND);
      let taken = 0;
      while (c.get(0x0c) & 0x40 && taken < 20) taken++;
      expect(taken).toBe(slew ? 4 : 1);
    }
  });
});

it("keeps memory and time over a reset", () => {
  const c = chip();
  c.set(0x40, 0x5a);
  c.rtc.setCmos(0x41, 7);
  c.set(0x0b, 0x42);
  c.rtc.reset();
  expect([c.get(0x40), c.get(0x41), c.get(0x0b), c.get(0x0d), c.rtc.read(0, 1)]).toEqual([0x5a, 7, 0x02, 0x80, 0xff]);
});
