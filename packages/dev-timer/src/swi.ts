import { z } from "zod";
import type { Registers, Stateful } from "@mimus/machine-core";

/**
 * Software interrupts of the RISC-V ACLINT: one word per hart. Machine level keeps the bit; supervisor level reads as zero and raises an edge.
 * Source: RISC-V Advanced Core Local Interruptor Specification 1.0-rc4, chapters 3 and 4.
 */
export class SoftwareInterrupts implements Registers, Stateful {
  readonly #bits: boolean[];
  readonly #supervisor: boolean;
  readonly #output: (hart: number, level: boolean) => void;

  /** @param output machine level: the level; supervisor level: called with true for each request */
  constructor(harts: number, supervisor: boolean, output: (hart: number, level: boolean) => void) {
    this.#bits = Array.from({ length: harts }, () => false);
    this.#supervisor = supervisor;
    this.#output = output;
  }

  reset(): void {
    for (let hart = 0; hart < this.#bits.length; hart++) this.#set(hart, false);
  }
  save(): unknown {
    return { bits: [...this.#bits] };
  }
  load(raw: unknown): void {
    const schema = z.strictObject({ bits: z.array(z.boolean()).length(this.#bits.length) });
    for (const [hart, bit] of schema.parse(raw).bits.entries()) this.#set(hart, bit);
  }

  read(offset: number, _size: number): number {
    return this.#bits[offset >> 2] ? 1 : 0;
  }

  write(offset: number, _size: number, value: number): void {
    const hart = offset >> 2;
    if (hart >= this.#bits.length) return;
    if (!this.#supervisor) this.#set(hart, (value & 1) !== 0);
    else if (value & 1) this.#output(hart, true);
  }

  #set(hart: number, level: boolean): void {
    this.#bits[hart] = level;
    if (!this.#supervisor) this.#output(hart, level);
  }
}
