import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { vmdk } from "./format.ts";

export { vmdk } from "./format.ts";

/** The VMDK image format. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-vmdk", types: [vmdk] });
export default plugin;
