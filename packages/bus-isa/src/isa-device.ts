import type { DeviceContext, DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { ISA_BUS, IsaBus } from "./bus.ts";

/** The root of all ISA devices. */
export const isaDevice: DeviceType = defineDevice({
  name: "isa-device",
  abstract: true,
  summary: "any ISA device",
  bus: ISA_BUS,
});

/** The bus that an ISA device is plugged into. */
export function isaBusOf(dev: DeviceContext): IsaBus {
  const bus = dev.parentBus?.impl;
  if (bus instanceof IsaBus) return bus;
  throw new Error(`${dev.path}: an ISA device needs an ISA bus`);
}
