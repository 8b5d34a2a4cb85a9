import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The VHD (Virtual PC) image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vpc", types: [] });
export default plugin;
