import { Chain } from "./chain.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { Ring, RingPlace, RingState } from "./ring.ts";
import { addBuffer, address, indirectTable, RingFault, RingPart } from "./ring.ts";
import { DESC, DESC_BYTES, MAX_CHAIN } from "./spec.ts";

const NO_INTERRUPT = 1;
const NO_NOTIFY = 1;

/** The split layout. Source: VIRTIO 1.2, 2.7. */
export class SplitRing implements Ring {
  readonly #memory: GuestMemory;
  readonly #size: number;
  readonly #little: boolean;
  readonly #eventIdx: boolean;
  readonly #desc: RingPart;
  readonly #avail: RingPart;
  readonly #used: RingPart;
  #lastAvail = 0;
  #usedIdx = 0;
  #signalled = -1;

  constructor(memory: GuestMemory, place: RingPlace, opts: { little: boolean; eventIdx: boolean }) {
    const { size } = place;
    this.#memory = memory;
    this.#size = size;
    this.#little = opts.little;
    this.#eventIdx = opts.eventIdx;
    const event = opts.eventIdx ? 2 : 0;
    this.#desc = new RingPart(memory, "descriptor table", place.desc, size * DESC_BYTES, false);
    this.#avail = new RingPart(memory, "available ring", place.driver, 4 + 2 * size + event, false);
    this.#used = new RingPart(memory, "used ring", place.device, 4 + 8 * size + event, true);
  }

  hasWork(): boolean {
    return this.#avail.view.getUint16(2, this.#little) !== this.#lastAvail;
  }

  pop(): Chain | undefined {
    const le = this.#little;
    const avail = this.#avail.view;
    const idx = avail.getUint16(2, le);
    if (idx === this.#lastAvail) return undefined;
    if (((idx - this.#lastAvail) & 0xffff) > this.#size)
      throw new RingFault(`available index jumped from ${this.#lastAvail} to ${idx} in a ring of ${this.#size}`);
    const head = avail.getUint16(4 + 2 * (this.#lastAvail % this.#size), le);
    if (head >= this.#size) throw new RingFault(`available entry names descriptor ${head} of ${this.#size}`);
    const chain = this.#walk(head);
    this.#lastAvail = (this.#lastAvail + 1) & 0xffff;
    if (this.#eventIdx) this.#setAvailEvent();
    return chain;
  }

  unpop(): void {
    this.#lastAvail = (this.#lastAvail - 1) & 0xffff;
  }

  fill(chain: Chain, written: number, n: number): void {
    const used = this.#used.view;
    const at = 4 + 8 * (((this.#usedIdx + n) & 0xffff) % this.#size);
    used.setUint32(at, chain.id, this.#little);
    used.setUint32(at + 4, written, this.#little);
    this.#used.stored(at, 8);
  }

  flush(n: number): void {
    const old = this.#usedIdx;
    this.#usedIdx = (old + n) & 0xffff;
    this.#used.view.setUint16(2, this.#usedIdx, this.#little);
    this.#used.stored(2, 2);
    // The index came round to where the last interrupt was sent: send the next one whatever the event says.
    if (this.#signalled >= 0 && ((this.#usedIdx - this.#signalled) & 0xffff) < n) this.#signalled = -1;
  }

  wantsInterrupt(): boolean {
    const avail = this.#avail.view;
    if (!this.#eventIdx) return (avail.getUint16(0, this.#little) & NO_INTERRUPT) === 0;
    const old = this.#signalled;
    const now = this.#usedIdx;
    this.#signalled = now;
    if (old < 0) return true;
    const event = avail.getUint16(4 + 2 * this.#size, this.#little);
    return ((now - event - 1) & 0xffff) < ((now - old) & 0xffff);
  }

  setNotification(on: boolean): void {
    if (this.#eventIdx) {
      if (on) this.#setAvailEvent();
      return;
    }
    this.#used.view.setUint16(0, on ? 0 : NO_NOTIFY, this.#little);
    this.#used.stored(0, 2);
  }

  save(): RingState {
    return { avail: this.#lastAvail, used: this.#usedIdx, signalled: this.#signalled };
  }

  load(state: RingState): void {
    this.#lastAvail = state.avail & 0xffff;
    this.#usedIdx = state.used & 0xffff;
    this.#signalled = state.signalled;
  }

  #setAvailEvent(): void {
    const at = 4 + 8 * this.#size;
    this.#used.view.setUint16(at, this.#lastAvail, this.#little);
    this.#used.stored(at, 2);
  }

  #walk(head: number): Chain {
    const le = this.#little;
    const chain = new Chain(head);
    let table = this.#desc.view;
    let entries = this.#size;
    let indirect = false;
    let left = this.#size;
    for (let i = head; ;) {
      if (left-- === 0) throw new RingFault(`descriptor chain from ${head} is longer than its table: a loop`);
      const at = i * DESC_BYTES;
      const addr = address(table.getUint32(at + (le ? 0 : 4), le), table.getUint32(at + (le ? 4 : 0), le));
      const length = table.getUint32(at + 8, le);
      const flags = table.getUint16(at + 12, le);
      const next = table.getUint16(at + 14, le);
      if ((flags & DESC.INDIRECT) !== 0) {
        if (indirect) throw new RingFault("indirect descriptor inside an indirect table");
        if ((flags & DESC.NEXT) !== 0) throw new RingFault("indirect descriptor with a next one");
        table = indirectTable(this.#memory, addr, length);
        indirect = true;
        entries = table.byteLength / DESC_BYTES;
        left = Math.min(entries, MAX_CHAIN);
        i = 0;
        continue;
      }
      addBuffer(this.#memory, chain, addr, length, flags);
      if ((flags & DESC.NEXT) === 0) return chain;
      if (next >= entries) throw new RingFault(`descriptor ${i} names the next one ${next} of ${entries}`);
      i = next;
    }
  }
}
