import { z } from "zod";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";

const FAIL = 0x3333;
const PASS = 0x5555;
const RESET = 0x7777;

/**
 * SiFive's test finisher: one word ends the run or resets the machine.
 * Source: device tree bindings "sifive,test0" and "sifive,test1"; SiFive Freedom E SDK, "test finisher".
 */
export const sifiveTest: DeviceType = defineDevice({
  name: "riscv.sifive.test",
  parent: "sysbus-device",
  summary: "SiFive test finisher: power off, exit code, reset",
  userCreatable: false,
  props: z.strictObject({}),
  realize(_props, dev) {
    const registers = {
      read: (): number => 0,
      write: (offset: number, size: number, value: number): void => {
        const code = size === 4 ? value >>> 16 : 0;
        if (offset !== 0) return dev.guestError(`write of unknown register 0x${offset.toString(16)}`);
        switch (value & 0xffff) {
          case FAIL:
            return dev.machine.requestShutdown("guest-panic", code);
          case PASS:
            return dev.machine.requestShutdown("guest-shutdown", 0);
          case RESET:
            return dev.machine.requestReset("guest");
          default:
            return dev.guestError(`unknown finisher command 0x${value.toString(16)}`);
        }
      },
    };
    dev.region("riscv.sifive.test", registers, { size: 0x1000, minAccess: 2, maxAccess: 4 });
    return registers;
  },
});
