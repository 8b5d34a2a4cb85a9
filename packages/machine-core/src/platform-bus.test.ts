import { Registry } from "@mimus/qom";
import { expect, it } from "vitest";

import { ClockSet, defineDevice, type Device, Machine, MachineMemory } from "./index.ts";

const toy = defineDevice({
  name: "toy",
  parent: "dynamic-sysbus-device",
  summary: "registers and two lines",
  realize(_props, dev) {
    dev.region("regs", { read: () => 7, write() {} }, { size: 16 });
    return dev.irqs("irq", 2);
  },
});

function setup() {
  const registry = new Registry().use({ name: "toys", types: [toy] });
  const memory = new MachineMemory(new ArrayBuffer(1 << 20));
  const machine = new Machine({ registry, memory, clocks: new ClockSet(() => 0) });
  const window = { base: 0x4000, size: 0x2000, "num-irqs": 4 };
  const platform = machine.createDevice("platform-bus-device", window, { realize: true });
  const add = (props = {}): Device => machine.createDevice("toy", props, { bus: "platform-bus", realize: true });
  const at = (): string[] => machine.system.flat.map((r) => r.base.toString(16));
  return { machine, platform, add, at };
}

it("places devices one after the other, or where the user says", () => {
  const { machine, add, at } = setup();
  add();
  const second = add();
  expect(at()).toEqual(["4000", "5000"]);
  expect(machine.system.read(0x5000, 4)).toBe(7);
  expect(() => add()).toThrow(/no room for 16 bytes on the platform bus/);
  expect(at()).toEqual(["4000", "5000"]);
  second.unrealize();
  add({ addr: "0x10000" });
  expect(at()).toEqual(["4000", "10000"]);
  expect(() => add({ addr: "0x4008" })).toThrow(/addr=0x4008 overlaps regs at 0x4000/);
});

it("gives each line of a device a line of its own", () => {
  const { platform, add } = setup();
  const first = add();
  add();
  expect(() => add({ addr: "0x9000" })).toThrow(/all 4 lines of the platform bus are used/);
  const third = platform.irqOut("irq", 1);
  first.irqOut("irq", 1).set(true);
  expect(third.level).toBe(true);
  first.unrealize();
  expect(third.level).toBe(false);
});
