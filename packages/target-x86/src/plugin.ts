/** What this package adds to a program. */
import { definePlugin, type Plugin } from "@mimus/qom";
import { cpuTypes, x86Cpu } from "./object.ts";

/** The x86 CPU types. */
export const plugin: Plugin = definePlugin({ name: "@mimus/target-x86", types: [...x86Cpu, ...cpuTypes] });
