import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { isaVga } from "./isa-vga.ts";
import { bochsDisplay, vgaPci } from "./vga-pci.ts";

export { DISPI, Dispi, ENABLE } from "./dispi.ts";
export type { DispiEvents, LinearMode } from "./dispi.ts";
export { edid } from "./edid.ts";
export type { Monitor } from "./edid.ts";
export type { Picture } from "./picture.ts";
export { Vga } from "./vga.ts";
export type { VgaPins } from "./vga.ts";
export { bochsDisplay, isaVga, vgaPci };

/** VGA cards. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-vga", types: [vgaPci, isaVga, bochsDisplay] });
export default plugin;
