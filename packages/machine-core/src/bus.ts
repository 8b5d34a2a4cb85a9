import type { AddressSpace } from "./address-space.ts";
import type { Device } from "./device.ts";

/** What the thing behind a bus may want to know; every method is optional. */
export interface BusHooks {
  /** A device is about to be realized here: give it an address, or throw a user error. */
  plug?(device: Device, props: Readonly<Record<string, unknown>>): void;
  /** A device has its regions and lines. An error undoes it. */
  realized?(device: Device, props: Readonly<Record<string, unknown>>): void;
  /** A device was unrealized. */
  unplug?(device: Device): void;
  /** Whether there is no room left; a device without a `bus=` option then looks for another bus. */
  readonly full?: boolean;
  /** Where the devices' DMA goes; the system address space when absent. */
  readonly dma?: AddressSpace;
}

/** A place where devices plug in. */
export interface Bus {
  /** Unique in the machine: `"pcie.0"`; what `-device x,bus=` names. */
  readonly name: string;
  /** What kind of device fits: `"pci"`, `"virtio"`, … */
  readonly type: string;
  /** The bus itself, of the bus package; may implement `BusHooks`. */
  readonly impl: unknown;
  readonly owner: Device;
  readonly children: Device[];
}

/** The optional hooks of a bus's implementation. */
export function hooksOf(bus: Bus | undefined): BusHooks {
  const impl = bus?.impl;
  return typeof impl === "object" && impl !== null ? (impl as BusHooks) : {};
}
