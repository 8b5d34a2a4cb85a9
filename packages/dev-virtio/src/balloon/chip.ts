import type { VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import type { Timer } from "@mimus/machine-core";
import { defineState, stateU32 } from "@mimus/machine-core";

/** Feature bits. Source: VIRTIO 1.2, 5.5.3. */
const F = { STATS_VQ: 1, DEFLATE_ON_OOM: 2, PAGE_POISON: 4 } as const;
/** Bytes of a page of the balloon. */
export const BALLOON_PAGE = 4096;
const INFLATE = 0;
const DEFLATE = 1;
const STATS = 2;
const ACTUAL_AT = 4;
const POISON_AT = 12;
const STAT_BYTES = 10;
/** Statistics by tag. Source: 5.5.6.3; the names are those of QMP's guest-stats. */
const STAT_NAMES = [
  "stat-swap-in",
  "stat-swap-out",
  "stat-major-faults",
  "stat-minor-faults",
  "stat-free-memory",
  "stat-total-memory",
  "stat-available-memory",
  "stat-disk-caches",
  "stat-htlb-pgalloc",
  "stat-htlb-pgfail",
] as const;

const State = defineState("virtio-balloon", 1, { target: stateU32(), actual: stateU32(), poison: stateU32() });

/** The memory balloon: the host asks the guest to give pages up, and to take them back. */
export class VirtioBalloon implements VirtioModel {
  readonly deviceId: number = DEVICE_ID.BALLOON;
  readonly queueSizes: readonly number[] = [128, 128, 128];
  readonly configSize: number;
  device!: VirtioDevice;
  /** Called when the guest reports how many bytes it has given up. */
  onActual: ((bytes: number) => void) | undefined;
  readonly #options: { deflateOnOom: boolean; pagePoison: boolean; ramSize: () => number };
  readonly #timer: Timer;
  readonly #now: () => number;
  #target = 0;
  #actual = 0;
  #poison = 0;
  #intervalNs = 0;
  #stats: Map<string, number> = new Map();
  #updated = 0;

  constructor(opts: {
    deflateOnOom: boolean;
    pagePoison: boolean;
    ramSize: () => number;
    now: () => number;
    timer: (callback: () => void) => Timer;
  }) {
    this.#options = opts;
    this.configSize = opts.pagePoison ? 16 : 8;
    this.#now = opts.now;
    this.#timer = opts.timer(() => this.#poll());
  }

  // ---- for the monitor ----

  /** Asks the guest to give up memory until it has `bytes`. */
  setGuestSize(bytes: number): void {
    const pages = Math.floor((this.#options.ramSize() - Math.min(bytes, this.#options.ramSize())) / BALLOON_PAGE);
    this.#target = Math.max(0, Math.min(pages, 0xffffffff));
    this.device.configChanged();
  }
  /** Bytes that the guest has left, as it says. */
  get guestSize(): number {
    return this.#options.ramSize() - this.#actual * BALLOON_PAGE;
  }
  /** Seconds between two polls of the statistics; 0 = none. */
  setPolling(seconds: number): void {
    this.#intervalNs = seconds * 1e9;
    if (seconds > 0) this.#timer.arm(this.#now() + this.#intervalNs);
    else this.#timer.cancel();
  }
  /** What the guest last told, -1 for what it did not; bytes and counts. */
  guestStats(): { stats: Record<string, number>; lastUpdateNs: number } {
    return {
      stats: Object.fromEntries(STAT_NAMES.map((n) => [n, this.#stats.get(n) ?? -1])),
      lastUpdateNs: this.#updated,
    };
  }

  // ---- VirtioModel ----

  features(): number[] {
    const o = this.#options;
    return [F.STATS_VQ, ...(o.deflateOnOom ? [F.DEFLATE_ON_OOM] : []), ...(o.pagePoison ? [F.PAGE_POISON] : [])];
  }
  // The balloon's fields are little-endian in legacy devices, too: 5.5.4.
  fillConfig(v: DataView): void {
    v.setUint32(0, this.#target, true);
    v.setUint32(ACTUAL_AT, this.#actual, true);
    if (this.configSize < 16) return;
    v.setUint32(8, 0, true);
    v.setUint32(POISON_AT, this.#poison, true);
  }
  configWritten(v: DataView): void {
    if (this.configSize >= 16) this.#poison = v.getUint32(POISON_AT, true);
    const actual = v.getUint32(ACTUAL_AT, true);
    if (actual === this.#actual) return;
    this.#actual = Math.min(actual, Math.floor(this.#options.ramSize() / BALLOON_PAGE));
    this.onActual?.(this.guestSize);
  }

  queueNotified(queue: VirtQueue): void {
    if (queue.index === STATS) {
      this.#takeStats(queue);
      return;
    }
    if (queue.index !== INFLATE && queue.index !== DEFLATE) return;
    // Page numbers are not looked at: the machine's memory is one block that cannot be given back in parts.
    for (let n = 0; n < queue.size; n++) {
      const chain = queue.pop();
      if (!chain) break;
      queue.push(chain, 0);
    }
    queue.notify();
  }

  reset(): void {
    this.#stats.clear();
    this.#poison = 0;
    this.#actual = 0;
  }
  save(): unknown {
    return State.parse({ target: this.#target, actual: this.#actual, poison: this.#poison });
  }
  load(raw: unknown): void {
    const s = State.parse(raw ?? {});
    this.#target = s.target;
    this.#actual = s.actual;
    this.#poison = s.poison;
  }

  /** The guest's answer stays in the ring, so that a snapshot has it; returning it asks for a new one. */
  #takeStats(queue: VirtQueue): void {
    const chain = queue.pop();
    if (!chain) return;
    const bytes = new Uint8Array(Math.min(chain.outBytes, STAT_BYTES * 64));
    chain.readOut(0, bytes);
    queue.unpop(chain);
    this.#read(bytes);
  }

  #read(bytes: Uint8Array): void {
    const v = new DataView(bytes.buffer);
    this.#stats.clear();
    for (let at = 0; at + STAT_BYTES <= bytes.length; at += STAT_BYTES) {
      const name = STAT_NAMES[v.getUint16(at, true)];
      if (name !== undefined) this.#stats.set(name, v.getUint32(at + 6, true) * 2 ** 32 + v.getUint32(at + 2, true));
    }
    this.#updated = this.#now();
    if (this.#intervalNs > 0 && !this.#timer.armed) this.#timer.arm(this.#now() + this.#intervalNs);
  }

  #poll(): void {
    if (this.#intervalNs > 0) this.#timer.arm(this.#now() + this.#intervalNs);
    const queue = this.device.queues[STATS]!;
    const chain = queue.pop();
    if (!chain) return;
    queue.push(chain, 0);
    queue.notify();
  }
}
