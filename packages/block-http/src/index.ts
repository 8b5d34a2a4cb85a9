import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** Images over HTTP and HTTPS. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-http", types: [] });
export default plugin;
