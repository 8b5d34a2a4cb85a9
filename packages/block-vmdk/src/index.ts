import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The VMDK image formats. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vmdk", types: [] });
export default plugin;
