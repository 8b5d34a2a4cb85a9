import { Chain } from "./chain.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { Ring, RingPlace, RingState } from "./ring.ts";
import { addBuffer, address, indirectTable, RingFault, RingPart } from "./ring.ts";
import { DESC, DESC_BYTES } from "./spec.ts";

const WRAP = 0x8000;
const EVENT_ENABLE = 0;
const EVENT_DISABLE = 1;
const EVENT_DESC = 2;

/** The packed layout; little-endian always. Source: VIRTIO 1.2, 2.8. */
export class PackedRing implements Ring {
  readonly #memory: GuestMemory;
  readonly #size: number;
  readonly #eventIdx: boolean;
  readonly #desc: RingPart;
  readonly #driver: RingPart;
  readonly #device: RingPart;
  #avail = 0;
  #availWrap = true;
  #used = 0;
  #usedWrap = true;
  #signalled = -1;
  #pending = 0;
  #firstFlags = 0;

  constructor(memory: GuestMemory, place: RingPlace, opts: { eventIdx: boolean }) {
    this.#memory = memory;
    this.#size = place.size;
    this.#eventIdx = opts.eventIdx;
    this.#desc = new RingPart(memory, "descriptor ring", place.desc, place.size * DESC_BYTES, true);
    this.#driver = new RingPart(memory, "driver event area", place.driver, 4, false);
    this.#device = new RingPart(memory, "device event area", place.device, 4, true);
  }

  hasWork(): boolean {
    return this.#isAvailable(this.#desc.view.getUint16(this.#avail * DESC_BYTES + 14, true));
  }

  pop(): Chain | undefined {
    const ring = this.#desc.view;
    const size = this.#size;
    let i = this.#avail;
    let flags = ring.getUint16(i * DESC_BYTES + 14, true);
    if (!this.#isAvailable(flags)) return undefined;
    const found = new Chain(0);
    for (let slots = 1; ; slots++) {
      if (slots > size) throw new RingFault(`descriptor chain is longer than the ring of ${size}: a loop`);
      const at = i * DESC_BYTES;
      const addr = address(ring.getUint32(at, true), ring.getUint32(at + 4, true));
      const length = ring.getUint32(at + 8, true);
      const id = ring.getUint16(at + 12, true);
      if ((flags & DESC.INDIRECT) !== 0) {
        // 2.8.7: an indirect descriptor stands alone.
        if ((flags & DESC.NEXT) !== 0 || slots > 1) throw new RingFault("indirect descriptor in a chain");
        this.#indirect(found, addr, length);
      } else addBuffer(this.#memory, found, addr, length, flags);
      if (++i === size) i = 0;
      if ((flags & DESC.NEXT) === 0) return this.#took(found, id, slots);
      flags = ring.getUint16(i * DESC_BYTES + 14, true);
    }
  }

  unpop(chain: Chain): void {
    this.#avail -= chain.slots;
    if (this.#avail < 0) {
      this.#avail += this.#size;
      this.#availWrap = !this.#availWrap;
    }
    this.#storeEvent();
  }

  /** Entries of one flush are written first to last except that the first one's flags come in `flush`. */
  fill(chain: Chain, written: number, n: number): void {
    if (n === 0) this.#pending = 0;
    let at = this.#used + this.#pending;
    const wrap = at >= this.#size ? !this.#usedWrap : this.#usedWrap;
    if (at >= this.#size) at -= this.#size;
    const ring = this.#desc.view;
    ring.setUint16(at * DESC_BYTES + 12, chain.id, true);
    ring.setUint32(at * DESC_BYTES + 8, written, true);
    const flags = (wrap ? DESC.AVAIL | DESC.USED : 0) | (written > 0 ? DESC.WRITE : 0);
    if (n === 0) this.#firstFlags = flags;
    else ring.setUint16(at * DESC_BYTES + 14, flags, true);
    this.#desc.stored(at * DESC_BYTES, DESC_BYTES);
    this.#pending += chain.slots;
  }

  flush(_n: number, slots: number): void {
    this.#desc.view.setUint16(this.#used * DESC_BYTES + 14, this.#firstFlags, true);
    this.#desc.stored(this.#used * DESC_BYTES + 14, 2);
    this.#used += slots;
    if (this.#used < this.#size) return;
    this.#used -= this.#size;
    this.#usedWrap = !this.#usedWrap;
    this.#signalled = -1; // positions of another round do not compare: send the next interrupt
  }

  wantsInterrupt(): boolean {
    const view = this.#driver.view;
    const flags = view.getUint16(2, true) & 3;
    const old = this.#signalled;
    this.#signalled = this.#used;
    if (flags === EVENT_DISABLE) return false;
    if (flags !== EVENT_DESC || !this.#eventIdx || old < 0) return true;
    const offWrap = view.getUint16(0, true);
    let event = offWrap & (WRAP - 1);
    // A wrap bit that differs means another round, which interrupts of this one never reach.
    if (((offWrap & WRAP) !== 0) !== this.#usedWrap) event -= this.#size;
    return event >= old && event < this.#used;
  }

  setNotification(on: boolean): void {
    const view = this.#device.view;
    if (on && this.#eventIdx) this.#storeEvent();
    view.setUint16(2, on ? (this.#eventIdx ? EVENT_DESC : EVENT_ENABLE) : EVENT_DISABLE, true);
    this.#device.stored(2, 2);
  }

  save(): RingState {
    return {
      avail: this.#avail | (this.#availWrap ? WRAP : 0),
      used: this.#used | (this.#usedWrap ? WRAP : 0),
      signalled: this.#signalled,
    };
  }

  load(state: RingState): void {
    const avail = state.avail & (WRAP - 1);
    const used = state.used & (WRAP - 1);
    if (avail >= this.#size || used >= this.#size) throw new RingFault("saved position lies outside the ring");
    this.#avail = avail;
    this.#availWrap = (state.avail & WRAP) !== 0;
    this.#used = used;
    this.#usedWrap = (state.used & WRAP) !== 0;
    this.#signalled = Math.min(state.signalled, this.#size - 1);
  }

  #isAvailable(flags: number): boolean {
    return ((flags & DESC.AVAIL) !== 0) === this.#availWrap && ((flags & DESC.USED) !== 0) !== this.#availWrap;
  }

  #took(chain: Chain, id: number, slots: number): Chain {
    chain.id = id;
    chain.slots = slots;
    this.#avail += slots;
    if (this.#avail >= this.#size) {
      this.#avail -= this.#size;
      this.#availWrap = !this.#availWrap;
    }
    this.#storeEvent();
    return chain;
  }

  #storeEvent(): void {
    if (!this.#eventIdx) return;
    this.#device.view.setUint16(0, this.#avail | (this.#availWrap ? WRAP : 0), true);
    this.#device.stored(0, 2);
  }

  #indirect(chain: Chain, addr: number, length: number): void {
    const table = indirectTable(this.#memory, addr, length);
    for (let at = 0; at < table.byteLength; at += DESC_BYTES) {
      const flags = table.getUint16(at + 14, true);
      if ((flags & DESC.INDIRECT) !== 0) throw new RingFault("indirect descriptor inside an indirect table");
      const where = address(table.getUint32(at, true), table.getUint32(at + 4, true));
      addBuffer(this.#memory, chain, where, table.getUint32(at + 8, true), flags);
    }
  }
}
