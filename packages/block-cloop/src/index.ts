import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The cloop compressed image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-cloop", types: [] });
export default plugin;
