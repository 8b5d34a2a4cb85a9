import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The VHDX image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vhdx", types: [] });
export default plugin;
