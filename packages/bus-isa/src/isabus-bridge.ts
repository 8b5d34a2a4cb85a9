import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { defineDevice, MemoryRegion } from "@mimus/machine-core";
import { ISA_BUS, IsaBus } from "./bus.ts";

/** Makes the ISA bus of a bridge: ports in the machine's port space, memory in `memory`. */
export function createIsaBus(dev: DeviceContext, memory: MemoryRegion): IsaBus {
  const { io, system } = dev.machine;
  const bus = new IsaBus({ io: io?.root ?? MemoryRegion.container("isa-io", 0x10000), memory, dma: system });
  let n = 0;
  while (dev.machine.findBus(`isa.${n}`) !== undefined) n++;
  dev.bus(`isa.${n}`, ISA_BUS, bus);
  return bus;
}

/** The ISA bus of a machine without PCI: its ports and memory are the processor's. */
export const isabusBridge: DeviceType = defineDevice({
  name: "isabus-bridge",
  parent: "sysbus-device",
  summary: "ISA bus on the processor's own bus",
  userCreatable: false,
  realize: (_props, dev) => createIsaBus(dev, dev.machine.system.root),
});
