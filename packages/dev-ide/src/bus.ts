import type { BusHooks, Device } from "@mimus/machine-core";
import type { Channel } from "./channel.ts";
import { Unit } from "./unit.ts";

/** Type of the bus that disks and packet devices plug into. */
export const IDE_BUS = "IDE";
const UNITS = 2;
/** Value of `unit` that means: the next free one. */
export const ANY_UNIT = 0xffffffff;

/** The two places of a channel. */
export class IdeBus implements BusHooks {
  readonly channel: Channel;
  /** Number of the channel in the machine, for serial numbers. */
  readonly number: number;
  readonly #taken: Map<Device, number> = new Map();

  constructor(channel: Channel, number: number) {
    this.channel = channel;
    this.number = number;
  }

  get full(): boolean {
    return this.#taken.size >= UNITS;
  }

  /** @throws for a unit that is taken, or that there is not */
  plug(device: Device, props: Readonly<Record<string, unknown>>): void {
    const used = new Set(this.#taken.values());
    const wanted = props["unit"] as number;
    const unit = wanted === ANY_UNIT ? [0, 1].find((n) => !used.has(n)) : wanted;
    if (unit === undefined || unit >= UNITS)
      throw new Error(`IDE unit ${unit ?? UNITS}: a channel has units 0 and 1 only`);
    if (used.has(unit)) throw new Error(`IDE unit ${unit} is taken; the other is ${1 - unit}`);
    this.#taken.set(device, unit);
  }
  unplug(device: Device): void {
    const unit = this.#taken.get(device);
    if (unit !== undefined) {
      this.channel.units[unit]?.connect(undefined);
      this.channel.units[unit] = undefined;
    }
    this.#taken.delete(device);
  }
  realized(device: Device): void {
    if (!(device.impl instanceof Unit)) return;
    this.channel.units[this.#taken.get(device) ?? 0] = device.impl;
    device.impl.connect(this.channel);
  }
  /** The unit that `plug` gave to the device at this path. */
  unitOf(path: string): number {
    return [...this.#taken].find(([device]) => device.path === path)?.[1] ?? 0;
  }
}
