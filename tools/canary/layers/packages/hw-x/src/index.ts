export { part } from "@mimus/dev-a";
export const later = (): Promise<unknown> => import("@mimus/target-t");
