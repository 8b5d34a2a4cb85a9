import type { NetBackend, NetNic, NetPeer } from "./contract.ts";
import { MAX_FRAME, MIN_FRAME } from "./contract.ts";
import { NetError } from "./errors.ts";

/** Frames that wait for a card; beyond either bound new ones are dropped, as a switch does. */
const MAX_WAITING = 1024;
const MAX_WAITING_BYTES = 4 << 20;

/** Counters of one back end. */
export interface NetStats {
  /** Frames from the card. */
  sent: number;
  /** Frames to the card. */
  received: number;
  /** Frames that were lost on the way. */
  dropped: number;
}

/** What all back ends share: one card, a bounded queue towards it, the link state. Subclasses send with {@link transmit}. */
export abstract class BaseNet implements NetBackend, NetPeer {
  readonly id: string;
  abstract readonly type: string;
  readonly stats: NetStats = { sent: 0, received: 0, dropped: 0 };
  #nic: NetNic | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #up = true;
  #delivering = false;

  constructor(id: string) {
    this.id = id;
  }

  get up(): boolean {
    return this.#up;
  }
  get nic(): NetNic | undefined {
    return this.#nic;
  }

  describe(): string {
    return `${this.id}: type=${this.type}`;
  }

  attach(nic: NetNic): NetPeer {
    if (this.#nic)
      throw new NetError("busy", `netdev '${this.id}' is already used by ${this.#nic.name}; each card needs its own`);
    this.#nic = nic;
    return this;
  }

  detach(nic: NetNic): void {
    if (this.#nic !== nic) return;
    this.#nic = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  setLink(up: boolean): void {
    if (up === this.#up) return;
    this.#up = up;
    this.#nic?.linkChanged?.(up);
    if (up) this.ready();
  }

  send(frame: Uint8Array): boolean {
    if (!this.#up || frame.length < MIN_FRAME || frame.length > MAX_FRAME) {
      this.stats.dropped++;
      return true;
    }
    if (!this.transmit(frame)) return false;
    this.stats.sent++;
    return true;
  }

  ready(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#waiting.length > 0 && this.#up && this.#nic) {
        const frame = this.#waiting[0]!;
        if (!this.#nic.receive(frame)) break;
        this.#waiting.shift();
        this.#waitingBytes -= frame.length;
        this.stats.received++;
      }
    } finally {
      this.#delivering = false;
    }
  }

  async close(): Promise<void> {}

  /** Sends a frame of the card outside; false = not now, then call {@link writable} later. */
  protected abstract transmit(frame: Uint8Array): boolean;

  /** A frame came from outside; false = it was dropped. The bytes belong to the card from then on. */
  protected deliver(frame: Uint8Array): boolean {
    const full = this.#waiting.length >= MAX_WAITING || this.#waitingBytes + frame.length > MAX_WAITING_BYTES;
    if (!this.#nic || !this.#up || full || frame.length < MIN_FRAME || frame.length > MAX_FRAME) {
      this.stats.dropped++;
      return false;
    }
    this.#waiting.push(frame);
    this.#waitingBytes += frame.length;
    this.ready();
    return true;
  }

  protected writable(): void {
    this.#nic?.writable?.();
  }
}
