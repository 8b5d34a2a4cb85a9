import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The qcow2 image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qcow2", types: [] });
export default plugin;
