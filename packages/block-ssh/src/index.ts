import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** Images over SSH. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-ssh", types: [] });
export default plugin;
