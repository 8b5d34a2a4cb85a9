import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { onOff, u16, u8 } from "@mimus/qom";
import { z } from "zod";
import { I8259 } from "./i8259.ts";

/**
 * One of the pair of interrupt controllers: input "irq" 0..7, output "int". The slave's output goes to the master's
 * input 2, and the board tells the master of it with `cascade`.
 */
export const isaI8259: DeviceType = defineDevice({
  name: "isa-i8259",
  parent: isaDevice,
  summary: "8259 interrupt controller",
  userCreatable: false,
  props: z.strictObject({
    iobase: u16.default(0xffff).describe("first port"),
    elcr_addr: u16.default(0xffff).describe("port of the edge/level control register"),
    elcr_mask: u8.default(0xff).describe("inputs that may be level sensitive"),
    master: onOff.default(false).describe("the chip that the processor sees"),
  }),
  realize(p, dev) {
    const isa = isaBusOf(dev);
    const int = dev.irq("int");
    const chip = new I8259({ master: p.master, elcrMask: p.elcr_mask }, (level) => int.set(level));
    dev.input("irq", 8, (n, level) => chip.input(n, level));
    isa.io.add(p.iobase, dev.region("pic", chip, { size: 2, maxAccess: 1 }));
    const elcr = dev.region(
      "elcr",
      { read: () => chip.elcr, write: (_at, _size, value) => void (chip.elcr = value) },
      { size: 1, maxAccess: 1 },
    );
    isa.io.add(p.elcr_addr, elcr);
    dev.stateful(chip);
    // Edges of sources that were reset after it count for nothing.
    dev.onReset("hold", () => chip.reset());
    return chip;
  },
});
