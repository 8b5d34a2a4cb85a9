export { assemble, AsmError, type AsmErrorKind, type AsmOptions, type Assembly } from "./asm/index.ts";
export { createDisassembler, type Disassemble, type DisassemblerOptions } from "./disas.ts";
export { createTarget } from "./target.ts";
