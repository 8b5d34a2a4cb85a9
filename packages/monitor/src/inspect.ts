import type { Machine } from "@mimus/machine-core";

/** A part that tells about itself: texts by what they are about ("pic", "pci", "tlb"). */
export interface Inspectable {
  readonly inspect: Readonly<Record<string, () => string>>;
}

/** What the processors, devices and buses of a machine tell about `topic`, as the `info` commands show it. */
export function inspectMachine(machine: Machine, topic: string): string[] {
  const parts: unknown[] = [...machine.cpus.map(({ cpu }) => cpu)];
  for (const device of machine.devices().toReversed()) {
    parts.push(device.impl);
    for (const bus of device.buses) parts.push(bus.impl);
  }
  return parts.flatMap((part) => {
    const { inspect } = (part ?? {}) as Partial<Inspectable>;
    const text = typeof inspect === "object" ? inspect[topic]?.() : undefined;
    return text === undefined || text === "" ? [] : [text];
  });
}
