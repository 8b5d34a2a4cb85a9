import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { ssh } from "./protocol.ts";

export type { HostKeyCheck, SshHost, SshTarget } from "./host.ts";

/** Images over SSH. */
const plugin: Plugin = definePlugin({ name: "@mimus/block-ssh", types: [ssh] });
export default plugin;
