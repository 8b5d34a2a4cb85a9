import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u32 } from "@mimus/qom";
import { z } from "zod";
import { Pit } from "./pit.ts";

/** The interval timer: output "irq" of counter 0; input "irq-control" low takes it off the line. */
export const isaPit: DeviceType = defineDevice({
  name: "isa-pit",
  parent: isaDevice,
  summary: "8254 programmable interval timer",
  userCreatable: false,
  props: z.strictObject({ iobase: u32.default(0x40).describe("first port") }),
  realize(p, dev) {
    const irq = dev.irq("irq");
    const timer = dev.timer(() => pit.expire());
    const pit: Pit = new Pit({
      now: () => {
        dev.machine.clocks.virtual.exact?.();
        return dev.now();
      },
      output: (level) => irq.set(level),
      arm: (deadline) => (deadline === undefined ? timer.cancel() : timer.arm(deadline)),
    });
    dev.input("irq-control", 1, (_n, level) => pit.enableOutput(level));
    isaBusOf(dev).io.add(p.iobase, dev.region("pit", pit, { size: 4, maxAccess: 1 }));
    dev.stateful(pit);
    dev.onLoaded(() => pit.loaded());
    return pit;
  },
});
