import { definePlugin } from "@mimus/qom";
import type { Plugin } from "@mimus/qom";
import { pflashCfi01 } from "./pflash-cfi01.ts";

export { CfiBank } from "./cfi01.ts";
export type { BankLayout, BankPins } from "./cfi01.ts";
export type { FlashBank } from "./pflash-cfi01.ts";
export { pflashCfi01 };

/** Parallel NOR flash. */
const plugin: Plugin = definePlugin({ name: "@mimus/dev-flash", types: [pflashCfi01] });
export default plugin;
