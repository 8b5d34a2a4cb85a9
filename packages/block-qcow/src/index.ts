import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { qcow } from "./format.ts";

export { qcow } from "./format.ts";

/** The qcow (version 1) image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qcow", types: [qcow] });
export default plugin;
