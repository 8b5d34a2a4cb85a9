import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { i8042, ps2Kbd, ps2Mouse } from "./device.ts";

export { i8042, ps2Kbd, ps2Mouse };
export { I8042, STATUS } from "./i8042.ts";
export type { I8042Pins } from "./i8042.ts";
export { Ps2Keyboard } from "./keyboard.ts";
export { Ps2Mouse } from "./mouse.ts";
export type { Ps2Device } from "./port.ts";

/** The PS/2 keyboard and mouse controller. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-ps2", types: [ps2Kbd, ps2Mouse, i8042] });
export default plugin;
