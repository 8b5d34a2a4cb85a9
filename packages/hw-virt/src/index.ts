import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { virtBoot } from "./boot/index.ts";
import { virtMachine } from "./machine.ts";

export { BoardError } from "./boot/index.ts";
export { FdtError, FdtNode, readFdt, writeFdt } from "./fdt/index.ts";
export type { FdtValue } from "./fdt/index.ts";
export { buildFdt } from "./fdt.ts";
export type { FdtHart, FdtInput } from "./fdt.ts";
export type { BoardHart, TimeSource } from "./hart.ts";
export { MEMMAP } from "./memmap.ts";
export type { MemoryWindow, WindowName } from "./memmap.ts";
export { virtBoot, virtMachine };

/** The board `virt`. */
const plugin: Plugin = definePlugin({ name: "@mimus/hw-virt", types: [virtBoot, virtMachine] });
export default plugin;
