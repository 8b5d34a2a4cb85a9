import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { parallels } from "./format.ts";

export { parallels } from "./format.ts";

/** The Parallels image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-parallels", types: [parallels] });
export default plugin;
