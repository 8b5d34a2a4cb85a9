import { Bench } from "@mimus/testkit";
import { expect, it } from "vitest";
import { hpet } from "./hpet.ts";

const LEVEL = 2;
const ON = 4;
const PERIODIC = 8;
const SET = 0x40;
const WORD = 0x100;

function block(props: Record<string, unknown> = { "hpet-intcap": 4 }) {
  const bench = new Bench({ types: [hpet] });
  const device = bench.device("hpet", props);
  const base = bench.base(device);
  const { system } = bench.machine;
  const seen: string[] = [];
  for (const name of ["sysbus-irq", "legacy"])
    for (let n = 0; n < device.outputs.get(name)!.length; n++)
      device.irqOut(name, n).tap((level) => seen.push(`${name === "legacy" ? "L" : ""}${n}${level ? "+" : "-"}`));
  bench.machine.reset();
  return {
    bench,
    device,
    seen,
    get: (at: number) => system.read(base + at, 4),
    set: (at: number, value: number) => system.write(base + at, 4, value),
    timer: (n: number, config: number, ...compare: number[]) => {
      system.write(base + 0x100 + 0x20 * n, 4, config);
      for (const value of compare) system.write(base + 0x108 + 0x20 * n, 4, value);
    },
    wide: (at: number) => {
      const out = new Uint32Array(2);
      system.readWide(base + at, out);
      return [...out];
    },
  };
}

it("says what it is", () => {
  const h = block();
  expect([h.get(0), h.get(4), h.get(0x100), h.get(0x104)]).toEqual([0x8086a201, 10_000_000, 0x30, 4]);
});

it("counts ten nanoseconds a tick while it is enabled, and can be set while it is halted", () => {
  const h = block();
  h.bench.advance(1000);
  expect(h.get(0xf0)).toBe(0);
  h.set(0xf0, 0xffff_fff0);
  h.set(0x10, 1);
  h.bench.advance(320);
  expect(h.wide(0xf0)).toEqual([0x10, 1]);
  h.set(0x10, 0);
  h.bench.advance(1000);
  expect(h.wide(0xf0)).toEqual([0x10, 1]);
});

it("interrupts once, by an edge, at the comparator", () => {
  const h = block();
  h.timer(0, ON | (2 << 9), 100);
  h.set(0x10c, 0);
  h.set(0x10, 1);
  h.bench.advance(999);
  expect(h.seen).toEqual([]);
  h.bench.advance(1);
  expect(h.seen).toEqual(["2+", "2-"]);
  h.bench.advance(1e6);
  expect(h.seen).toHaveLength(2);
});

it("interrupts again and again in periodic mode, and holds a level until the status is cleared", () => {
  const h = block();
  h.timer(1, ON | PERIODIC | SET | LEVEL | WORD | (2 << 9), 100, 50);
  h.set(0x10, 1);
  h.bench.advance(1490);
  expect([h.seen, h.get(0x20)]).toEqual([["2+"], 2]);
  h.set(0x20, 2);
  expect([h.seen, h.get(0x20)]).toEqual([["2+", "2-"], 0]);
  h.bench.advance(500);
  expect(h.seen).toEqual(["2+", "2-", "2+"]);
  expect(h.get(0x128)).toBe(200);
});

it("takes the place of the interval timer and the clock in legacy mode", () => {
  const h = block();
  h.device.irqIn("legacy", 0)(true);
  expect(h.seen).toEqual(["L0+"]);
  h.set(0x10, 2);
  h.device.irqIn("legacy", 1)(true);
  expect(h.seen).toEqual(["L0+", "L0-"]);
  h.timer(1, ON | WORD, 10);
  h.set(0x10, 3);
  h.bench.advance(100);
  expect(h.seen.slice(2)).toEqual(["L1+", "L1-"]);
  h.set(0x10, 0);
  expect(h.seen.slice(4)).toEqual(["L0+", "L1+"]);
});

it("sends messages", () => {
  const h = block({ msi: true });
  const s = h.bench.machine.system;
  h.set(0x110, 0xcafe);
  h.set(0x114, 0x8000_0000);
  h.timer(0, ON | WORD | 0x4000, 1);
  h.set(0x10, 1);
  h.bench.advance(10);
  expect([s.read(0x8000_0000, 4), h.seen]).toEqual([0xcafe, []]);
});

it("compares 32 bits when told so, and survives a period of nothing", () => {
  const h = block();
  h.set(0xf0, 0xffff_fff0);
  h.timer(0, ON | 0x100, 0x10);
  h.set(0x10, 1);
  h.bench.advance(320);
  expect(h.seen).toEqual(["0+", "0-"]);
  h.timer(0, ON | PERIODIC, 0);
  h.bench.advance(1e9);
  h.timer(0, ON | PERIODIC | SET, 1, 1);
  h.bench.advance(1e4);
});
