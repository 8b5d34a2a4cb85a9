import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { dmg } from "./format.ts";

export { dmg } from "./format.ts";

/** The DMG image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-dmg", types: [dmg] });
export default plugin;
