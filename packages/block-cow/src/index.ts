import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The cow image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-cow", types: [] });
export default plugin;
