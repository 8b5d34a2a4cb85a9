import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { pcBoot } from "./boot/device.ts";
import { isapcMachine, pcMachine } from "./machine.ts";

export { BoardError } from "./errors.ts";
export { apicIdOf } from "./cpus.ts";
export type { BoardApic, BoardCpu, CpuSignals, PortBus } from "./cpus.ts";
export { splitRam } from "./memmap.ts";
export type { RamSplit } from "./memmap.ts";
export { isapcMachine, pcBoot, pcMachine };

/** The boards `pc` and `isapc`. */
const plugin: Plugin = definePlugin({ name: "@mimus/hw-pc", types: [pcBoot, pcMachine, isapcMachine] });
export default plugin;
