/** What this package adds to a program. */
import { definePlugin, type Plugin } from "@mimus/qom";
import { cpuTypes, riscvCpu } from "./cpu.ts";

/** The RISC-V CPU types. */
export const plugin: Plugin = definePlugin({ name: "@mimus/target-riscv", types: [riscvCpu, ...cpuTypes] });
