import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState } from "@mimus/machine-core";
import { z } from "zod";
import { performWatchdogAction } from "./watchdog-action.ts";

const PORT = { DISABLE: 0x441, ENABLE: 0x443 } as const;

/** Seconds that a value of the enable port stands for: 30 down to 0. */
function seconds(value: number): number {
  return 30 - 2 * (value & 15);
}

const State = defineState("ib700", 1, {
  /** Virtual time at which it runs out, ns; -1: it is off. */
  ends: z.number().min(-1).max(Number.MAX_SAFE_INTEGER).default(-1),
});

/** The countdown. */
class Ib700 implements Stateful {
  readonly #arm: (deadlineNs: number | undefined) => void;
  #ends = -1;

  constructor(arm: (deadlineNs: number | undefined) => void) {
    this.#arm = arm;
  }

  /** Bites at this virtual time, ns; -1: never. */
  set(ends: number): void {
    this.#ends = ends;
    this.#arm(ends < 0 ? undefined : ends);
  }
  reset(): void {
    this.set(-1);
  }
  save(): unknown {
    return State.parse({ ends: this.#ends });
  }
  load(raw: unknown): void {
    this.set(State.parse(raw).ends);
  }
}

/** A watchdog at two ports. Source: iBASE IB700 user's manual, "Watchdog timer configuration". */
export const ib700: DeviceType = defineDevice({
  name: "ib700",
  parent: isaDevice,
  summary: "iBASE 700 watchdog",
  realize(_props, dev) {
    const timer = dev.timer(() => {
      chip.reset();
      performWatchdogAction(dev);
    });
    const chip: Ib700 = new Ib700((ends) => (ends === undefined ? timer.cancel() : timer.arm(ends)));
    const { io } = isaBusOf(dev);
    const port = (name: string, at: number, write: (value: number) => void): void =>
      io.add(at, dev.region(name, { read: () => 0xff, write: (_at, _size, value) => write(value) }, { size: 1 }));
    port("ib700-disable", PORT.DISABLE, () => chip.set(-1));
    port("ib700-enable", PORT.ENABLE, (value) => chip.set(dev.now() + seconds(value) * 1e9));
    dev.stateful(chip);
    return chip;
  },
});
