import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { cloop } from "./format.ts";

export { cloop } from "./format.ts";

/** The cloop image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-cloop", types: [cloop] });
export default plugin;
