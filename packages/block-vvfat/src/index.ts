import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { fat, vvfat } from "./protocol.ts";

export { DIRECTORY_SERVICE, fat, vvfat } from "./protocol.ts";
export type { OpenDirectory } from "./protocol.ts";

/** A host folder as a FAT disk. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vvfat", types: [vvfat, fat] });
export default plugin;
