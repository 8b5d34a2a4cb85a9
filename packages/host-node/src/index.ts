export { nodeClock, type NodeClock, type NodeClockOptions } from "./clock.ts";
export { nodeFiles } from "./files.ts";
export { nodeChars, hasStdin } from "./streams.ts";
export { libc, type Libc } from "./libc.ts";
