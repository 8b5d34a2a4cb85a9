import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { vpc } from "./format.ts";

export { vpc } from "./format.ts";

/** The VHD (Virtual PC) image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vpc", types: [vpc] });
export default plugin;
