import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { isaSerial } from "./isa-serial.ts";
import { pciSerial } from "./pci-serial.ts";
import { serialMm } from "./serial-mm.ts";

export { isaSerial } from "./isa-serial.ts";
export { pciSerial } from "./pci-serial.ts";
export { Uart } from "./uart.ts";
export type { Transmit, UartPins } from "./uart.ts";
export { serialMm } from "./serial-mm.ts";

/** Serial ports. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-serial", types: [serialMm, isaSerial, pciSerial] });
export default plugin;
