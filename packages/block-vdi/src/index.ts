import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { vdi } from "./format.ts";

export { vdi } from "./format.ts";

/** The VDI image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vdi", types: [vdi] });
export default plugin;
