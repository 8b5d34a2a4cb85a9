import type { CreateOptions, Device, MachineBuilder } from "@mimus/machine-core";

/** Whether the package with a device type is installed. */
export function installed(m: MachineBuilder, type: string): boolean {
  return m.registry.get(type) !== undefined;
}

/** Creates a device, realizes it, and puts its regions at the given addresses. */
export function place(
  m: MachineBuilder,
  type: string,
  props: Readonly<Record<string, unknown>>,
  options: CreateOptions,
  ...addresses: readonly number[]
): Device {
  const device = m.createDevice(type, props, { ...options, realize: true });
  for (const [i, address] of addresses.entries()) {
    const region = device.regions[i];
    if (region !== undefined) m.system.root.add(address, region);
  }
  return device;
}
