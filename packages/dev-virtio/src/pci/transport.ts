import type { PciFunction } from "@mimus/bus-pci";
import { CAP, REG } from "@mimus/bus-pci";
import type { VirtioDevice, VirtQueue } from "@mimus/bus-virtio";
import { NO_VECTOR, VirtioBus } from "@mimus/bus-virtio";
import type { DeviceContext, Stateful } from "@mimus/machine-core";
import { defineState, stateU32 } from "@mimus/machine-core";
import { z } from "zod";
import { LegacyRegisters } from "./legacy.ts";
import { ModernRegisters } from "./modern.ts";
import { AREA, BAR, CAP_TYPE, ISR, MODERN_ID, NOTIFY_STEP, TRANSITIONAL_ID, VENDOR } from "./spec.ts";

/** What the user chose for the PCI side. */
export interface PciTransportOptions {
  readonly legacy: boolean;
  readonly modern: boolean;
  /** MSI-X vectors; 0 = none. */
  readonly vectors: number;
}

const State = defineState("virtio-pci", 1, {
  isr: stateU32(),
  configVector: z.int().min(0).max(0xffff).default(NO_VECTOR),
  featureSelect: stateU32(),
  driverFeatureSelect: stateU32(),
  queueSelect: stateU32(),
  areas: z.array(z.array(z.uint32()).length(6)).max(2048).default([]),
});

/** Virtio over PCI: the modern structures in BAR 4, the legacy registers in BAR 0, MSI-X in BAR 1. */
export class PciTransport extends VirtioBus implements Stateful {
  readonly modern: boolean;
  readonly #pci: PciFunction;
  readonly #dev: DeviceContext;
  readonly #options: PciTransportOptions;
  readonly #modernRegs: ModernRegisters;
  isr = 0;
  configVector: number = NO_VECTOR;
  featureSelect = 0;
  driverFeatureSelect = 0;
  queueSelect = 0;
  /** Halves of the three addresses of each queue, as a modern driver wrote them. */
  areas: number[][] = [];
  #window = 0;

  constructor(dev: DeviceContext, pci: PciFunction, options: PciTransportOptions) {
    super();
    this.#dev = dev;
    this.#pci = pci;
    this.#options = options;
    this.modern = options.modern;
    this.#modernRegs = new ModernRegisters(this);
  }

  /** Sends what the queue's vector says, or raises the pin. */
  queueInterrupt(queue: VirtQueue): void {
    this.#raise(ISR.QUEUE, queue.vector);
  }
  configInterrupt(): void {
    this.#raise(ISR.CONFIG, this.configVector);
  }
  deviceReset(): void {
    this.load({});
  }

  get selected(): VirtQueue | undefined {
    return this.backend?.queues[this.queueSelect];
  }
  get msixEnabled(): boolean {
    return this.#pci.msix?.enabled ?? false;
  }
  /** A vector as a driver may set it: one that does not exist becomes "none". */
  vector(value: number): number {
    return value < this.#options.vectors ? value : NO_VECTOR;
  }
  /** The driver reads the interrupt status: that clears it. */
  takeIsr(): number {
    const { isr } = this;
    this.isr = 0;
    this.#pci.setIntx(false);
    return isr;
  }
  guestError(message: string): void {
    this.#dev.guestError(`virtio-pci: ${message}`);
  }

  protected override attached(device: VirtioDevice): void {
    const { config } = this.#pci;
    const { deviceId } = device.model;
    const { legacy, modern, vectors } = this.#options;
    const transitional = legacy ? TRANSITIONAL_ID[deviceId] : undefined;
    config.set(REG.VENDOR, 2, VENDOR);
    config.set(REG.DEVICE, 2, transitional ?? MODERN_ID + deviceId);
    config.set(REG.REVISION, 1, transitional === undefined ? 1 : 0);
    config.set(REG.SUBSYSTEM_VENDOR, 2, VENDOR);
    config.set(REG.SUBSYSTEM, 2, transitional === undefined ? 0x1100 : deviceId);
    if (modern) {
      this.#pci.addBar(BAR.MODERN, this.#dev.region("modern", this.#modernRegs, { size: AREA.END }), {
        kind: "mem64",
        prefetch: true,
      });
      this.#capabilities();
    }
    if (vectors > 0) this.#pci.addMsix({ vectors, bar: BAR.MSIX });
    if (transitional !== undefined) {
      const regs = new LegacyRegisters(this);
      const size = 2 ** Math.ceil(Math.log2((vectors > 0 ? 24 : 20) + Math.max(1, device.model.configSize)));
      this.#pci.addBar(BAR.LEGACY, this.#dev.region("legacy", regs, { size }), { kind: "io" });
    }
  }

  #raise(bits: number, vector: number): void {
    if (this.msixEnabled) {
      if (vector !== NO_VECTOR) this.#pci.msix!.notify(vector);
      return;
    }
    this.isr |= bits;
    this.#pci.setIntx(true);
  }

  #capabilities(): void {
    const { config } = this.#pci;
    const add = (type: number, offset: number, length: number, extra = 0): number => {
      const at = config.addCapability(CAP.VENDOR, 16 + extra);
      config.set(at + 2, 1, 16 + extra);
      config.set(at + 3, 1, type);
      config.set(at + 4, 1, BAR.MODERN);
      config.set(at + 8, 4, offset);
      config.set(at + 12, 4, length);
      return at;
    };
    add(CAP_TYPE.COMMON, AREA.COMMON, 0x1000);
    add(CAP_TYPE.ISR, AREA.ISR, 0x1000);
    add(CAP_TYPE.DEVICE, AREA.DEVICE, 0x1000);
    const notify = add(CAP_TYPE.NOTIFY, AREA.NOTIFY, 0x1000, 4);
    config.set(notify + 16, 4, NOTIFY_STEP);
    // The window for drivers that cannot reach BARs.
    const w = add(CAP_TYPE.PCI_CFG, 0, 0, 4);
    config.set(w + 4, 1, 0, 0xff);
    config.set(w + 8, 4, 0, 0xffffffff);
    config.set(w + 12, 4, 0, 0xffffffff);
    config.set(w + 16, 4, 0, 0xffffffff);
    this.#window = w;
    config.onRead = (at, size) => this.#windowAccess(at, size, false);
    this.#pci.onConfigWrite = (at, size) => {
      if (size <= 4) this.#windowAccess(at, size, true);
    };
  }

  /** Source: 4.1.4.9. */
  #windowAccess(at: number, size: number, write: boolean): void {
    const data = this.#window + 16;
    if (at >= data + 4 || at + size <= data) return;
    const v = this.#pci.config.view;
    const offset = v.getUint32(this.#window + 8, true);
    const length = v.getUint32(this.#window + 12, true);
    if (v.getUint8(this.#window + 4) !== BAR.MODERN || offset >= AREA.END) return;
    if ((length !== 1 && length !== 2 && length !== 4) || offset % length !== 0) return;
    if (write) {
      const value = v.getUint32(data, true);
      this.#modernRegs.write(offset, length, length === 4 ? value : value & (2 ** (8 * length) - 1));
    } else v.setUint32(data, this.#modernRegs.read(offset, length), true);
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    const { isr, configVector, featureSelect, driverFeatureSelect, queueSelect } = this;
    const areas = Array.from(this.areas, (a) => a ?? [0, 0, 0, 0, 0, 0]);
    return State.parse({ isr, configVector, featureSelect, driverFeatureSelect, queueSelect, areas });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.isr = s.isr & 3;
    this.configVector = s.configVector;
    this.featureSelect = s.featureSelect;
    this.driverFeatureSelect = s.driverFeatureSelect;
    this.queueSelect = s.queueSelect;
    this.areas = s.areas;
    this.#pci.setIntx(this.isr !== 0 && !this.msixEnabled);
  }
}
