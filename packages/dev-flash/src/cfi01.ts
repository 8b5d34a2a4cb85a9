import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";
import { cfiTable } from "./cfi-table.ts";

/** Shape of a bank of identical chips side by side. */
export interface BankLayout {
  /** Bytes of the whole bank and of one of its erase blocks. */
  readonly size: number;
  readonly blockSize: number;
  /** Bytes of the bank's data bus, and of one chip's. */
  readonly width: number;
  readonly deviceWidth: number;
  /** Widest bus the chips could use, bytes: it scales the addresses of query and identifier codes. */
  readonly maxDeviceWidth: number;
  /** Manufacturer and device code. */
  readonly ids: readonly [number, number];
  readonly readOnly: boolean;
}

/** What the bank is connected to. */
export interface BankPins {
  /** The array. The chip writes into it. */
  readonly array: Uint8Array;
  /** Whether reads come straight from the array. */
  readArray(direct: boolean): void;
  /** A range of the array changed. */
  changed(offset: number, length: number): void;
  guestError(message: string): void;
}

const CMD = {
  RESET: 0x00,
  PROGRAM_ALT: 0x10,
  ERASE: 0x20,
  PROGRAM: 0x40,
  CLEAR_STATUS: 0x50,
  LOCK: 0x60,
  READ_STATUS: 0x70,
  READ_ID: 0x90,
  QUERY: 0x98,
  SUSPEND: 0xb0,
  CONFIRM: 0xd0,
  BUFFER: 0xe8,
  RESET_AMD: 0xf0,
  READ_ARRAY: 0xff,
} as const;
const STATUS = { READY: 0x80, ERASE_ERROR: 0x20, PROGRAM_ERROR: 0x10, LOCK_ERROR: 0x02 } as const;

const State = z
  .strictObject({
    /** What reads give. */
    mode: z.enum(["array", "status", "id", "query"]).default("array"),
    /** What the next write is. */
    expect: z.enum(["command", "data", "erase", "lock", "count", "buffer", "confirm"]).default("command"),
    status: z.uint32().max(0xff).default(STATUS.READY),
    /** Writes that the buffer still waits for, less one. */
    left: z.uint32().max(0xffff).default(0),
    block: z.uint32().default(0),
    /** Buffered writes: offset and value, bank words. */
    buffer: z
      .array(z.tuple([z.uint32(), z.uint32(), z.uint32().max(4)]))
      .max(65536)
      .default([]),
  })
  .meta({ id: "cfi01", version: 1 });

/**
 * A bank of NOR flash chips with Intel's command set. Operations finish at once.
 * Source: Intel 28F128J3A data sheet (290667), "Command definitions"; JEDEC JESD68.01.
 */
export class CfiBank implements Registers, Stateful {
  #s = State.parse({});
  readonly #l: BankLayout;
  readonly #pins: BankPins;
  readonly #query: Uint8Array;
  readonly #bufferBytes: number;

  constructor(layout: BankLayout, pins: BankPins) {
    this.#l = layout;
    this.#pins = pins;
    const chips = layout.width / layout.deviceWidth;
    const bufferBits = chips === 1 ? 8 : 11;
    this.#bufferBytes = 2 ** bufferBits * chips;
    this.#query = cfiTable({ size: layout.size / chips, blockSize: layout.blockSize / chips, bufferBits });
  }

  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
    this.#pins.readArray(this.#s.mode === "array");
  }

  read(offset: number, size: number): number {
    switch (this.#s.mode) {
      case "array":
        return this.#get(offset, size);
      case "status":
        return this.#lane(offset, size, this.#s.status);
      case "id": {
        const code = this.#code(offset) & 0xff;
        return this.#lane(offset, size, code === 0 ? this.#l.ids[0] : code === 1 ? this.#l.ids[1] : 0);
      }
      default:
        return this.#lane(offset, size, this.#query[this.#code(offset)] ?? 0);
    }
  }

  write(offset: number, size: number, value: number): void {
    const s = this.#s;
    const command = value & 0xff;
    switch (s.expect) {
      case "command":
        return this.#command(offset, command);
      case "data":
        this.#program(offset, size, value);
        return this.#done();
      case "erase":
        if (command === CMD.CONFIRM) this.#erase(offset);
        else this.#fail(STATUS.ERASE_ERROR | STATUS.PROGRAM_ERROR, "erase without its confirmation");
        return this.#done();
      case "lock":
        // 01 locks, D0 unlocks: blocks are never locked here, so both succeed.
        if (command !== 0x01 && command !== CMD.CONFIRM && command !== 0x03) {
          this.#fail(STATUS.ERASE_ERROR | STATUS.PROGRAM_ERROR, "unknown block lock command");
        }
        return this.#done();
      case "count":
        s.left = value & (2 ** (8 * this.#l.deviceWidth) - 1);
        s.block = Math.floor(offset / this.#bufferBytes);
        s.buffer = [];
        if ((s.left + 1) * this.#l.width > this.#bufferBytes) {
          this.#fail(STATUS.PROGRAM_ERROR, `buffer write of ${s.left + 1} words is larger than the buffer`);
          return this.#done();
        }
        s.expect = "buffer";
        return;
      case "buffer":
        s.buffer.push([offset, value >>> 0, size]);
        if (s.left === 0) s.expect = "confirm";
        else s.left--;
        return;
      case "confirm":
        if (command === CMD.CONFIRM) this.#commit();
        else this.#fail(STATUS.ERASE_ERROR | STATUS.PROGRAM_ERROR, "buffer write without its confirmation");
        return this.#done();
    }
  }

  #command(offset: number, command: number): void {
    const s = this.#s;
    switch (command) {
      case CMD.RESET:
      case CMD.RESET_AMD:
      case CMD.READ_ARRAY:
        return this.#show("array");
      case CMD.PROGRAM:
      case CMD.PROGRAM_ALT:
        s.expect = "data";
        return this.#show("status");
      case CMD.ERASE:
        s.expect = "erase";
        return this.#show("status");
      case CMD.CLEAR_STATUS:
        s.status = STATUS.READY;
        return this.#show("array");
      case CMD.LOCK:
        s.expect = "lock";
        return this.#show("status");
      case CMD.READ_STATUS:
        return this.#show("status");
      case CMD.READ_ID:
        return this.#show("id");
      case CMD.QUERY:
        return this.#show("query");
      case CMD.BUFFER:
        s.status |= STATUS.READY;
        s.expect = "count";
        return this.#show("status");
      case CMD.SUSPEND:
      case CMD.CONFIRM:
        return; // nothing is ever in progress
      default:
        this.#pins.guestError(`unknown flash command 0x${command.toString(16)} at 0x${offset.toString(16)}`);
        return this.#show("array");
    }
  }

  #show(mode: "array" | "status" | "id" | "query"): void {
    this.#s.mode = mode;
    this.#pins.readArray(mode === "array");
  }

  #done(): void {
    this.#s.expect = "command";
    this.#s.buffer = [];
    this.#s.status |= STATUS.READY;
    this.#show("status");
  }

  #fail(bits: number, message: string): void {
    this.#s.status |= bits;
    this.#pins.guestError(message);
  }

  /** Programming only clears bits. */
  #program(offset: number, size: number, value: number): void {
    if (this.#l.readOnly) return this.#fail(STATUS.PROGRAM_ERROR | STATUS.LOCK_ERROR, "write to read-only flash");
    const { array } = this.#pins;
    for (let i = 0; i < size && offset + i < array.length; i++) {
      array[offset + i] = (array[offset + i] as number) & (value >>> (8 * i));
    }
    this.#pins.changed(offset, size);
  }

  #erase(offset: number): void {
    if (this.#l.readOnly) return this.#fail(STATUS.ERASE_ERROR | STATUS.LOCK_ERROR, "erase of read-only flash");
    const { blockSize } = this.#l;
    const start = offset - (offset % blockSize);
    this.#pins.array.fill(0xff, start, start + blockSize);
    this.#pins.changed(start, blockSize);
  }

  /** A buffer that leaves its aligned block is refused as a whole. */
  #commit(): void {
    const { buffer, block } = this.#s;
    if (buffer.some(([offset]) => Math.floor(offset / this.#bufferBytes) !== block)) {
      return this.#fail(STATUS.PROGRAM_ERROR, "buffer write outside its block");
    }
    for (const [offset, value, size] of buffer) this.#program(offset, size, value);
  }

  #get(offset: number, size: number): number {
    const { array } = this.#pins;
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (array[offset + i] ?? 0);
    return value;
  }

  /** Chip address of a query or identifier code. */
  #code(offset: number): number {
    const { width, deviceWidth, maxDeviceWidth } = this.#l;
    return Math.floor((offset * deviceWidth) / (width * maxDeviceWidth));
  }

  /** Every chip of the bank answers the same; an access sees its part of the bank's word. */
  #lane(offset: number, size: number, answer: number): number {
    const { deviceWidth } = this.#l;
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + ((offset + i) % deviceWidth === 0 ? answer & 0xff : 0);
    return value;
  }
}
