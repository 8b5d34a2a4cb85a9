import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The DMG image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-dmg", types: [] });
export default plugin;
