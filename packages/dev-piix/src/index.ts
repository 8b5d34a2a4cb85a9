import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { i440fx, i440fxHost } from "./i440fx/devices.ts";
import { piix3 } from "./piix3/piix3.ts";
import { piix4Pm } from "./pm/piix4-pm.ts";
import { smbusEeprom } from "./pm/smbus-eeprom.ts";

export { ConfigPorts } from "./i440fx/config-ports.ts";
export { i440fx, i440fxHost, SUBSYSTEM } from "./i440fx/devices.ts";
export { I440FxHost, SMRAM_VIEW } from "./i440fx/host.ts";
export { PirqRouter, ResetControl } from "./piix3/piix3.ts";
export { piix3 } from "./piix3/piix3.ts";
export { piix4Pm, SMI_COMMAND } from "./pm/piix4-pm.ts";
export type { PowerManagement } from "./pm/piix4-pm.ts";
export { GPE, PM1, PM_TIMER_HZ, PmRegisters } from "./pm/pm-registers.ts";
export type { PmPins } from "./pm/pm-registers.ts";
export { I2C_BUS, SmbusBus, SmbusHost } from "./pm/smbus.ts";
export type { SmbusDevice } from "./pm/smbus.ts";
export { Eeprom, smbusEeprom } from "./pm/smbus-eeprom.ts";

/** The chip set of the machine `pc`. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-piix",
  types: [i440fxHost, i440fx, piix3, piix4Pm, smbusEeprom],
});
export default plugin;
