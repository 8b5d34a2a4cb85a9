import type { DeviceType, Stateful } from "@mimus/machine-core";
import { defineDevice, defineState, stateBytes } from "@mimus/machine-core";
import { u8 } from "@mimus/qom";
import { z } from "zod";
import { I2C_BUS, SmbusBus, type SmbusDevice } from "./smbus.ts";

const SIZE = 256;
const State = defineState("smbus-eeprom", 1, {
  at: z.int().min(0).max(0xff).default(0),
  bytes: stateBytes(SIZE, true).default(() => new Uint8Array(SIZE)),
});

/** 256 bytes that keep their contents: what memory modules describe themselves with. */
export class Eeprom implements SmbusDevice, Stateful {
  readonly bytes: Uint8Array = new Uint8Array(SIZE);
  #at = 0;

  receive(): number {
    const value = this.bytes[this.#at]!;
    this.#at = (this.#at + 1) & 0xff;
    return value;
  }
  send(byte: number): boolean {
    this.#at = byte;
    return true;
  }
  readByte(command: number): number {
    this.#at = command;
    return this.receive();
  }
  writeByte(command: number, value: number): boolean {
    this.bytes[command] = value;
    return true;
  }

  reset(): void {
    this.#at = 0;
  }
  save(): unknown {
    return State.parse({ at: this.#at, bytes: this.bytes.slice() });
  }
  load(raw: unknown): void {
    const s = State.parse(raw);
    this.#at = s.at;
    this.bytes.set(s.bytes);
  }
}

/** A serial EEPROM on an SMBus. `impl.bytes` are its contents. */
export const smbusEeprom: DeviceType = defineDevice({
  name: "smbus-eeprom",
  summary: "serial EEPROM of 256 bytes",
  bus: I2C_BUS,
  userCreatable: false,
  props: z.strictObject({
    address: u8
      .refine((n) => n < 0x80, "must be 0 to 0x7f")
      .default(0)
      .describe("address on the bus"),
  }),
  realize(p, dev) {
    const bus = dev.parentBus?.impl;
    if (!(bus instanceof SmbusBus)) throw new Error(`${dev.path}: an SMBus device needs an SMBus`);
    if (bus.devices.has(p.address)) throw new Error(`SMBus address 0x${p.address.toString(16)} is already used`);
    const chip = new Eeprom();
    bus.devices.set(p.address, chip);
    dev.onUnrealize(() => bus.devices.delete(p.address));
    dev.stateful(chip);
    return chip;
  },
});
