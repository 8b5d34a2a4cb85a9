import { u32, u64 } from "@mimus/qom";
import { z } from "zod";
import type { BusHooks } from "./bus.ts";
import { defineDevice, sysbusDeviceType, type DeviceType } from "./define-device.ts";
import type { Device } from "./device.ts";
import { MachineError } from "./errors.ts";
import type { IrqLine } from "./irq.ts";
import type { MachineContext } from "./machine-context.ts";

/** Regions begin at multiples of this, so that drivers can map each by itself. */
const GRANULE = 0x1000;

/** Where a machine takes the sysbus devices of its user: a window of addresses and a set of interrupt lines. */
export class PlatformBus implements BusHooks {
  readonly #machine: MachineContext;
  readonly #window: { readonly base: number; readonly size: number };
  readonly #lines: readonly IrqLine[];
  readonly #taken: Map<Device, { readonly lines: ReadonlySet<number> }> = new Map();

  constructor(machine: MachineContext, window: { base: number; size: number }, lines: readonly IrqLine[]) {
    this.#machine = machine;
    this.#window = window;
    this.#lines = lines;
  }

  /** @throws MachineError no-room when an address is taken, or the window or the lines are used up */
  realized(device: Device, props: Readonly<Record<string, unknown>>): void {
    let at = props["addr"] as number | undefined;
    for (const region of device.regions) {
      const base = at ?? this.#free(region.size, device.label);
      this.#check(base, region.size, device.label);
      this.#machine.system.root.add(base, region);
      if (at !== undefined) at = roundUp(base + region.size);
    }
    const lines = new Set<number>();
    this.#taken.set(device, { lines });
    for (const output of device.outputs.values())
      for (const line of output) {
        const n = this.#freeLine(device.label);
        lines.add(n);
        line.connect((level) => this.#lines[n]?.set(level));
      }
  }

  unplug(device: Device): void {
    for (const n of this.#taken.get(device)?.lines ?? []) this.#lines[n]?.set(false);
    this.#taken.delete(device);
  }

  #free(size: number, label: string): number {
    const { base, size: room } = this.#window;
    for (let at = base; at + size <= base + room;) {
      const other = this.#overlap(at, size);
      if (other === undefined) return at;
      at = roundUp(other.end);
    }
    throw new MachineError("no-bus", `${label}: no room for ${size} bytes on the platform bus; remove a device`);
  }

  #check(at: number, size: number, label: string): void {
    const other = this.#overlap(at, size);
    if (other === undefined) return;
    const hex = (n: number): string => `0x${n.toString(16)}`;
    throw new MachineError(
      "no-bus",
      `${label}: addr=${hex(at)} overlaps ${other.name} at ${hex(other.base)}; leave addr out, or take a free one (info mtree shows them)`,
    );
  }

  #overlap(at: number, size: number): { name: string; base: number; end: number } | undefined {
    for (const { base, size: length, region } of this.#machine.system.flat)
      if (base < at + size && at < base + length) return { name: region.name, base, end: base + length };
    return undefined;
  }

  #freeLine(label: string): number {
    const used = new Set([...this.#taken.values()].flatMap(({ lines }) => [...lines]));
    const n = this.#lines.findIndex((_, index) => !used.has(index));
    if (n < 0)
      throw new MachineError("no-bus", `${label}: all ${this.#lines.length} lines of the platform bus are used`);
    return n;
  }
}

const roundUp = (n: number): number => Math.ceil(n / GRANULE) * GRANULE;

/** The board's part: makes the bus; its lines `irq` go to the interrupt controller. */
export const platformBusType: DeviceType = defineDevice({
  name: "platform-bus-device",
  parent: sysbusDeviceType,
  summary: "place for sysbus devices that users add",
  userCreatable: false,
  props: z.strictObject({
    base: u64.describe("first address of the window"),
    size: u64.describe("bytes of the window"),
    "num-irqs": u32.default(0).describe("interrupt lines"),
  }),
  realize(props, dev) {
    const lines = dev.irqs("irq", props["num-irqs"]);
    const bus = new PlatformBus(dev.machine, props, lines);
    dev.bus("platform-bus", "sysbus", bus);
    return bus;
  },
});
