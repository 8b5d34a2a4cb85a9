import { defineDevice, type DeviceType } from "@mimus/machine-core";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import { Lcd } from "./lcd.ts";

/** The display on the system bus: instruction register at offset 0, data register one stride further. */
export const acmeLcd: DeviceType = defineDevice({
  name: "acme-lcd",
  parent: "dynamic-sysbus-device",
  summary: "HD44780 character display",
  props: z.strictObject({
    columns: z.int().min(8).max(40).default(16).describe("visible characters per row"),
    rows: z.int().min(1).max(4).default(2).describe("visible rows"),
    regshift: z.int().min(0).max(3).default(0).describe("log2 of the register stride, bytes"),
    timing: onOff.default(false).describe("instructions take time and the busy flag shows it"),
  }),
  realize({ columns, rows, regshift, timing }, dev) {
    const lcd = new Lcd({ now: () => dev.now(), timing, guestError: (message) => dev.guestError(message) });
    dev.region("regs", lcd, { size: 2, shift: regshift, maxAccess: 1 });
    dev.stateful(lcd, "lcd");
    dev.property("text", {
      type: "str",
      description: "what is visible",
      get: () => lcd.text(columns, rows).join("\n"),
    });
    return lcd;
  },
});
