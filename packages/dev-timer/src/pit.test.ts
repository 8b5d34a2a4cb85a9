import { describe, expect, it } from "vitest";
import { Pit, PIT_HZ } from "./pit.ts";

function chip() {
  let now = 0;
  let due: number | undefined;
  const edges: [tick: number, level: boolean][] = [];
  let level = false;
  const pit: Pit = new Pit({
    now: () => now,
    output: (on) => {
      if (on !== level) edges.push([Math.round((now * PIT_HZ) / 1e9), (level = on)]);
    },
    arm: (deadline) => (due = deadline),
  });
  pit.reset();
  /** Goes on by ticks. */
  const ticks = (n: number): void => {
    const end = Math.ceil(((Math.floor((now * PIT_HZ) / 1e9) + n) * 1e9) / PIT_HZ);
    for (let at = due; at !== undefined && at <= end; at = due) {
      now = Math.max(now, at);
      pit.expire();
    }
    now = end;
  };
  ticks(1000);
  edges.length = 0;
  const program = (n: number, mode: number, count: number, access = 3): void => {
    pit.write(3, 1, (n << 6) | (access << 4) | (mode << 1));
    if (access & 1) pit.write(n, 1, count & 0xff);
    if (access & 2) pit.write(n, 1, count >> 8);
  };
  const word = (n: number): number => pit.read(n, 1) | (pit.read(n, 1) << 8);
  const latch = (n: number): number => (pit.write(3, 1, n << 6), word(n));
  return { pit, ticks, program, latch, word, edges, from: () => Math.round((now * PIT_HZ) / 1e9) };
}

describe("modes of the 8254", () => {
  it("0: the output rises at the end of the count", () => {
    const c = chip();
    const start = c.from();
    c.program(0, 0, 100);
    c.ticks(99);
    expect([c.pit.out(0), c.latch(0)]).toEqual([false, 1]);
    c.ticks(2);
    expect([c.pit.out(0), c.latch(0)]).toEqual([true, 0xffff]);
    expect(c.edges.at(-1)).toEqual([start + 100, true]);
  });

  it("0: the gate holds the count, and the first byte of a new one stops it", () => {
    const c = chip();
    c.program(2, 0, 1000);
    c.ticks(100);
    c.pit.setGate(2, false);
    c.ticks(500);
    expect(c.latch(2)).toBe(900);
    c.pit.setGate(2, true);
    c.ticks(100);
    expect(c.latch(2)).toBe(800);
    c.pit.write(2, 1, 0);
    c.ticks(5000);
    expect(c.pit.out(2)).toBe(false);
  });

  it("1: a rising gate starts a pulse, again and again", () => {
    const c = chip();
    c.pit.setGate(2, false);
    c.program(2, 1, 50);
    c.ticks(100);
    expect(c.pit.out(2)).toBe(true);
    c.pit.setGate(2, true);
    expect(c.pit.out(2)).toBe(false);
    c.ticks(30);
    c.pit.setGate(2, false);
    c.pit.setGate(2, true);
    c.ticks(30);
    expect(c.pit.out(2)).toBe(false);
    c.ticks(25);
    expect(c.pit.out(2)).toBe(true);
  });

  it("2: interrupts at a steady rate", () => {
    const c = chip();
    c.program(0, 2, 1000);
    c.edges.length = 0;
    const start = c.from();
    c.ticks(5001);
    expect(c.edges.filter(([, up]) => up).map(([t]) => t - start)).toEqual([1000, 2000, 3000, 4000, 5000]);
    expect(c.latch(0)).toBe(999);
  });

  it("2: a new count comes into force at the end of the period", () => {
    const c = chip();
    c.program(0, 2, 1000);
    c.ticks(400);
    c.pit.write(0, 1, 100);
    c.pit.write(0, 1, 0);
    expect(c.latch(0)).toBe(600);
    c.edges.length = 0;
    const start = c.from();
    c.ticks(801);
    expect(c.edges.filter(([, up]) => up).map(([t]) => t - start)).toEqual([600, 700, 800]);
  });

  it("3: a square wave, high for the longer half of an odd count", () => {
    const c = chip();
    c.program(0, 3, 11);
    c.edges.length = 0;
    const start = c.from();
    c.ticks(23);
    expect(c.edges.map(([t, up]) => [t - start, up])).toEqual([
      [6, false],
      [11, true],
      [17, false],
      [22, true],
    ]);
    c.program(2, 3, 100);
    c.ticks(10);
    expect(c.latch(2)).toBe(80);
  });

  it("4 and 5: a strobe of one tick, by software or by the gate", () => {
    const c = chip();
    c.program(2, 4, 20);
    c.ticks(19);
    expect(c.pit.out(2)).toBe(true);
    c.ticks(1);
    expect(c.pit.out(2)).toBe(false);
    c.ticks(1);
    expect(c.pit.out(2)).toBe(true);
    c.program(2, 5, 20);
    c.ticks(100);
    expect(c.pit.out(2)).toBe(true);
    c.pit.setGate(2, false);
    c.pit.setGate(2, true);
    c.ticks(20);
    expect(c.pit.out(2)).toBe(false);
  });

  it("counts in BCD", () => {
    const c = chip();
    c.pit.write(3, 1, 0xb1);
    c.pit.write(2, 1, 0x00);
    c.pit.write(2, 1, 0x10);
    c.ticks(1);
    expect(c.latch(2)).toBe(0x0999);
  });
});

describe("reading", () => {
  it("latches until both bytes are read", () => {
    const c = chip();
    c.program(2, 0, 0x8000);
    c.pit.write(3, 1, 0x80);
    c.ticks(0x300);
    c.pit.write(3, 1, 0x80);
    expect(c.word(2)).toBe(0x8000);
    expect(c.word(2)).toBe(0x7d00);
  });

  it("gives status and count by read-back", () => {
    const c = chip();
    c.program(2, 3, 0x1234);
    c.pit.write(3, 1, 0xc8);
    expect([c.pit.read(2, 1), c.word(2)]).toEqual([0x80 | 0x36, 0x1234]);
    c.pit.write(3, 1, 0xb6);
    c.pit.write(3, 1, 0xe8);
    expect(c.pit.read(2, 1)).toBe(0x80 | 0x40 | 0x36);
    c.program(2, 0, 0x77, 1);
    c.pit.write(3, 1, 0xe8);
    expect([c.pit.read(2, 1), c.pit.read(2, 1), c.pit.read(2, 1)]).toEqual([0x10, 0x77, 0x77]);
  });
});

it("is not held up by what it missed", () => {
  const c = chip();
  c.program(0, 2, 2);
  const state = c.pit.save();
  c.pit.load(state);
  c.ticks(20);
  expect(c.edges.length).toBeGreaterThan(5);
});
