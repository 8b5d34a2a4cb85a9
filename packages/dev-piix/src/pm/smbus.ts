import { defineState, stateBytes, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

/** Type of the bus that SMBus devices plug into. */
export const I2C_BUS = "i2c-bus";

/** A device on an SMBus. What it does not answer is undefined. */
export interface SmbusDevice {
  /** Receive byte, after send byte. */
  receive(): number | undefined;
  send(byte: number): boolean;
  readByte(command: number): number | undefined;
  writeByte(command: number, value: number): boolean;
}

/** The devices of one bus by address, 0..7Fh. */
export class SmbusBus {
  readonly devices: Map<number, SmbusDevice> = new Map();
}

const REG = { STATUS: 0, CONTROL: 2, COMMAND: 3, ADDRESS: 4, DATA0: 5, DATA1: 6, BLOCK: 7 } as const;
const BUSY = 0x01;
const DONE = 0x02;
const DEVICE_ERROR = 0x04;
const START = 0x40;
const KILL = 0x02;
const BLOCK_SIZE = 32;

const byte = z.int().min(0).max(0xff).default(0);
const State = defineState("piix4-smbus", 1, {
  status: byte,
  control: byte,
  command: byte,
  address: byte,
  data0: byte,
  data1: byte,
  block: stateBytes(BLOCK_SIZE, true).default(() => new Uint8Array(BLOCK_SIZE)),
  index: z
    .int()
    .min(0)
    .max(BLOCK_SIZE - 1)
    .default(0),
});
type State = z.infer<typeof State>;

/** The SMBus host controller of PIIX4. Source: Intel 82371AB (PIIX4) data sheet (290562-001), 7.3. */
export class SmbusHost implements Registers, Stateful {
  readonly bus: SmbusBus = new SmbusBus();
  #s: State = State.parse({});

  reset(): void {
    this.#s = State.parse({});
  }
  save(): unknown {
    return State.parse({ ...this.#s, block: this.#s.block.slice() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#s = { ...s, block: s.block.slice() };
  }

  read(offset: number, _size: number): number {
    const s = this.#s;
    switch (offset) {
      case REG.STATUS:
        return s.status;
      case REG.CONTROL:
        // Reading the control register begins a block anew.
        s.index = 0;
        return s.control & 0x1f;
      case REG.COMMAND:
        return s.command;
      case REG.ADDRESS:
        return s.address;
      case REG.DATA0:
        return s.data0;
      case REG.DATA1:
        return s.data1;
      case REG.BLOCK: {
        const value = s.block[s.index]!;
        s.index = (s.index + 1) % BLOCK_SIZE;
        return value;
      }
      default:
        return 0;
    }
  }

  write(offset: number, _size: number, value: number): void {
    const s = this.#s;
    switch (offset) {
      case REG.STATUS:
        s.status &= ~(value & ~BUSY);
        s.index = 0;
        break;
      case REG.CONTROL:
        s.control = value;
        if ((value & KILL) !== 0) s.status = 0x10;
        else if ((value & START) !== 0) s.status = (s.status & ~BUSY) | (this.#transact() ? DONE : DEVICE_ERROR);
        break;
      case REG.COMMAND:
        s.command = value;
        break;
      case REG.ADDRESS:
        s.address = value;
        break;
      case REG.DATA0:
        s.data0 = value;
        break;
      case REG.DATA1:
        s.data1 = value;
        break;
      case REG.BLOCK:
        s.block[s.index] = value;
        s.index = (s.index + 1) % BLOCK_SIZE;
        break;
      default: // read-only or not there
    }
  }

  /** Runs the transaction that the registers describe. False: nobody answered. */
  #transact(): boolean {
    const s = this.#s;
    const device = this.bus.devices.get(s.address >> 1);
    if (device === undefined) return false;
    const reads = (s.address & 1) !== 0;
    switch ((s.control >> 2) & 7) {
      case 0:
        return true;
      case 1:
        if (!reads) return device.send(s.command);
        return this.#take(device.receive());
      case 2:
        return reads ? this.#take(device.readByte(s.command)) : device.writeByte(s.command, s.data0);
      case 3:
        if (!reads) return device.writeByte(s.command, s.data0) && device.writeByte((s.command + 1) & 0xff, s.data1);
        s.data1 = device.readByte((s.command + 1) & 0xff) ?? 0xff;
        return this.#take(device.readByte(s.command));
      case 5:
        return this.#block(device, reads);
      default:
        return false;
    }
  }

  #take(value: number | undefined): boolean {
    if (value === undefined) return false;
    this.#s.data0 = value;
    return true;
  }

  #block(device: SmbusDevice, reads: boolean): boolean {
    const s = this.#s;
    s.index = 0;
    if (reads) {
      s.data0 = BLOCK_SIZE;
      for (let i = 0; i < BLOCK_SIZE; i++) s.block[i] = device.readByte((s.command + i) & 0xff) ?? 0xff;
      return true;
    }
    let done = true;
    for (let i = 0; i < Math.min(BLOCK_SIZE, s.data0); i++)
      done = device.writeByte((s.command + i) & 0xff, s.block[i]!) && done;
    return done;
  }
}
