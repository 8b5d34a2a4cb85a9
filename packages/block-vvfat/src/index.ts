import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** A host folder as a FAT disk. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vvfat", types: [] });
export default plugin;
