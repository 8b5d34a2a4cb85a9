import { defineDevice, type Registers } from "@mimus/machine-core";
import { definePlugin } from "@mimus/qom";
import { expect, it } from "vitest";
import { Bench, BENCH_RAM } from "./bench.ts";
import { hostileStates } from "./hostile.ts";
import { checkManifest } from "./manifest.ts";
import { offsetsOf, pokeRegisters } from "./poke.ts";
import { Seeded } from "./random.ts";

function device(name: string, regs: Registers, size = 16): ReturnType<typeof defineDevice> {
  return defineDevice({
    name,
    parent: "sysbus-device",
    summary: "for this test",
    realize: (_props, dev) => void dev.region("regs", regs, { size }),
  });
}

/** The canary of the suite: each of these devices has a fault that it must see. */
it("sees registers that throw and values that are no unsigned numbers", () => {
  const faulty: [Registers, RegExp][] = [
    [{ read: (at) => (at === 12 ? [1][5]!.valueOf() : 0), write() {} }, /offset 0xc threw TypeError/],
    [
      { read: () => 0, write: (_at, _size, value) => void new Uint8Array(value === 0xffffffff ? -1 : 1) },
      /write .* threw/,
    ],
    [{ read: () => 0x1ff, write() {} }, /the value 511, which is no unsigned 8-bit/],
  ];
  for (const [regs, expected] of faulty) {
    const bench = new Bench({ types: [device("faulty", regs)] });
    expect(pokeRegisters(bench.device("faulty"), bench.machine.system).join("\n")).toMatch(expected);
  }
});

it("finds nothing wrong with a good device, and tries all of it", () => {
  const seen = new Set<string>();
  const regs: Registers = {
    read: (at, size) => (seen.add(`r${size}@${at}`), 0),
    write: (at, size) => void seen.add(`w${size}@${at}`),
  };
  const bench = new Bench({ types: [device("good", regs)] });
  expect(pokeRegisters(bench.device("good"), bench.machine.system)).toEqual([]);
  expect(seen.size).toBe(2 * (16 + 8 + 4));
});

it("tries both ends of a large region, and not all of it", () => {
  const bench = new Bench({ types: [device("large", { read: () => 0, write() {} }, 0x400_0000)] });
  const offsets = offsetsOf(bench.device("large").regions[0]!, new Seeded());
  expect(offsets.length).toBeLessThan(3000);
  expect([offsets[0], offsets.at(-1)]).toEqual([0, 0x3ff_ffff]);
});

it("makes hostile states at every depth", () => {
  const all = [...hostileStates({ a: 1, b: [2], c: new Uint8Array(2) })];
  expect(all).toContainEqual({ b: [2], c: new Uint8Array(2) });
  expect(all).toContainEqual({ a: Number.NaN, b: [2], c: new Uint8Array(2) });
  expect(all).toContainEqual({ a: 1, b: [2], c: new Uint8Array(3) });
  expect(all).toContainEqual({ a: 1, b: [null], c: new Uint8Array(2) });
});

it("compares a manifest with what the entry exports", () => {
  const plugin = definePlugin({
    name: "p",
    types: [device("one", { read: () => 0, write() {} }), { name: "base", kind: "device", abstract: true }],
  });
  const json = (device: string[], more: object = {}): unknown => ({
    name: "p",
    sideEffects: false,
    exports: { "./package.json": "./package.json" },
    mimus: { api: 1, provides: { device } },
    ...more,
  });
  expect(checkManifest(json(["one"]), plugin)).toEqual([]);
  expect(checkManifest(json(["one", "base"]), plugin)[0]).toMatch(/'base', which no user can create/);
  const mimus = { api: 1, provides: { device: ["one"] }, internal: { device: ["base"] } };
  expect(checkManifest(json([], { mimus }), plugin)).toEqual([]);
  expect(checkManifest(json([], { mimus: { ...mimus, aliases: { device: { uno: "one" } } } }), plugin)[0]).toMatch(
    /"aliases" names 'uno' for device 'one'/,
  );
  expect(checkManifest(json([]), plugin)).toEqual([`the entry exports device 'one', "provides" does not name it`]);
  expect(checkManifest(json(["one", "two"]), plugin)).toEqual([
    `"provides" names device 'two', the entry does not export it`,
  ]);
  expect(checkManifest(json(["one"], { name: "q" }), plugin)[0]).toMatch(/calls itself 'p'/);
  expect(checkManifest(json(["one"], { exports: {} }), plugin)[0]).toMatch(/cannot be discovered/);
  expect(checkManifest(json(["one"], { mimus: { api: 7, provides: {} } }), plugin)[0]).toMatch(/"api" is 7/);
  expect(checkManifest(json(["one"], { mimus: { api: "1" } }), plugin)[0]).toMatch(/wrong at 'api'/);
  expect(checkManifest(json(["one"], { mimus: undefined }), plugin)).toEqual(['package.json has no "mimus" field']);
});

it("moves time from deadline to deadline", () => {
  const bench = new Bench();
  const { clocks, memory } = bench.machine;
  const fired: number[] = [];
  const timer = defineDevice({
    name: "ticker",
    parent: "sysbus-device",
    summary: "ticks",
    realize(_props, dev) {
      const tick = dev.timer(() => {
        fired.push(dev.now());
        tick.arm(dev.now() + 10);
      });
      tick.arm(10);
    },
  });
  bench.registry.register(timer);
  bench.device("ticker");
  bench.advance(35);
  expect(fired).toEqual([10, 20, 30]);
  expect(clocks.virtual.now()).toBe(35);
  bench.machine.system.write(BENCH_RAM, 4, 7);
  expect(memory.blocks[0]!.bytes[0]).toBe(7);
});
