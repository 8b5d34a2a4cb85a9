import { Registry } from "@mimus/qom";
import { expect, it } from "vitest";
import { z } from "zod";
import { ClockSet } from "./clock.ts";
import { defineDevice, type DeviceType } from "./define-device.ts";
import { defineMachine } from "./define-machine.ts";
import type { IrqLine } from "./irq.ts";
import { Log } from "./log.ts";
import { type GlobalProperty, Machine } from "./machine.ts";
import { MachineMemory } from "./memory.ts";
import type { Registers } from "./port.ts";
import { MemoryRegion } from "./region.ts";
import { defineState, type Stateful } from "./state.ts";

const State = defineState("latch", 2, {
  value: z.int().min(0).max(0xffffffff).default(1),
  history: z.array(z.int()).max(4).default([]),
});

class Latch implements Registers, Stateful {
  #s = State.parse({});
  readonly irq: IrqLine;
  constructor(irq: IrqLine) {
    this.irq = irq;
  }
  read(): number {
    return this.#s.value;
  }
  write(_offset: number, _size: number, value: number): void {
    this.#s.value = value;
    this.irq.set(value > 1);
  }
  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.irq.set(this.#s.value > 1);
  }
}

const events: string[] = [];
const latch: DeviceType = defineDevice({
  name: "latch",
  parent: "sysbus-device",
  summary: "a register",
  props: z.strictObject({
    stride: z.int().min(0).max(3).default(2),
    chardev: z.string().optional().meta({ link: "chardev" }),
  }),
  realize({ stride, chardev }, dev) {
    const chip = new Latch(dev.irq("irq"));
    dev.link(chardev, "chardev");
    dev.region("regs", chip, { size: 4, shift: stride });
    dev.stateful(chip);
    for (const phase of ["enter", "hold", "exit"] as const) dev.onReset(phase, () => events.push(`${dev.id}:${phase}`));
    const timer = dev.timer(() => {});
    timer.arm(5);
    return chip;
  },
});
const slotBus = {
  full: false,
  plugged: [] as string[],
  plug(device: { label: string }): void {
    this.plugged.push(device.label);
  },
};
const bridge = defineDevice({
  name: "bridge",
  parent: "sysbus-device",
  summary: "has a bus",
  realize(_props, dev) {
    dev.bus(`${dev.id}.0`, "slot", slotBus);
    dev.onReset("enter", () => events.push(`${dev.id}:enter`));
  },
});
const card = defineDevice({
  name: "card",
  bus: "slot",
  summary: "plugs into a bridge",
  props: z.strictObject({ fail: z.boolean().default(false) }),
  realize({ fail }, dev) {
    dev.timer(() => {}).arm(1);
    if (fail) throw new Error("no such picture");
    dev.onReset("enter", () => events.push(`${dev.id}:enter`));
  },
});
const board = defineMachine({
  name: "board",
  summary: "for tests",
  defaultCpu: "none",
  defaultRam: 0x20000,
  maxCpus: 2,
  targets: ["test"],
  props: z.strictObject({ extra: z.boolean().default(false) }),
  init({ extra }, m) {
    m.system.root.add(0x8000_0000, MemoryRegion.ram("ram", m.memory.ram("ram", m.options.ramSize)));
    const dev = m.createDevice("latch", {}, { id: "l0", realize: true, parentPath: "/machine/board" });
    m.system.root.add(0x1000, dev.regions[0]!);
    if (extra) m.createDevice("latch", {}, { id: "l1", realize: true });
  },
});
const plugin = { name: "test", types: [latch, bridge, card, board] };

function machine(
  props: Record<string, unknown> = {},
  log = new Log(),
  globals: readonly GlobalProperty[] = [],
): Machine {
  return new Machine({
    registry: new Registry().use(plugin),
    memory: new MachineMemory(new ArrayBuffer(0x80000)),
    clocks: new ClockSet(() => 0),
    type: "board",
    props,
    log,
    globals,
  }).build();
}

it("wires a board and routes accesses", () => {
  const m = machine({ extra: "on" });
  m.system.write(0x1000, 4, 77);
  expect(m.system.read(0x1000, 4)).toBe(77);
  expect(m.findDevice("l0")!.irqOut("irq").level).toBe(true);
  expect(m.tree.resolve("/machine/board/l0")).toBe(m.findDevice("l0"));
  expect(m.tree.resolve("peripheral/l1").getProperty("stride")).toBe(2);
});

it("gives devices the user's defaults, also through an ancestor, and their own properties first", () => {
  const globals = [
    { driver: "device", property: "stride", value: "1" },
    { driver: "latch", property: "stride", value: "3" },
  ];
  const m = machine({}, new Log(), globals);
  expect(m.findDevice("l0")!.getProperty("stride")).toBe(3);
  expect(m.createDevice("latch", { stride: 1 }).getProperty("stride")).toBe(1);
});

it("tells the user what is wrong, where, and what would be right", () => {
  const m = machine();
  const fails = (fn: () => unknown): string => {
    try {
      fn();
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing thrown";
  };
  expect(fails(() => m.createDevice("ltach", {}))).toBe("there is no device 'ltach'; did you mean 'latch'?");
  expect(fails(() => m.createDevice("latch", { strid: 1 }))).toBe(
    "latch has no property 'strid'; did you mean 'stride'?",
  );
  expect(fails(() => m.createDevice("latch", { stride: 9 }, { id: "x" }))).toMatch(/latch 'x': property 'stride' is 9/);
  expect(fails(() => m.createDevice("latch", { chardev: "c" }, { realize: true }))).toBe(
    "latch: there is no chardev 'c'; there is none",
  );
  expect(fails(() => m.createDevice("card", {}))).toBe("card needs a bus of type 'slot'; this machine has: none");
  expect(fails(() => m.createDevice("latch", {}, { id: "l0", parentPath: "/machine/board" }))).toMatch(
    /already a device/,
  );
  expect(fails(() => m.findDevice("l0")!.irqOut("irk"))).toBe("latch 'l0' has no output 'irk[0]'; it has: irq");
  expect(fails(() => machine({ extr: 1 }))).toBe("machine 'board' has no property 'extr'; did you mean 'extra'?");
});

it("undoes a failed or removed device wholly", () => {
  const m = machine();
  m.createDevice("bridge", {}, { id: "b", realize: true });
  const timers = m.clocks.virtual.timers.size;
  expect(() => m.createDevice("card", { fail: true }, { id: "c", realize: true })).toThrow("card 'c': no such picture");
  expect(m.findDevice("c")).toBeUndefined();
  expect(m.findBus("b.0")!.children).toEqual([]);
  expect(m.clocks.virtual.timers.size).toBe(timers);
  const c = m.createDevice("card", {}, { id: "c", bus: "b.0", realize: true });
  expect(m.findBus("b.0")!.children).toEqual([c]);
  expect(slotBus.plugged).toContain("card 'c'");
  m.findDevice("b")!.unrealize();
  expect(c.realized).toBe(false);
  expect(m.clocks.virtual.timers.size).toBe(timers);
  expect(() => m.createDevice("card", {}, { bus: "b.0" })).toThrow(/there is no bus 'b.0'/);
});

it("resets in three phases, what is on a bus before its owner", () => {
  const m = machine();
  m.createDevice("bridge", {}, { id: "b", realize: true });
  m.createDevice("card", {}, { id: "c", bus: "b.0", realize: true });
  m.system.write(0x1000, 4, 5);
  events.length = 0;
  m.reset();
  expect(m.system.read(0x1000, 4)).toBe(1);
  expect(events.filter((e) => /^[bc]/.test(e))).toEqual(["c:enter", "b:enter"]);
  expect(events.filter((e) => e.startsWith("l0"))).toEqual(["l0:enter", "l0:hold", "l0:exit"]);
  expect(events.indexOf("l0:hold")).toBeGreaterThan(events.indexOf("b:enter"));
});

it("saves and loads devices, RAM and time", () => {
  const m = machine();
  m.system.write(0x1000, 4, 0x12345678);
  m.system.write(0x8001_fffc, 4, 42);
  m.clocks.virtual.advance(1000);
  const state = m.saveState();
  expect(state.ram![0]!.chunks.length).toBe(1);
  const other = machine();
  other.system.write(0x8000_0000, 4, 9);
  other.loadState(state);
  expect(other.system.read(0x1000, 4)).toBe(0x12345678);
  expect(other.system.read(0x8001_fffc, 4)).toBe(42);
  expect(other.system.read(0x8000_0000, 4)).toBe(0);
  expect(other.clocks.virtual.now()).toBe(1000);
  expect(other.findDevice("l0")!.irqOut("irq").level).toBe(true);
  expect(other.saveState()).toEqual(state);
});

it("refuses hostile and foreign states, and stays as it was", () => {
  const m = machine();
  m.system.write(0x1000, 4, 99);
  const good = m.saveState();
  const chip = (parts: unknown): unknown => ({ ...good, devices: [{ ...good.devices[0], parts }] });
  const bad: [unknown, RegExp][] = [
    [null, /not the saved state/],
    [[], /not the saved state/],
    [{ ...good, version: 9 }, /version 9; this program reads version 1/],
    [{ ...good, machine: "other" }, /start with -M other/],
    [{ ...good, devices: [] }, /the saved state has none/],
    [{ ...good, devices: [...good.devices, ...good.devices] }, /twice/],
    [{ ...good, ram: [] }, /has RAM 'ram'/],
    [{ ...good, ram: [{ ...good.ram![0]!, size: 1 }] }, /same -m/],
    [{ ...good, ram: [{ ...good.ram![0]!, chunks: [{ at: 0x1ffff, bytes: new Uint8Array(2) }] }] }, /ends at/],
    [chip({}), /parts none/],
    [chip({ chip: { stateVersion: 1, value: 1, history: [] } }), /latch has version 1; this build reads version 2/],
    [chip({ chip: { stateVersion: 2, value: -1, history: [] } }), /at 'value'/],
    [chip({ chip: { value: 1, history: [1, 2, 3, 4, 5] } }), /at 'history'/],
  ];
  for (const [state, message] of bad) {
    expect(() => m.loadState(state)).toThrow(message);
    expect(m.saveState()).toEqual(good);
  }
});

it("counts guest errors and unassigned accesses", () => {
  const told: string[] = [];
  const m = machine({}, new Log((r) => told.push(`${r.source} ${r.message}`), { levels: ["unassigned"], limit: 2 }));
  for (let i = 0; i < 5; i++) m.system.write(0x10, 4, 1);
  expect(m.log.count("unassigned")).toBe(5);
  expect(told).toEqual([
    "system write of 4 bytes at 0x10 (0x1)",
    "system write of 4 bytes at 0x10 (0x1) (further ones are only counted)",
  ]);
  m.findDevice("l0")!.context.guestError("no");
  expect(m.log.count("guest-error", "/machine/board/l0")).toBe(1);
});
