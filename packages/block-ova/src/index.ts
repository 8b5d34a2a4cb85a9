import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { ova } from "./format.ts";

export { ova } from "./format.ts";

/** Disks of OVF archives. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-ova", types: [ova] });
export default plugin;
