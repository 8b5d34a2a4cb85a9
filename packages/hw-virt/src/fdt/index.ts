export { cells64, FdtNode } from "./tree.ts";
export type { FdtValue } from "./tree.ts";
export { FdtError, readFdt } from "./read.ts";
export { writeFdt } from "./write.ts";
