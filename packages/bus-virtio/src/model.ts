import type { VirtQueue } from "./virtqueue.ts";

/** What a device type (block, net, ...) writes. The rest - status, features, rings, transports - is done for it. */
export interface VirtioModel {
  /** Device type number (VIRTIO 1.2, 5). */
  readonly deviceId: number;
  /** Largest size of each queue; 0 for a queue that is not there. */
  readonly queueSizes: readonly number[];
  /** Bytes of the configuration space. */
  readonly configSize: number;
  /** Feature bits of the type that this device offers. `modern`: the driver may use VERSION_1. */
  features(modern: boolean): Iterable<number>;
  /** Fills in the configuration space as it is now. `little`: byte order of its fields. */
  fillConfig(config: DataView, little: boolean): void;
  /** The driver wrote `size` bytes at `at`; `config` has them already. */
  configWritten?(config: DataView, at: number, size: number, little: boolean): void;
  /** Features are final: called when the driver sets FEATURES_OK (modern) or DRIVER_OK (legacy). */
  featuresChosen?(): void;
  /** DRIVER_OK was set. */
  start?(): void;
  /** The driver notified a queue: take what is available. Must return soon; at most one ring of work. */
  queueNotified(queue: VirtQueue): void;
  /** Back to the state after power-on; buffers that were popped are gone. */
  reset(): void;
  /** What a snapshot holds of the type's own state. */
  save?(): unknown;
  /** @throws for a state that this device cannot have. */
  load?(state: unknown): void;
}

/** What a transport (memory-mapped, PCI) does for the device behind it. */
export interface VirtioTransport {
  /** The driver may negotiate VERSION_1. */
  readonly modern: boolean;
  /** A queue has used buffers that the driver wants to hear of. */
  queueInterrupt(queue: VirtQueue): void;
  /** The configuration space changed. */
  configInterrupt(): void;
  /** The device went back to its power-on state. */
  deviceReset(): void;
}
