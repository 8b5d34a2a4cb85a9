import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** LUKS encrypted images. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-luks", types: [] });
export default plugin;
