import type { DmaMode, IsaDmaChannel, IsaDmaController, IsaDmaHandler, IsaDmaTransfer } from "@mimus/bus-isa";
import { type AddressSpace, defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

const word = z.int().min(0).max(0xffff).default(0);
const byte = z.int().min(0).max(0xff).default(0);

/** The registers of one channel. */
interface ChannelState {
  baseAddress: number;
  baseCount: number;
  address: number;
  count: number;
  mode: number;
  page: number;
}

const channelState: z.ZodType<ChannelState, unknown> = z.strictObject({
  baseAddress: word,
  baseCount: word,
  address: word,
  count: word,
  mode: byte,
  page: byte,
});
const start = (): ChannelState => channelState.parse({});

const State = defineState("i8257", 1, {
  channels: z
    .array(channelState)
    .length(4)
    .default(() => [start(), start(), start(), start()]),
  command: byte,
  mask: z.int().min(0).max(15).default(15),
  /** Channels that have reached their terminal count since the status was read. */
  done: z.int().min(0).max(15).default(0),
  /** Requests by software. */
  asked: z.int().min(0).max(15).default(0),
  highByte: z.boolean().default(false),
});
type State = z.infer<typeof State>;

const DISABLED = 0x04;
const AUTO_INIT = 0x10;
const DOWN = 0x20;
const CASCADE = 0xc0;
const MODES: readonly DmaMode[] = ["verify", "write", "read", "verify"];
/** Calls of a device for one request: a device that never ends its request cannot hang the machine. */
const MOST_CALLS = 4096;
/** Channel of the page registers at offsets 1, 2, 3 and 7. */
const PAGE_CHANNEL: Readonly<Record<number, number>> = { 1: 2, 2: 3, 3: 1, 7: 0 };

/** One channel, towards its device. */
class Channel implements IsaDmaChannel, IsaDmaTransfer {
  readonly #owner: DmaController;
  readonly #n: number;
  handler: IsaDmaHandler | undefined;
  request = false;
  s: ChannelState = start();

  constructor(owner: DmaController, n: number) {
    this.#owner = owner;
    this.#n = n;
  }

  attach(handler: IsaDmaHandler | undefined): void {
    this.handler = handler;
  }
  setRequest(level: boolean): void {
    this.request = level;
    if (level) this.#owner.run();
  }

  get mode(): DmaMode {
    return MODES[(this.s.mode >> 2) & 3]!;
  }
  get position(): number {
    return this.length - this.#left;
  }
  get length(): number {
    return (this.s.baseCount + 1) << this.#owner.shift;
  }
  get #left(): number {
    return Math.min(this.length, (this.s.count + 1) << this.#owner.shift);
  }

  read(into: Uint8Array, offset: number, length: number): number {
    return this.#move(into, offset, length, false);
  }
  write(from: Uint8Array, offset: number, length: number): number {
    return this.#move(from, offset, length, true);
  }

  advance(bytes: number): void {
    const { s } = this;
    const units = Math.min(bytes, this.#left) >> this.#owner.shift;
    s.address = (s.mode & DOWN ? s.address - units : s.address + units) & 0xffff;
    if (units <= s.count) {
      s.count -= units;
      return;
    }
    // Terminal count.
    s.count = 0xffff;
    this.#owner.reached(this.#n);
    if ((s.mode & AUTO_INIT) !== 0) {
      s.address = s.baseAddress;
      s.count = s.baseCount;
    }
  }

  /** Moves bytes between a buffer and memory. The address wraps within its 64 KiB (128 KiB for words). */
  #move(buffer: Uint8Array, offset: number, length: number, toMemory: boolean): number {
    const { s } = this;
    const { shift, memory } = this.#owner;
    const span = 0x10000 << shift;
    const base = ((shift > 0 ? s.page & 0xfe : s.page) << 16) >>> 0;
    const total = Math.max(0, Math.min(length, this.#left, buffer.length - offset));
    const down = (s.mode & DOWN) !== 0;
    const at = s.address << shift;
    for (let done = 0; done < total;) {
      const here = (down ? at - done + span : at + done) % span;
      const step = down ? 1 : Math.min(total - done, span - here);
      const piece = buffer.subarray(offset + done, offset + done + step);
      if (toMemory) memory.writeBytes(base + here, piece);
      else memory.readBytes(base + here, piece);
      done += step;
    }
    return total;
  }
}

/**
 * A DMA controller with its page registers.
 * Source: Intel 8237A data sheet (231466-005); IBM PC/AT Technical Reference (1985), "DMA controllers".
 */
export class DmaController implements IsaDmaController, Stateful {
  /** log2 of the bytes that one count moves, and of the distance of its ports. */
  readonly shift: number;
  readonly memory: AddressSpace;
  readonly #channels: readonly Channel[] = [0, 1, 2, 3].map((n) => new Channel(this, n));
  #s: Omit<State, "channels"> = State.parse({});
  #running = false;

  constructor(shift: number, memory: AddressSpace) {
    this.shift = shift;
    this.memory = memory;
  }

  channel(n: number): IsaDmaChannel {
    return this.#channels[n & 3]!;
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, channels: this.#channels.map((c) => ({ ...c.s })) });
  }
  load(raw: unknown): void {
    const { channels, ...rest } = State.parse(raw);
    for (const [n, c] of this.#channels.entries()) c.s = channels[n]!;
    this.#s = rest;
  }

  /** A channel came to its end. */
  reached(n: number): void {
    this.#s.done |= 1 << n;
    this.#s.asked &= ~(1 << n);
    // Without automatic initialization the channel masks itself.
    if ((this.#channels[n]!.s.mode & AUTO_INIT) === 0) this.#s.mask |= 1 << n;
  }

  /** Lets every device transfer that asks and may. */
  run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      for (const [n, c] of this.#channels.entries()) {
        for (let calls = 0; calls < MOST_CALLS && this.#may(n, c); calls++) {
          const { position, s } = c;
          const { address, count } = s;
          c.handler?.transfer(c);
          if (position === c.position && address === s.address && count === s.count) break;
        }
      }
    } finally {
      this.#running = false;
    }
  }

  #may(n: number, c: Channel): boolean {
    const s = this.#s;
    if (c.handler === undefined || (s.command & DISABLED) !== 0 || (c.s.mode & CASCADE) === CASCADE) return false;
    if (((s.asked >> n) & 1) !== 0) return true;
    return c.request && ((s.mask >> n) & 1) === 0;
  }

  /** Addresses and counts: a register a channel each, low byte first. */
  readonly addresses: Registers = {
    read: (offset) => {
      const c = this.#channels[offset >> 1]!;
      const value = (offset & 1) === 0 ? c.s.address : c.s.count;
      return this.#flip() ? value >> 8 : value & 0xff;
    },
    write: (offset, _size, value) => {
      const { s } = this.#channels[offset >> 1]!;
      const high = this.#flip();
      const put = (word: number): number => (high ? (word & 0xff) | (value << 8) : (word & 0xff00) | value);
      if ((offset & 1) === 0) s.address = s.baseAddress = put(s.baseAddress);
      else s.count = s.baseCount = put(s.baseCount);
    },
  };

  /** Status, command, masks, modes: offsets 0..7 stand for the chip's 8..15. */
  readonly control: Registers = {
    read: (offset) => {
      const s = this.#s;
      if (offset === 7) return s.mask;
      if (offset !== 0) return 0;
      let requests = s.asked;
      for (const [n, c] of this.#channels.entries()) if (c.request) requests |= 1 << n;
      const status = (requests << 4) | s.done;
      s.done = 0;
      return status;
    },
    write: (offset, _size, value) => {
      this.#controlWrite(offset, value);
      this.run();
    },
  };

  /** Bits 16..23 of the addresses. */
  readonly pages: Registers = {
    read: (offset) => {
      const n = PAGE_CHANNEL[offset];
      return n === undefined ? 0 : this.#channels[n]!.s.page;
    },
    write: (offset, _size, value) => {
      const n = PAGE_CHANNEL[offset];
      if (n !== undefined) this.#channels[n]!.s.page = value;
    },
  };

  #controlWrite(offset: number, value: number): void {
    const s = this.#s;
    const bit = 1 << (value & 3);
    const on = (value & 4) !== 0;
    switch (offset) {
      case 0:
        s.command = value;
        break;
      case 1:
        s.asked = on ? s.asked | bit : s.asked & ~bit;
        break;
      case 2:
        s.mask = on ? s.mask | bit : s.mask & ~bit;
        break;
      case 3:
        this.#channels[value & 3]!.s.mode = value;
        break;
      case 4:
        s.highByte = false;
        break;
      case 5: // master clear
        s.command = s.done = s.asked = 0;
        s.highByte = false;
        s.mask = 15;
        break;
      case 6:
        s.mask = 0;
        break;
      default:
        s.mask = value & 15;
    }
  }

  #flip(): boolean {
    const high = this.#s.highByte;
    this.#s.highByte = !high;
    return high;
  }
}
