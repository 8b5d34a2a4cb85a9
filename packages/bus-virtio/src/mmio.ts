import type { IrqLine, Registers, Stateful } from "@mimus/machine-core";
import { defineState, stateU32 } from "@mimus/machine-core";
import { z } from "zod";
import { VirtioBus } from "./bus.ts";
import type { VirtQueue } from "./virtqueue.ts";

const MAGIC = 0x74726976; // "virt"
const VENDOR = 0x554d4551; // what drivers know from QEMU
const CONFIG = 0x100;

/** Registers. Source: VIRTIO 1.2, 4.2.2 and 4.2.4 (legacy). */
const REG = {
  MAGIC: 0x00,
  VERSION: 0x04,
  DEVICE_ID: 0x08,
  VENDOR_ID: 0x0c,
  DEVICE_FEATURES: 0x10,
  DEVICE_FEATURES_SEL: 0x14,
  DRIVER_FEATURES: 0x20,
  DRIVER_FEATURES_SEL: 0x24,
  GUEST_PAGE_SIZE: 0x28, // legacy
  QUEUE_SEL: 0x30,
  QUEUE_NUM_MAX: 0x34,
  QUEUE_NUM: 0x38,
  QUEUE_ALIGN: 0x3c, // legacy
  QUEUE_PFN: 0x40, // legacy
  QUEUE_READY: 0x44,
  QUEUE_NOTIFY: 0x50,
  INTERRUPT_STATUS: 0x60,
  INTERRUPT_ACK: 0x64,
  STATUS: 0x70,
  QUEUE_DESC_LOW: 0x80,
  QUEUE_DESC_HIGH: 0x84,
  QUEUE_DRIVER_LOW: 0x90,
  QUEUE_DRIVER_HIGH: 0x94,
  QUEUE_DEVICE_LOW: 0xa0,
  QUEUE_DEVICE_HIGH: 0xa4,
  SHM_LEN_LOW: 0xb0,
  SHM_LEN_HIGH: 0xb4,
  SHM_BASE_LOW: 0xb8,
  SHM_BASE_HIGH: 0xbc,
  QUEUE_RESET: 0xc0,
  CONFIG_GENERATION: 0xfc,
} as const;

const ISR_QUEUE = 1;
const ISR_CONFIG = 2;

/** Largest page or alignment a legacy driver may choose, bytes. */
const MAX_ALIGN = 1 << 26;

const State = defineState("virtio-mmio", 1, {
  isr: stateU32(),
  featuresSel: stateU32(),
  driverFeaturesSel: stateU32(),
  queueSel: stateU32(),
  pageSize: stateU32(),
  aligns: z.array(z.uint32()).max(2048).default([]),
  areas: z
    .array(z.tuple([z.uint32(), z.uint32(), z.uint32(), z.uint32(), z.uint32(), z.uint32()]))
    .max(2048)
    .default([]),
});

/** The six halves that a modern driver writes: desc, driver, device, each low then high. */
type Areas = [number, number, number, number, number, number];

/** Virtio over memory-mapped registers: version 1 (legacy) or 2. */
export class MmioTransport extends VirtioBus implements Registers, Stateful {
  readonly modern: boolean;
  readonly #irq: IrqLine;
  readonly #error: (message: string) => void;
  #isr = 0;
  #featuresSel = 0;
  #driverFeaturesSel = 0;
  #queueSel = 0;
  #pageSize = 0;
  #aligns: number[] = [];
  #areas: Areas[] = [];

  constructor(irq: IrqLine, opts: { legacy: boolean; guestError: (message: string) => void }) {
    super();
    this.#irq = irq;
    this.modern = !opts.legacy;
    this.#error = opts.guestError;
  }

  // ---- VirtioTransport ----

  queueInterrupt(): void {
    this.#raise(ISR_QUEUE);
  }
  configInterrupt(): void {
    this.#raise(ISR_CONFIG);
  }
  deviceReset(): void {
    this.#isr = 0;
    this.#areas = [];
    this.#irq.set(false);
  }
  protected override detached(): void {
    this.reset();
  }

  // ---- Registers ----

  read(offset: number, size: number): number {
    const device = this.backend;
    if (!device) {
      // An empty slot answers who it is, so that drivers skip it.
      if (size !== 4) return 0;
      if (offset === REG.MAGIC) return MAGIC;
      if (offset === REG.VERSION) return this.modern ? 2 : 1;
      return offset === REG.VENDOR_ID ? VENDOR : 0;
    }
    if (offset >= CONFIG) return device.readConfig(offset - CONFIG, size);
    if (size !== 4 || offset % 4 !== 0) {
      this.#error(`virtio-mmio: read of ${size} bytes at 0x${offset.toString(16)}; registers are 4 bytes`);
      return 0;
    }
    const queue = device.queues[this.#queueSel];
    switch (offset) {
      case REG.MAGIC:
        return MAGIC;
      case REG.VERSION:
        return this.modern ? 2 : 1;
      case REG.DEVICE_ID:
        return device.model.deviceId;
      case REG.VENDOR_ID:
        return VENDOR;
      case REG.DEVICE_FEATURES:
        return device.offered(this.#featuresSel);
      case REG.QUEUE_NUM_MAX:
        return queue?.maxSize ?? 0;
      case REG.QUEUE_PFN:
        return this.modern || !queue?.ready ? 0 : Math.floor(queue.desc / (this.#pageSize || 4096));
      case REG.QUEUE_READY:
        return this.modern && queue?.ready ? 1 : 0;
      case REG.INTERRUPT_STATUS:
        return this.#isr;
      case REG.STATUS:
        return device.status;
      case REG.CONFIG_GENERATION:
        return this.modern ? device.generation : 0;
      case REG.SHM_LEN_LOW:
      case REG.SHM_LEN_HIGH:
      case REG.SHM_BASE_LOW:
      case REG.SHM_BASE_HIGH:
        return 0xffffffff; // no shared memory region
      default:
        this.#error(`virtio-mmio: read of register 0x${offset.toString(16)}`);
        return 0;
    }
  }

  write(offset: number, size: number, value: number): void {
    const device = this.backend;
    if (!device) return;
    if (offset >= CONFIG) {
      device.writeConfig(offset - CONFIG, size, value);
      return;
    }
    if (size !== 4 || offset % 4 !== 0) {
      this.#error(`virtio-mmio: write of ${size} bytes at 0x${offset.toString(16)}; registers are 4 bytes`);
      return;
    }
    const queue = device.queues[this.#queueSel];
    switch (offset) {
      case REG.DEVICE_FEATURES_SEL:
        this.#featuresSel = value;
        return;
      case REG.DRIVER_FEATURES:
        device.accept(this.modern ? this.#driverFeaturesSel : this.#driverFeaturesSel === 0 ? 0 : 2, value);
        return;
      case REG.DRIVER_FEATURES_SEL:
        this.#driverFeaturesSel = value;
        return;
      case REG.QUEUE_SEL:
        this.#queueSel = value;
        return;
      case REG.QUEUE_NUM:
        this.#setSize(queue, value);
        return;
      case REG.QUEUE_NOTIFY:
        device.notify(value & 0xffff);
        return;
      case REG.INTERRUPT_ACK:
        this.#isr &= ~value;
        this.#irq.set(this.#isr !== 0);
        return;
      case REG.STATUS:
        device.setStatus(value);
        return;
      default:
        if (queue && (this.modern ? this.#writeModern(queue, offset, value) : this.#writeLegacy(queue, offset, value)))
          return;
        if (!this.modern && offset === REG.GUEST_PAGE_SIZE) this.#pageSize = this.#powerOfTwo("guest page size", value);
        else this.#error(`virtio-mmio: write of 0x${value.toString(16)} to register 0x${offset.toString(16)}`);
    }
  }

  #setSize(queue: VirtQueue | undefined, size: number): void {
    if (!queue || size === 0 || size > queue.maxSize)
      this.#error(`virtio-mmio: queue size ${size}; at most ${queue?.maxSize ?? 0}`);
    else if (!queue.ready) queue.size = size;
  }

  #writeLegacy(queue: VirtQueue, offset: number, value: number): boolean {
    switch (offset) {
      case REG.QUEUE_ALIGN:
        this.#aligns[queue.index] = this.#powerOfTwo("queue alignment", value);
        return true;
      case REG.QUEUE_PFN: {
        if (value === 0) {
          // A legacy driver gives its queues back one by one.
          queue.setReady(false);
          return true;
        }
        const align = this.#aligns[queue.index] || 4096;
        queue.desc = value * (this.#pageSize || 4096);
        queue.driver = queue.desc + 16 * queue.size;
        const end = queue.driver + 2 * (3 + queue.size);
        queue.device = Math.ceil(end / align) * align;
        queue.setReady(true);
        return true;
      }
      default:
        return false;
    }
  }

  #writeModern(queue: VirtQueue, offset: number, value: number): boolean {
    const areas = (this.#areas[queue.index] ??= [0, 0, 0, 0, 0, 0]);
    switch (offset) {
      case REG.QUEUE_READY:
        if (value & 1) {
          queue.desc = areas[0] + areas[1] * 4294967296;
          queue.driver = areas[2] + areas[3] * 4294967296;
          queue.device = areas[4] + areas[5] * 4294967296;
        }
        queue.setReady((value & 1) !== 0);
        return true;
      case REG.QUEUE_RESET:
        if (value & 1) queue.reset();
        return true;
      case REG.QUEUE_DESC_LOW:
      case REG.QUEUE_DESC_HIGH:
      case REG.QUEUE_DRIVER_LOW:
      case REG.QUEUE_DRIVER_HIGH:
      case REG.QUEUE_DEVICE_LOW:
      case REG.QUEUE_DEVICE_HIGH:
        areas[((offset - REG.QUEUE_DESC_LOW) >> 3) + ((offset >> 2) & 1)] = value;
        return true;
      default:
        return false;
    }
  }

  #powerOfTwo(what: string, value: number): number {
    if (value !== 0 && value <= MAX_ALIGN && (value & (value - 1)) === 0) return value;
    this.#error(`virtio-mmio: ${what} ${value} is no power of two up to ${MAX_ALIGN}`);
    return 4096;
  }

  #raise(bits: number): void {
    this.#isr |= bits;
    this.#irq.set(true);
  }

  // ---- Stateful ----

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({
      isr: this.#isr,
      featuresSel: this.#featuresSel,
      driverFeaturesSel: this.#driverFeaturesSel,
      queueSel: this.#queueSel,
      pageSize: this.#pageSize,
      aligns: Array.from(this.#aligns, (a) => a ?? 0),
      areas: Array.from(this.#areas, (a): Areas => a ?? [0, 0, 0, 0, 0, 0]),
    });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#isr = s.isr;
    this.#featuresSel = s.featuresSel;
    this.#driverFeaturesSel = s.driverFeaturesSel;
    this.#queueSel = s.queueSel;
    this.#pageSize = s.pageSize;
    this.#aligns = s.aligns;
    this.#areas = s.areas;
    this.#irq.set(this.#isr !== 0);
  }
}
