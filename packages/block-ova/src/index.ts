import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** Disks inside OVA archives. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-ova", types: [] });
export default plugin;
