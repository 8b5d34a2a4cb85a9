import type { PciBus } from "@mimus/bus-pci";
import { defineState, stateU32, type Registers, type Stateful } from "@mimus/machine-core";

const State = defineState("pci-config-ports", 1, { address: stateU32() });

/** Configuration mechanism #1: an address at CF8h, data at CFCh. Source: PCI Local Bus Specification 3.0, 3.2.2.3.2. */
export class ConfigPorts implements Stateful {
  readonly #bus: PciBus;
  #address = 0;

  constructor(bus: PciBus) {
    this.#bus = bus;
  }

  /** CF8h..CFBh. Only whole words are the address. */
  readonly index: Registers = {
    read: (offset, size) => (offset === 0 && size === 4 ? this.#address : 2 ** (8 * size) - 1),
    write: (offset, size, value) => {
      if (offset === 0 && size === 4) this.#address = value;
    },
  };

  /** CFCh..CFFh. */
  readonly data: Registers = {
    read: (offset, size) => {
      const ones = 2 ** (8 * size) - 1;
      const f = this.#function();
      return f === undefined ? ones : f.config.read((this.#address & 0xfc) + offset, size);
    },
    write: (offset, size, value) => this.#function()?.config.write((this.#address & 0xfc) + offset, size, value),
  };

  reset(): void {
    this.#address = 0;
  }
  save(): unknown {
    return State.parse({ address: this.#address });
  }
  load(raw: unknown): void {
    this.#address = State.parse(raw).address;
  }

  #function(): ReturnType<PciBus["find"]> {
    const address = this.#address;
    if (address >>> 31 === 0) return undefined;
    return this.#bus.find(0, (address >>> 16) & 0xff, (address >>> 8) & 0xff);
  }
}
