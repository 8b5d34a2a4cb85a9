import { isaBusOf, isaDevice } from "@mimus/bus-isa";
import type { DeviceType } from "@mimus/machine-core";
import { defineDevice } from "@mimus/machine-core";
import { u32 } from "@mimus/qom";
import { z } from "zod";

/** A port that ends the program: its exit status is twice what is written, plus one. */
export const isaDebugExit: DeviceType = defineDevice({
  name: "isa-debug-exit",
  parent: isaDevice,
  summary: "ends the program with a status that the guest chooses",
  props: z.strictObject({
    iobase: u32.default(0x501).describe("port"),
    iosize: u32
      .refine((n) => n >= 1 && n <= 0x10000, "must be 1 to 0x10000")
      .default(2)
      .describe("number of ports"),
  }),
  realize(p, dev) {
    const registers = {
      read: (): number => 0,
      write: (_offset: number, _size: number, value: number): void =>
        dev.machine.requestShutdown("host-quit", (((value << 1) | 1) & 0xff) >>> 0),
    };
    isaBusOf(dev).io.add(p.iobase, dev.region("isa-debug-exit", registers, { size: p.iosize }));
    return registers;
  },
});
