import type { BusHooks, Device, DeviceContext } from "@mimus/machine-core";
import { onOff } from "@mimus/qom";
import { z } from "zod";
import type { VirtioOptions } from "./device.ts";
import { VirtioDevice } from "./device.ts";
import type { VirtioModel, VirtioTransport } from "./model.ts";

/** Type of the buses that virtio devices plug into. */
export const VIRTIO_BUS = "virtio-bus";

/** Properties that every virtio device has, with QEMU's names and defaults. Three are of migration between old versions: taken, without effect. */
export const virtioProps: Readonly<
  Record<
    keyof VirtioOptions | "use-started" | "use-disabled-flag" | "x-disable-legacy-check",
    z.ZodDefault<z.ZodType<boolean, boolean | string>>
  >
> = {
  indirect_desc: onOff.default(true).describe("offer indirect descriptors"),
  event_idx: onOff.default(true).describe("offer event indexes"),
  notify_on_empty: onOff.default(true).describe("offer interrupts when a ring runs empty (legacy)"),
  any_layout: onOff.default(true).describe("offer any layout of buffers (legacy)"),
  iommu_platform: onOff.default(false).describe("require ACCESS_PLATFORM"),
  packed: onOff.default(false).describe("offer packed rings"),
  queue_reset: onOff.default(true).describe("offer resetting single queues"),
  "use-started": onOff.default(true).describe("accepted"),
  "use-disabled-flag": onOff.default(true).describe("accepted"),
  "x-disable-legacy-check": onOff.default(false).describe("accepted"),
};

/** The bus of one transport: room for one device. */
export abstract class VirtioBus implements BusHooks, VirtioTransport {
  abstract readonly modern: boolean;
  protected backend: VirtioDevice | undefined;
  #taken = false;

  get full(): boolean {
    return this.#taken;
  }
  /** The device behind the transport. */
  get device(): VirtioDevice | undefined {
    return this.backend;
  }

  plug(device: Device): void {
    if (this.#taken) throw new Error(`the bus of ${device.label} already has a device`);
    this.#taken = true;
  }
  unplug(): void {
    this.#taken = false;
    if (this.backend) this.backend.transport = undefined;
    this.backend = undefined;
    this.detached();
  }

  /** Called by a virtio device when it is realized. */
  attach(device: VirtioDevice): void {
    this.backend = device;
    device.transport = this;
    this.attached(device);
  }

  protected attached(_device: VirtioDevice): void {}
  protected detached(): void {}
  abstract queueInterrupt(queue: VirtioDevice["queues"][number]): void;
  abstract configInterrupt(): void;
  abstract deviceReset(): void;
}

/**
 * Puts a model behind the transport that its device was plugged into. For the `realize` of a virtio device type.
 */
export function realizeVirtio(dev: DeviceContext, model: VirtioModel, options: VirtioOptions): VirtioDevice {
  const bus = dev.parentBus?.impl;
  if (!(bus instanceof VirtioBus)) throw new Error(`${dev.path}: a virtio device needs a virtio bus`);
  const device = new VirtioDevice(dev, model, options);
  bus.attach(device);
  dev.stateful(device, "virtio");
  return device;
}
