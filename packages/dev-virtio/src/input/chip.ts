import type { VirtioDevice, VirtioModel, VirtQueue } from "@mimus/bus-virtio";
import { DEVICE_ID } from "@mimus/bus-virtio";
import type { InputEvent, InputKind, InputSink } from "@mimus/display";
import { defineState } from "@mimus/machine-core";
import { z } from "zod";

/** Event types of Linux's input layer. */
export const EV = { SYN: 0, KEY: 1, REL: 2, ABS: 3, LED: 0x11, REP: 0x14 } as const;
const REL = { X: 0, Y: 1, WHEEL: 8 } as const;
/** What the driver asks about. Source: VIRTIO 1.2, 5.8.4. */
const SELECT = { NAME: 1, SERIAL: 2, DEVIDS: 3, PROPS: 0x10, EVENTS: 0x11, ABS: 0x12 } as const;
const CONFIG_BYTES = 136;
const DATA = 8;
/** Events that wait for buffers; beyond it whole groups are dropped. */
const MOST_WAITING = 512;

/** What kind of device it is. */
export interface InputDescription {
  readonly name: string;
  readonly serial: string;
  readonly product: number;
  readonly kinds: readonly InputKind[];
  /** Codes by event type. */
  readonly codes: Readonly<Record<number, readonly number[]>>;
  /** Largest value of each absolute axis. */
  readonly absMax: Readonly<Record<number, number>>;
}

type Packed = [type: number, code: number, value: number];
const State = defineState("virtio-input", 1, {
  select: z.int().min(0).max(255).default(0),
  subsel: z.int().min(0).max(255).default(0),
  waiting: z
    .array(z.tuple([z.uint32(), z.uint32(), z.uint32()]))
    .max(MOST_WAITING)
    .default([]),
});

/** A keyboard, mouse or tablet. */
export class VirtioInput implements VirtioModel, InputSink {
  readonly deviceId: number = DEVICE_ID.INPUT;
  readonly queueSizes: readonly number[] = [64, 64];
  readonly configSize: number = CONFIG_BYTES;
  device!: VirtioDevice;
  readonly #what: InputDescription;
  #select = 0;
  #subsel = 0;
  #group: Packed[] = [];
  #waiting: Packed[] = [];

  constructor(what: InputDescription) {
    this.#what = what;
  }
  get name(): string {
    return this.#what.name;
  }
  get kinds(): readonly InputKind[] {
    return this.#what.kinds;
  }

  features(): number[] {
    return [];
  }

  fillConfig(v: DataView, little: boolean): void {
    for (let i = 2; i < CONFIG_BYTES; i++) v.setUint8(i, 0);
    v.setUint8(0, this.#select);
    v.setUint8(1, this.#subsel);
    v.setUint8(2, this.#answer(v, little));
  }
  configWritten(v: DataView, at: number): void {
    if (at > 1) return;
    this.#select = v.getUint8(0);
    this.#subsel = v.getUint8(1);
  }

  queueNotified(queue: VirtQueue): void {
    if (queue.index === 0) this.#deliver();
    else {
      // Lights of a keyboard: nothing here shows them.
      let chain;
      for (let n = 0; n < queue.size && (chain = queue.pop()); n++) queue.push(chain, 0);
      queue.notify();
    }
  }

  // ---- InputSink ----

  input(e: InputEvent): void {
    if (this.#group.length >= MOST_WAITING) return;
    const add = (type: number, code: number, value: number): void => {
      if (this.#what.codes[type]?.includes(code)) this.#group.push([type, code, value >>> 0]);
    };
    if (e.type === "key" || e.type === "button") add(EV.KEY, e.code, e.down ? 1 : 0);
    else if (e.type === "move") add(EV.REL, e.axis === "x" ? REL.X : REL.Y, e.by);
    else if (e.type === "wheel") add(EV.REL, REL.WHEEL, e.by);
    else add(EV.ABS, e.axis === "x" ? 0 : 1, e.at);
  }

  sync(): void {
    const group = this.#group;
    this.#group = [];
    // Without a driver, or with one that does not read, a group is dropped whole: no key stays down by half a group.
    if (group.length === 0 || !this.device.queues[0]!.ready) return;
    if (this.#waiting.length + group.length + 1 > MOST_WAITING) return;
    this.#waiting.push(...group, [EV.SYN, 0, 0]);
    this.#deliver();
  }

  reset(): void {
    this.#select = this.#subsel = 0;
    this.#group = [];
    this.#waiting = [];
  }
  save(): unknown {
    return State.parse({ select: this.#select, subsel: this.#subsel, waiting: this.#waiting });
  }
  load(raw: unknown): void {
    const s = State.parse(raw ?? {});
    this.#select = s.select;
    this.#subsel = s.subsel;
    this.#group = [];
    this.#waiting = s.waiting;
  }

  #deliver(): void {
    const queue = this.device.queues[0]!;
    let done = 0;
    for (const [type, code, value] of this.#waiting) {
      const chain = queue.pop();
      if (!chain) break;
      const bytes = new DataView(new ArrayBuffer(8));
      const le = this.device.littleEndian;
      bytes.setUint16(0, type, le);
      bytes.setUint16(2, code, le);
      bytes.setUint32(4, value, le);
      queue.push(chain, chain.writeIn(0, new Uint8Array(bytes.buffer)));
      done++;
    }
    if (done === 0) return;
    this.#waiting.splice(0, done);
    queue.notify();
  }

  /** Writes the answer to the current question behind the header; answers its length, 0 for "nothing". */
  #answer(v: DataView, little: boolean): number {
    const w = this.#what;
    const text = (s: string): number => {
      for (let i = 0; i < s.length && i < 128; i++) v.setUint8(DATA + i, s.charCodeAt(i));
      return Math.min(128, s.length);
    };
    switch (this.#select) {
      case SELECT.NAME:
        return this.#subsel === 0 ? text(w.name) : 0;
      case SELECT.SERIAL:
        return this.#subsel === 0 ? text(w.serial) : 0;
      case SELECT.DEVIDS:
        if (this.#subsel !== 0) return 0;
        [6, 0x0627, w.product, 1].forEach((id, i) => v.setUint16(DATA + 2 * i, id, little));
        return 8;
      case SELECT.EVENTS: {
        const codes = w.codes[this.#subsel] ?? [];
        let bytes = 0;
        for (const code of codes) {
          const at = code >> 3;
          v.setUint8(DATA + at, v.getUint8(DATA + at) | (1 << (code & 7)));
          bytes = Math.max(bytes, at + 1);
        }
        return bytes;
      }
      case SELECT.ABS: {
        const max = w.absMax[this.#subsel];
        if (max === undefined) return 0;
        v.setUint32(DATA + 4, max, little);
        return 20;
      }
      default:
        return 0;
    }
  }
}
