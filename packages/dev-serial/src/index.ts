import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { serialMm } from "./serial-mm.ts";

export { Uart } from "./uart.ts";
export type { Transmit, UartPins } from "./uart.ts";
export { serialMm } from "./serial-mm.ts";

const plugin: Plugin = definePlugin({ name: "@mimus/dev-serial", types: [serialMm] });
export default plugin;
