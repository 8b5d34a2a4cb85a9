import { z } from "zod";
import { size } from "@mimus/qom";
import { defineDevice } from "@mimus/machine-core";
import type { DeviceType } from "@mimus/machine-core";

/** A hole with a name: reads zero, ignores writes, and logs both. */
export const unimplementedDevice: DeviceType = defineDevice({
  name: "unimplemented-device",
  parent: "sysbus-device",
  summary: "placeholder that logs accesses",
  userCreatable: false,
  props: z.strictObject({
    name: z.string().min(1).describe("what would be here"),
    size: size.refine((n) => n > 0, "must not be 0").describe("bytes"),
  }),
  realize({ name, size: bytes }, dev) {
    const hex = (n: number): string => `0x${n.toString(16)}`;
    const registers = {
      read(offset: number, width: number): number {
        dev.unimplemented(`${name}: ${width}-byte read at ${hex(offset)}`);
        return 0;
      },
      write(offset: number, width: number, value: number): void {
        dev.unimplemented(`${name}: ${width}-byte write of ${hex(value)} at ${hex(offset)}`);
      },
    };
    dev.region(name, registers, { size: bytes });
    return registers;
  },
});
