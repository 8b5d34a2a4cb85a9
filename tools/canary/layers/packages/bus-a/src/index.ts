import { part } from "@mimus/dev-a";
export const upward = part;
