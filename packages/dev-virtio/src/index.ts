import busVirtio from "@mimus/bus-virtio";
import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { virtioBlk } from "./blk/virtio-blk.ts";
import type { VirtioFamily } from "./family.ts";

const families: readonly VirtioFamily[] = [virtioBlk];

/** All virtio devices. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-virtio",
  types: families.map((f) => f.device),
  uses: [busVirtio],
});
export default plugin;
