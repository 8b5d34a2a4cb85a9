import { z } from "zod";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";

/** What the board's builder hangs on the reset of the machine. */
export interface BootMemory {
  /** Called at every reset: puts ROMs in place. */
  install: () => void;
  /** Called at the end of every reset, when all devices are there. */
  started: () => void;
}

/** The part of a PC that fills its memory at reset. */
export const pcBoot: DeviceType = defineDevice({
  name: "pc-boot-memory",
  parent: "sysbus-device",
  summary: "contents of a PC's memory at reset",
  userCreatable: false,
  props: z.strictObject({}),
  realize(_props, dev) {
    const impl: BootMemory = { install: () => {}, started: () => {} };
    dev.onReset("enter", () => impl.install());
    dev.onReset("exit", () => impl.started());
    return impl;
  },
});
