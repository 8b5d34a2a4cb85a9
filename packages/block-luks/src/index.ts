import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { luks } from "./format.ts";

export { luks } from "./format.ts";

/** LUKS encrypted images. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-luks", types: [luks] });
export default plugin;
