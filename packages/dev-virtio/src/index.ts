import busPci from "@mimus/bus-pci";
import busVirtio from "@mimus/bus-virtio";
import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { virtioBalloon } from "./balloon/virtio-balloon.ts";
import { virtioBlk } from "./blk/virtio-blk.ts";
import type { VirtioFamily } from "./family.ts";
import { virtioKeyboard, virtioMouse, virtioTablet } from "./input/virtio-input.ts";
import { virtioNet } from "./net/virtio-net.ts";
import { virtio9p } from "./p9/virtio-9p.ts";
import { pciTypes, virtioPci } from "./pci/types.ts";
import { rngSources } from "./rng/sources.ts";
import { virtioRng } from "./rng/virtio-rng.ts";
import { virtconsole, virtioSerial, virtserialport } from "./serial/virtio-serial.ts";

export { BALLOON_PAGE, VirtioBalloon } from "./balloon/chip.ts";
export type {
  HostChanges,
  HostDirectory,
  HostEntry,
  HostHandle,
  HostSpace,
  HostStat,
  HostTime,
  OpenMode,
} from "./p9/host.ts";
export { MemoryDirectory } from "./p9/memory-directory.ts";
export type { RngSource } from "./rng/virtio-rng.ts";

const families: readonly VirtioFamily[] = [
  virtio9p,
  virtioBalloon,
  virtioBlk,
  virtioKeyboard,
  virtioMouse,
  virtioNet,
  virtioRng,
  virtioSerial,
  virtioTablet,
];

/** All virtio devices. */
const plugin: Plugin = definePlugin({
  name: "@mimus/dev-virtio",
  types: [
    ...families.map((f) => f.device),
    virtioPci,
    ...families.flatMap(pciTypes),
    virtconsole,
    virtserialport,
    ...rngSources,
  ],
  uses: [busPci, busVirtio],
});
export default plugin;
