import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";

/** The QED image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qed", types: [] });
export default plugin;
