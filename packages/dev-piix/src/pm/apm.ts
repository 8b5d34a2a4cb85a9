import { defineState, type Registers, type Stateful } from "@mimus/machine-core";
import { z } from "zod";

const byte = z.int().min(0).max(0xff).default(0);
const State = defineState("apm", 1, { control: byte, status: byte });

/**
 * Advanced power management ports B2h and B3h: what is written to the first one asks firmware for something.
 * Source: Intel 82371AB (PIIX4) data sheet (290562-001), "Advanced Power Management Registers".
 */
export class ApmPorts implements Registers, Stateful {
  readonly #command: (value: number) => void;
  #s = State.parse({});

  /** `command` hears of each byte, 0..FFh, that is written to B2h. */
  constructor(command: (value: number) => void) {
    this.#command = command;
  }
  read(offset: number): number {
    return offset === 0 ? this.#s.control : this.#s.status;
  }
  write(offset: number, _size: number, value: number): void {
    if (offset === 0) {
      this.#s.control = value;
      this.#command(value);
    } else this.#s.status = value;
  }
  reset(): void {
    this.load({});
  }
  save(): unknown {
    return State.parse(this.#s);
  }
  load(raw: unknown): void {
    this.#s = State.parse(raw);
  }
}
