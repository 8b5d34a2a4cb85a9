export { attachQtest } from "./attach.ts";
export { qtestPort } from "./machine-port.ts";
export { Qtest } from "./protocol.ts";
export type { QtestPort } from "./port.ts";
