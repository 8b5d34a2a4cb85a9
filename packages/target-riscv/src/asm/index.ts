export { assemble, type AsmOptions, type Assembly } from "./assemble.ts";
export { AsmError, type AsmErrorKind } from "./errors.ts";
