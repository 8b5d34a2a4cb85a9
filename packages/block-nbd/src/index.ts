import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { protocols } from "./protocol.ts";

/** The NBD client protocol. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-nbd", types: [...protocols] });
export default plugin;
