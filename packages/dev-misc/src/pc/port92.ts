import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType, Registers, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { z } from "zod";

const INIT = 1;
const A20 = 2;

const State = defineState("port92", 1, { value: z.int().min(0).max(0xff).default(0) });

/** System control port A: address line 20 and a fast reset. Source: IBM PS/2 Hardware Interface Technical Reference, "System control port A". */
class Port92 implements Registers, Stateful {
  readonly #a20: (level: boolean) => void;
  readonly #reset: () => void;
  #value = 0;

  constructor(a20: (level: boolean) => void, reset: () => void) {
    this.#a20 = a20;
    this.#reset = reset;
  }

  read(): number {
    return this.#value;
  }
  write(_offset: number, _size: number, value: number): void {
    const before = this.#value;
    this.#value = value;
    this.#a20((value & A20) !== 0);
    if ((value & ~before & INIT) !== 0) this.#reset();
  }
  reset(): void {
    this.#value &= ~INIT;
    this.load({});
  }
  save(): unknown {
    return State.parse({ value: this.#value });
  }
  load(raw: unknown): void {
    this.#value = State.parse(raw).value;
    this.#a20((this.#value & A20) !== 0);
  }
}

/** Port 92h: output "a20". */
export const port92: DeviceType = defineDevice({
  name: "port92",
  parent: isaDevice,
  summary: "system control port A: A20 and fast reset",
  userCreatable: false,
  realize(_props, dev) {
    const a20 = dev.irq("a20");
    const chip = new Port92(
      (level) => a20.set(level),
      () => dev.machine.requestReset("guest"),
    );
    isaBusOf(dev).io.add(0x92, dev.region("port92", chip, { size: 1 }));
    dev.stateful(chip);
    return chip;
  },
});
