/** Runs a program on our hart. */
import type { FlowSide } from "./flow-machine.ts";
import { BareMachine } from "./machine.ts";
import { IMAGE, type Program } from "./program.ts";

/** RAM beyond the image, for the trap handler's page. */
const SPARE = 0x10000;

const WFI = 0x10500073;

/** Reuses one machine for all programs of a register width and back end. */
export class LocalRunner {
  readonly #machine: BareMachine;
  readonly #handler: number;

  constructor(xlen: 32 | 64, { backend, tcg = {} }: FlowSide, imageSize: number) {
    const size = Math.ceil((imageSize + SPARE) / SPARE) * SPARE;
    this.#machine = new BareMachine({ xlen, backend, base: IMAGE, size, tcg });
    this.#handler = IMAGE + size - 0x1000;
    new DataView(this.#machine.ram.buffer, this.#machine.ram.byteOffset).setUint32(size - 0x1000, WFI, true);
  }

  /** The records after the program ran: its first system call ends it. @throws when it ended by another trap. */
  run(program: Program): Buffer {
    const m = this.#machine;
    m.load(program.image);
    m.start(program.entry, this.#handler);
    for (let i = 0; i < 1000; i++) {
      const reason = m.vcpu.run(10_000_000);
      if (reason === "halted") break;
    }
    const cause = m.hart.csrs.read(0x342);
    if (cause !== 11n) {
      const [epc, tval] = [m.hart.csrs.read(0x341), m.hart.csrs.read(0x343)];
      throw new Error(
        `cause ${cause} at ${epc.toString(16)}, value ${tval.toString(16)}, pc ${m.hart.bits64(384).toString(16)}`,
      );
    }
    return Buffer.from(m.ram.slice(program.records.offset, program.records.offset + program.records.length));
  }
}
