import type { Chain } from "./chain.ts";
import type { GuestMemory } from "./guest-memory.ts";
import { PackedRing } from "./packed-ring.ts";
import type { Ring, RingState } from "./ring.ts";
import { RingFault } from "./ring.ts";
import { SplitRing } from "./split-ring.ts";

/** What a queue needs from its device. */
export interface QueueOwner {
  readonly memory: GuestMemory;
  /** True when the device is broken: queues answer nothing until reset. */
  readonly broken: boolean;
  readonly packed: boolean;
  readonly eventIdx: boolean;
  readonly littleEndian: boolean;
  /** NOTIFY_ON_EMPTY was negotiated: interrupt when the ring runs empty, whatever the driver's flags say. */
  readonly notifyOnEmpty: boolean;
  /** The driver broke the rules of a ring. */
  fail(message: string): void;
  interrupt(queue: VirtQueue): void;
}

/** Everything about a queue that a snapshot holds. */
export interface QueueState {
  readonly size: number;
  readonly ready: boolean;
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  readonly vector: number;
  readonly ring?: RingState | undefined;
}

/** MSI-X vector number that means "none". */
export const NO_VECTOR = 0xffff;

/** One virtqueue, of either layout. Nothing here throws for what the driver did: a bad ring breaks the device. */
export class VirtQueue {
  /** Number of the queue. */
  readonly index: number;
  /** Largest size that the driver may choose; 0 = the queue does not exist. */
  readonly maxSize: number;
  /** Entries that the driver chose. */
  size: number;
  /** Guest addresses of the three areas: descriptors, driver (available ring), device (used ring). */
  desc = 0;
  driver = 0;
  device = 0;
  /** The driver has set it up. */
  ready = false;
  /** MSI-X vector, kept here for the transport. */
  vector: number = NO_VECTOR;
  readonly #owner: QueueOwner;
  #ring: Ring | undefined;
  #filled = 0;
  #filledSlots = 0;
  /** Buffers popped and not yet returned. */
  inFlight = 0;

  constructor(owner: QueueOwner, index: number, maxSize: number) {
    this.#owner = owner;
    this.index = index;
    this.maxSize = maxSize;
    this.size = maxSize;
  }

  /** As after power-on; buffers that were popped are gone. */
  reset(): void {
    this.size = this.maxSize;
    this.desc = this.driver = this.device = 0;
    this.vector = NO_VECTOR;
    this.setReady(false);
  }

  /** The driver finished (or withdrew) the set-up of the queue. */
  setReady(on: boolean): void {
    this.ready = on;
    this.#ring = undefined;
    this.#filled = this.#filledSlots = this.inFlight = 0;
  }

  /** The next available buffer. */
  pop(): Chain | undefined {
    const chain = this.#with((ring) => ring.pop());
    if (chain) this.inFlight++;
    return chain;
  }

  /** Gives the newest popped buffer back unused. */
  unpop(chain: Chain): void {
    this.inFlight--;
    this.#with((ring) => ring.unpop(chain));
  }

  /** Whether a buffer is available. */
  hasWork(): boolean {
    return this.#with((ring) => ring.hasWork()) ?? false;
  }

  /** Writes a used entry that the driver does not see before `flush`. `written`: bytes of the writable part, from its start. */
  fill(chain: Chain, written: number): void {
    chain.markWritten(this.#owner.memory, written);
    this.#with((ring) => {
      ring.fill(chain, written, this.#filled);
      this.#filled++;
      this.#filledSlots += chain.slots;
      this.inFlight--;
    });
  }

  /** Shows all filled entries to the driver. */
  flush(): void {
    const n = this.#filled;
    if (n === 0) return;
    const slots = this.#filledSlots;
    this.#filled = this.#filledSlots = 0;
    this.#with((ring) => ring.flush(n, slots));
  }

  /** Returns a buffer to the driver; `notify` tells it. */
  push(chain: Chain, written: number): void {
    this.fill(chain, written);
    this.flush();
  }

  /** Interrupts the driver if it wants to hear of what was pushed. */
  notify(): void {
    const wants = this.#with((ring) => {
      if (this.#owner.notifyOnEmpty && this.inFlight === 0 && !ring.hasWork()) return true;
      return ring.wantsInterrupt();
    });
    if (wants) this.#owner.interrupt(this);
  }

  /** Asks the driver to notify about new buffers, or not to. */
  setNotification(on: boolean): void {
    this.#with((ring) => ring.setNotification(on));
  }

  save(): QueueState {
    const { size, ready, desc, driver, device, vector } = this;
    return { size, ready, desc, driver, device, vector, ring: this.#ring?.save() };
  }

  load(s: QueueState): void {
    this.size = Math.min(s.size, this.maxSize);
    this.desc = s.desc;
    this.driver = s.driver;
    this.device = s.device;
    this.vector = s.vector;
    this.setReady(s.ready);
    const { ring } = s;
    if (ring) this.#with((r) => r.load(ring));
  }

  #with<T>(act: (ring: Ring) => T): T | undefined {
    if (!this.ready || this.#owner.broken) return undefined;
    try {
      return act((this.#ring ??= this.#make()));
    } catch (e) {
      if (!(e instanceof RingFault)) throw e;
      this.#owner.fail(`queue ${this.index}: ${e.message}`);
      return undefined;
    }
  }

  #make(): Ring {
    const { memory, packed, eventIdx, littleEndian } = this.#owner;
    if (this.size === 0) throw new RingFault("the ring has no entries");
    if (packed) return new PackedRing(memory, this, { eventIdx });
    return new SplitRing(memory, this, { little: littleEndian, eventIdx });
  }
}
