import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { qcow2 } from "./qcow2.ts";

export { qcow2 } from "./qcow2.ts";

/** The qcow2 image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-qcow2", types: [qcow2] });
export default plugin;
