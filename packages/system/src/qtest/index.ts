export { Qtest } from "./protocol.ts";
export type { QtestPort } from "./port.ts";
