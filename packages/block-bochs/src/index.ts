import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The Bochs growing image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-bochs", types: [] });
export default plugin;
