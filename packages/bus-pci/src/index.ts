import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { pciBridge, pcieRootPort } from "./bridge.ts";
import { gpexHost, gpexRoot } from "./gpex.ts";
import { pciDevice } from "./pci-device.ts";

export { PciBridge } from "./bridge.ts";
export { PCI_BUS, PciBus } from "./bus.ts";
export type { PciUpstream } from "./bus.ts";
export { ConfigSpace } from "./config-space.ts";
export { PciFunction } from "./function.ts";
export type { BarOptions, BridgeSide, PciIdentity } from "./function.ts";
export { ECAM_SIZE } from "./gpex.ts";
export { PciHost } from "./host.ts";
export { Msi } from "./msi.ts";
export type { MsiOptions } from "./msi.ts";
export { Msix } from "./msix.ts";
export type { MsixOptions } from "./msix.ts";
export { addOptionRom, FIRMWARE_FILES, pciDevice } from "./pci-device.ts";
export type { PciProps } from "./pci-device.ts";
export { BRIDGE, CAP, COMMAND, REG, STATUS } from "./spec.ts";

/** The generic host bridge, root ports and bridges. */
const plugin: Plugin = definePlugin({
  name: "@mimus/bus-pci",
  types: [pciDevice, gpexHost, gpexRoot, pcieRootPort, pciBridge],
});
export default plugin;
