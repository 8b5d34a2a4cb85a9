import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The VDI image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vdi", types: [] });
export default plugin;
