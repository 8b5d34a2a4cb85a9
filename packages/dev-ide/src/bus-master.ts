import type { AddressSpace, Stateful } from "@mimus/machine-core";
import { defineState, stateU32 } from "@mimus/machine-core";
import { z } from "zod";
import type { Channel } from "./channel.ts";
import type { BusMasterSide } from "./unit.ts";

/** Command and status. Source: Intel, Programming Interface for Bus Master IDE Controller 1.0; 82371SB (PIIX3) data sheet (290550-002), 2.7. */
const COMMAND = { START: 0x01, TO_MEMORY: 0x08 } as const;
const STATUS = { ACTIVE: 0x01, ERROR: 0x02, INTERRUPT: 0x04, DRIVES: 0x60 } as const;
/** A table lies within 64 KiB: what it can describe without its end coming up. */
const TABLE = 0x10000;
const END = 0x8000_0000;

const byte = z.int().min(0).max(0xff).default(0);
const State = defineState("ide-bus-master", 1, { command: byte, status: byte, table: stateU32() });

/** The bus master of one channel: eight ports. */
export class BusMaster implements BusMasterSide, Stateful {
  readonly #channel: Channel;
  readonly #memory: AddressSpace;
  #s: z.infer<typeof State> = State.parse({});
  readonly #entry = new Uint8Array(8);

  constructor(channel: Channel, memory: AddressSpace) {
    this.#channel = channel;
    this.#memory = memory;
    channel.bus = this;
  }

  get started(): boolean {
    return (this.#s.command & COMMAND.START) !== 0;
  }
  /** The channel raised its interrupt. */
  interrupted(): void {
    this.#s.status |= STATUS.INTERRUPT;
  }

  pieces(bytes: number): { list: { at: number; length: number }[]; short: boolean; more: boolean } {
    const list: { at: number; length: number }[] = [];
    const base = this.#s.table & -TABLE;
    const view = new DataView(this.#entry.buffer);
    let left = bytes;
    for (let n = 0; n < TABLE; n += 8) {
      this.#memory.readBytes((base >>> 0) + (((this.#s.table & (TABLE - 1)) + n) & (TABLE - 1)), this.#entry);
      const at = (view.getUint32(0, true) & ~1) >>> 0;
      const flags = view.getUint32(4, true);
      const room = flags & 0xfffe || 0x10000;
      const last = (flags & END) !== 0;
      const length = Math.min(room, left);
      list.push({ at, length });
      left -= length;
      if (left === 0) return { list, short: false, more: !last || room > length };
      if (last) break;
    }
    return { list, short: true, more: false };
  }
  write(at: number, from: Uint8Array): void {
    this.#memory.writeBytes(at, from);
  }
  read(at: number, into: Uint8Array): void {
    this.#memory.readBytes(at, into);
  }
  done(more: boolean): void {
    if (!more) this.#s.status &= ~STATUS.ACTIVE;
  }

  readPort(offset: number): number {
    if (offset === 0) return this.#s.command;
    if (offset === 2) return this.#s.status;
    return offset >= 4 ? (this.#s.table >>> (8 * (offset - 4))) & 0xff : 0;
  }
  writePort(offset: number, value: number): void {
    const s = this.#s;
    if (offset === 0) {
      const was = s.command;
      s.command = value & (COMMAND.START | COMMAND.TO_MEMORY);
      if (((was ^ s.command) & COMMAND.START) === 0) return;
      if (this.started) {
        s.status |= STATUS.ACTIVE;
        this.#channel.unit?.dmaReady();
      } else {
        s.status &= ~STATUS.ACTIVE;
        this.#channel.unit?.dmaStopped();
      }
    } else if (offset === 2) {
      // Drive bits as written; interrupt and error are cleared by ones.
      s.status = (value & STATUS.DRIVES) | (s.status & STATUS.ACTIVE) | (s.status & ~value & (STATUS.ERROR | STATUS.INTERRUPT)); // prettier-ignore
    } else if (offset >= 4) {
      const shift = 8 * (offset - 4);
      s.table = ((s.table & ~(0xff << shift)) | (value << shift)) >>> 0;
      if (offset === 4) s.table = (s.table & ~3) >>> 0;
    }
  }

  reset(): void {
    this.#s = State.parse({});
  }
  save(): unknown {
    return { ...this.#s };
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
  }
}
