import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { bochs } from "./format.ts";

export { bochs } from "./format.ts";

/** The Bochs image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-bochs", types: [bochs] });
export default plugin;
