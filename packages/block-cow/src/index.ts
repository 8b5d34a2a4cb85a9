import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { cow } from "./format.ts";

export { cow } from "./format.ts";

/** The cow image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-cow", types: [cow] });
export default plugin;
