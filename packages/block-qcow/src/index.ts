import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The qcow (version 1) image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qcow", types: [] });
export default plugin;
