export { BaseNet } from "./base.ts";
export type { NetStats } from "./base.ts";
export { HubPort, LoopbackNet, NetHub, NullNet, TestNet } from "./backends.ts";
export { MAX_FRAME, MIN_FRAME } from "./contract.ts";
export type { NetBackend, NetNic, NetPeer } from "./contract.ts";
export { NetError } from "./errors.ts";
export type { NetErrorKind } from "./errors.ts";
export { defaultMac, formatMac, parseMac } from "./mac.ts";
