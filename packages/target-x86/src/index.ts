/** x86: i386 and x86-64. */
export * from "./config.ts";
export * from "./flags.ts";
export * from "./insn.ts";
export * from "./state.ts";
