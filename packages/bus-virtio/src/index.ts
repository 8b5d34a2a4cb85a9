import type { Plugin } from "@mimus/qom";
import { definePlugin } from "@mimus/qom";
import { virtioMmio } from "./virtio-mmio.ts";

export { realizeVirtio, VIRTIO_BUS, VirtioBus, virtioProps } from "./bus.ts";
export { Chain } from "./chain.ts";
export { VirtioDevice } from "./device.ts";
export type { VirtioOptions } from "./device.ts";
export { GuestMemory } from "./guest-memory.ts";
export { bumpAllocator, MmioDriver } from "./mmio-driver.ts";
export type { DriverOptions } from "./mmio-driver.ts";
export { MmioTransport } from "./mmio.ts";
export type { VirtioModel, VirtioTransport } from "./model.ts";
export { RingDriver } from "./ring-driver.ts";
export type { GivenBuffer, UsedBuffer } from "./ring-driver.ts";
export { DESC, DEVICE_ID, FEATURE, MAX_QUEUE_SIZE, STATUS } from "./spec.ts";
export { virtioMmio } from "./virtio-mmio.ts";
export { NO_VECTOR, VirtQueue } from "./virtqueue.ts";
export type { QueueOwner, QueueState } from "./virtqueue.ts";
export type { RingState } from "./ring.ts";

/** The memory-mapped transport. */
const plugin: Plugin = definePlugin({ name: "@mimus/bus-virtio", types: [virtioMmio] });
export default plugin;
