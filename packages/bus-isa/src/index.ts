import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { isaDevice } from "./isa-device.ts";
import { isabusBridge } from "./isabus-bridge.ts";

export { ISA_BUS, ISA_IRQS, IsaBus } from "./bus.ts";
export type { DmaMode, IsaDmaChannel, IsaDmaController, IsaDmaHandler, IsaDmaTransfer } from "./dma.ts";
export { isaBusOf, isaDevice } from "./isa-device.ts";
export { createIsaBus, isabusBridge } from "./isabus-bridge.ts";

/** The ISA bus. */
const plugin: Plugin = definePlugin({ name: "@mimus/bus-isa", types: [isaDevice, isabusBridge] });
export default plugin;
