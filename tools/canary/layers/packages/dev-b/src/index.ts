import type { part } from "@mimus/dev-a";
import { qom } from "@mimus/qom/src/index.ts";
export type P = typeof part;
export * from "../../qom/src/index.ts";
export { qom };
