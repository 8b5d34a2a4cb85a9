import type { DeviceContext } from "@mimus/machine-core";
import { z } from "zod";
import { GuestMemory } from "./guest-memory.ts";
import type { VirtioModel, VirtioTransport } from "./model.ts";
import { FEATURE, MAX_QUEUE_SIZE, STATUS } from "./spec.ts";
import type { QueueOwner } from "./virtqueue.ts";
import { VirtQueue } from "./virtqueue.ts";

/** Properties that every virtio device has. */
export interface VirtioOptions {
  readonly indirect_desc: boolean;
  readonly event_idx: boolean;
  readonly notify_on_empty: boolean;
  readonly any_layout: boolean;
  readonly iommu_platform: boolean;
  readonly packed: boolean;
  readonly queue_reset: boolean;
}

const Ring = z.strictObject({ avail: z.uint32(), used: z.uint32(), signalled: z.int().min(-1).max(0xffff) });
const Queue = z.strictObject({
  size: z.int().min(0).max(MAX_QUEUE_SIZE),
  ready: z.boolean(),
  desc: z.int().min(0),
  driver: z.int().min(0),
  device: z.int().min(0),
  vector: z.int().min(0).max(0xffff),
  ring: Ring.optional(),
});
const State = z
  .strictObject({
    status: z.int().min(0).max(255).default(0),
    accepted: z.tuple([z.uint32(), z.uint32()]).default([0, 0]),
    broken: z.boolean().default(false),
    generation: z.uint32().default(0),
    queues: z.array(Queue).max(2048).default([]),
    model: z.unknown().optional(),
  })
  .meta({ id: "virtio", version: 1 });

/** A virtio device between its type's model and its transport: status, features, queues, configuration space. */
export class VirtioDevice implements QueueOwner {
  /** What its type does. */
  readonly model: VirtioModel;
  /** The device in its machine. */
  readonly dev: DeviceContext;
  /** Guest RAM as it sees it. */
  readonly memory: GuestMemory;
  /** As `VirtioModel.queueSizes` wants them. */
  readonly queues: readonly VirtQueue[];
  /** Feature words 0 and 1 that the driver chose. */
  readonly accepted: Uint32Array = new Uint32Array(2);
  /** Counts resets: work begun under another number is not this driver's. */
  epoch = 0;
  /** Changes whenever the configuration space does. */
  generation = 0;
  broken = false;
  #status = 0;
  #transport: VirtioTransport | undefined;
  readonly #options: VirtioOptions;
  readonly #config: DataView;
  #resetting = false;

  constructor(dev: DeviceContext, model: VirtioModel, options: VirtioOptions) {
    this.dev = dev;
    this.model = model;
    this.#options = options;
    this.memory = new GuestMemory(dev.dma);
    this.queues = model.queueSizes.map((size, i) => new VirtQueue(this, i, size));
    this.#config = new DataView(new ArrayBuffer(model.configSize));
  }

  get name(): string {
    return this.dev.id;
  }
  /** Bits of {@link STATUS}. */
  get status(): number {
    return this.#status;
  }
  get transport(): VirtioTransport | undefined {
    return this.#transport;
  }
  /** Called by the transport when the device is plugged into it. */
  set transport(t: VirtioTransport | undefined) {
    this.#transport = t;
  }

  // ---- features ----

  /** Feature word 0 or 1 as offered to the driver; other words are 0. */
  offered(word: number): number {
    const modern = this.#transport?.modern ?? false;
    let bits = 0;
    const add = (bit: number): void => {
      if (bit >> 5 === word) bits |= 1 << (bit & 31);
    };
    const o = this.#options;
    for (const bit of this.model.features(modern)) add(bit);
    if (o.notify_on_empty) add(FEATURE.NOTIFY_ON_EMPTY);
    if (o.any_layout) add(FEATURE.ANY_LAYOUT);
    if (o.indirect_desc) add(FEATURE.INDIRECT_DESC);
    if (o.event_idx) add(FEATURE.EVENT_IDX);
    if (modern) {
      add(FEATURE.VERSION_1);
      if (o.iommu_platform) add(FEATURE.ACCESS_PLATFORM);
      if (o.packed) add(FEATURE.RING_PACKED);
      if (o.queue_reset) add(FEATURE.RING_RESET);
    }
    return bits >>> 0;
  }

  /** The driver writes a word of the features it wants; ones that were not offered are dropped, or refused at FEATURES_OK. */
  accept(word: number, bits: number): void {
    if (word > 1) {
      if (bits !== 0) this.dev.guestError(`virtio: feature word ${word} does not exist`);
      return;
    }
    if (this.#status & STATUS.FEATURES_OK) {
      this.dev.guestError("virtio: features written after FEATURES_OK");
      return;
    }
    this.accepted[word] = bits;
  }

  /** Whether feature bit `bit` was offered and accepted. */
  has(bit: number): boolean {
    return ((this.accepted[bit >> 5]! >>> (bit & 31)) & 1) !== 0;
  }

  /** The driver chose packed rings. */
  get packed(): boolean {
    return this.has(FEATURE.RING_PACKED);
  }
  /** The driver chose event indices. */
  get eventIdx(): boolean {
    return this.has(FEATURE.EVENT_IDX);
  }
  get notifyOnEmpty(): boolean {
    return this.has(FEATURE.NOTIFY_ON_EMPTY) && !this.has(FEATURE.VERSION_1);
  }
  /** Byte order of rings and configuration: modern is little; legacy is the guest's, and all guests are little so far. */
  get littleEndian(): boolean {
    return true;
  }

  // ---- status ----

  /** The driver writes the status byte. */
  setStatus(value: number): void {
    value &= 0xff;
    if (value === 0) {
      this.reset();
      return;
    }
    const fresh = value & ~this.#status;
    if (fresh & STATUS.FEATURES_OK) {
      if (this.#featuresValid()) this.model.featuresChosen?.();
      else value &= ~STATUS.FEATURES_OK;
    } else if (fresh & STATUS.DRIVER_OK && (value & STATUS.FEATURES_OK) === 0) {
      // A legacy driver: no FEATURES_OK, no second word, and what it wrote counts when it starts.
      this.accepted[0]! &= this.offered(0);
      this.accepted[1] = 0;
      this.model.featuresChosen?.();
    }
    this.#status = value | (this.broken && this.has(FEATURE.VERSION_1) ? STATUS.DEVICE_NEEDS_RESET : 0);
    if (fresh & STATUS.DRIVER_OK) this.model.start?.();
  }

  #featuresValid(): boolean {
    for (const word of [0, 1]) {
      const extra = (this.accepted[word]! & ~this.offered(word)) >>> 0;
      if (extra === 0) continue;
      this.dev.guestError(
        `virtio: driver accepts features 0x${extra.toString(16)} of word ${word} that were not offered`,
      );
      return false;
    }
    const platform = FEATURE.ACCESS_PLATFORM;
    if (((this.offered(platform >> 5) >>> (platform & 31)) & 1) !== 0 && !this.has(platform)) return false;
    return true;
  }

  /** Everything back to the state after power-on. */
  reset(): void {
    if (this.#resetting) return;
    this.#resetting = true;
    this.epoch++;
    this.#status = 0;
    this.broken = false;
    this.accepted.fill(0);
    for (const q of this.queues) q.reset();
    this.model.reset();
    this.#transport?.deviceReset();
    this.#resetting = false;
  }

  /** The driver broke the rules: no ring is looked at before the next reset. */
  fail(message: string): void {
    if (this.broken) return;
    this.broken = true;
    this.dev.guestError(`virtio: ${message}; the device needs a reset`);
    if (!this.has(FEATURE.VERSION_1)) return;
    this.#status |= STATUS.DEVICE_NEEDS_RESET;
    if (this.#status & STATUS.DRIVER_OK) this.#transport?.configInterrupt();
  }

  // ---- queues ----

  /** The driver kicked queue `index`. */
  notify(index: number): void {
    const queue = this.queues[index];
    if (queue === undefined || queue.maxSize === 0)
      this.dev.guestError(`virtio: notification of queue ${index}, which does not exist`);
    else if (queue.ready && !this.broken) this.model.queueNotified(queue);
  }

  /** Tells the driver that a queue has used buffers. */
  interrupt(queue: VirtQueue): void {
    this.#transport?.queueInterrupt(queue);
  }

  /** The model changed its configuration space. */
  configChanged(): void {
    this.generation = (this.generation + 1) >>> 0;
    if (this.#status & STATUS.DRIVER_OK) this.#transport?.configInterrupt();
  }

  // ---- configuration space ----

  /** 1, 2 or 4 bytes in the order that the bus expects (little-endian number); all ones past the end. */
  readConfig(at: number, size: number): number {
    if (at + size > this.#config.byteLength) return 2 ** (8 * size) - 1;
    this.model.fillConfig(this.#config, this.littleEndian);
    return size === 1
      ? this.#config.getUint8(at)
      : size === 2
        ? this.#config.getUint16(at, true)
        : this.#config.getUint32(at, true);
  }

  /** The driver writes 1, 2 or 4 bytes of configuration; past the end nothing happens. */
  writeConfig(at: number, size: number, value: number): void {
    if (at + size > this.#config.byteLength) return;
    this.model.fillConfig(this.#config, this.littleEndian);
    if (size === 1) this.#config.setUint8(at, value);
    else if (size === 2) this.#config.setUint16(at, value, true);
    else this.#config.setUint32(at, value, true);
    this.model.configWritten?.(this.#config, at, size, this.littleEndian);
  }

  // ---- state ----

  save(): unknown {
    return State.parse({
      status: this.#status,
      accepted: [...this.accepted],
      broken: this.broken,
      generation: this.generation,
      queues: this.queues.map((q) => q.save()),
      model: this.model.save?.(),
    });
  }

  load(raw: unknown): void {
    const s = State.parse(raw);
    this.epoch++;
    this.#status = s.status;
    this.accepted.set(s.accepted);
    this.broken = s.broken;
    this.generation = s.generation;
    this.queues.forEach((q, i) => {
      const saved = s.queues[i];
      if (saved) q.load(saved);
      else q.reset();
    });
    this.model.load?.(s.model);
  }
}
