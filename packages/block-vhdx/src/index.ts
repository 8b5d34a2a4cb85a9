import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { vhdx } from "./format.ts";

export { vhdx } from "./format.ts";

/** The VHDX image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vhdx", types: [vhdx] });
export default plugin;
