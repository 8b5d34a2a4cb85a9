import busPci from "@mimus/bus-pci";
import busVirtio from "@mimus/bus-virtio";
import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { virtioBlk } from "./blk/virtio-blk.ts";
import type { VirtioFamily } from "./family.ts";
import { pciTypes, virtioPci } from "./pci/types.ts";
import { virtioRng } from "./rng/virtio-rng.ts";
import { virtconsole, virtioSerial, virtserialport } from "./serial/virtio-serial.ts";

export type { RngSource } from "./rng/virtio-rng.ts";

const families: readonly VirtioFamily[] = [virtioBlk, virtioRng, virtioSerial];

/** All virtio devices. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-virtio",
  types: [...families.map((f) => f.device), virtioPci, ...families.flatMap(pciTypes), virtconsole, virtserialport],
  uses: [busPci, busVirtio],
});
export default plugin;
