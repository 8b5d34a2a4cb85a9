import type { VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import type { Timer } from "@mimus/machine-core";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";

/** Most bytes that one buffer gets; a driver that offers more is given fewer, as the specification allows. */
const MOST = 65536;

const State = defineState("virtio-rng", 1, { quota: z.number().min(0).optional() });

/** The entropy device. Source: VIRTIO 1.2, 5.4. */
export class VirtioRng implements VirtioModel {
  readonly deviceId: number = DEVICE_ID.ENTROPY;
  readonly queueSizes: readonly number[] = [8];
  readonly configSize = 0;
  device!: VirtioDevice;
  readonly #fill: (bytes: Uint8Array) => void;
  readonly #maxBytes: number;
  readonly #periodNs: number;
  readonly #now: () => number;
  readonly #timer: Timer;
  #quota: number;

  /** At most `maxBytes` in `periodNs` nanoseconds. `timer` must call {@link VirtioRng.refill}. */
  constructor(opts: {
    fill: (bytes: Uint8Array) => void;
    maxBytes: number;
    periodNs: number;
    now: () => number;
    timer: (callback: () => void) => Timer;
  }) {
    this.#fill = opts.fill;
    this.#maxBytes = opts.maxBytes;
    this.#periodNs = opts.periodNs;
    this.#now = opts.now;
    this.#quota = opts.maxBytes;
    this.#timer = opts.timer(() => this.refill());
  }

  features(): number[] {
    return [];
  }
  fillConfig(): void {}

  queueNotified(queue: VirtQueue): void {
    let pushed = false;
    for (let n = 0; n < queue.size; n++) {
      if (this.#quota <= 0) break;
      const chain = queue.pop();
      if (!chain) break;
      const bytes = new Uint8Array(Math.min(chain.inBytes, this.#quota, MOST));
      this.#fill(bytes);
      chain.writeIn(0, bytes);
      this.#quota -= bytes.length;
      queue.push(chain, bytes.length);
      pushed = true;
    }
    if (pushed) queue.notify();
    if (this.#quota < this.#maxBytes && !this.#timer.armed) this.#timer.arm(this.#now() + this.#periodNs);
  }

  /** A period has passed. */
  refill(): void {
    this.#quota = this.#maxBytes;
    this.device.notify(0);
  }

  reset(): void {
    this.#quota = this.#maxBytes;
    this.#timer.cancel();
  }
  save(): unknown {
    return State.parse({ quota: this.#quota });
  }
  load(raw: unknown): void {
    const { quota } = State.parse(raw ?? {});
    this.#quota = Math.min(quota ?? this.#maxBytes, this.#maxBytes);
    if (this.#quota < this.#maxBytes) this.#timer.arm(this.#now() + this.#periodNs);
    else this.#timer.cancel();
  }
}
