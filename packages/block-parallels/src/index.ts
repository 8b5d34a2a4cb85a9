import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The Parallels image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-parallels", types: [] });
export default plugin;
