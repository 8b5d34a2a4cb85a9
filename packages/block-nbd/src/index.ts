import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The NBD client protocol. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-nbd", types: [] });
export default plugin;
