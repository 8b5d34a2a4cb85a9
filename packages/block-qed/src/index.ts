import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { qed } from "./format.ts";

export { qed } from "./format.ts";

/** The QED image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qed", types: [qed] });
export default plugin;
