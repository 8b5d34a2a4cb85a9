/** A bare hart that runs an image of random programs. */
import { OFF } from "@mimus/target-riscv";
import { BareMachine } from "./machine.ts";
import { flowBase, type FlowImage } from "./flow-image.ts";
import type { FlowMode } from "./flow-source.ts";
import type { Random } from "./random.ts";
import type { BackEnd, TcgOptions } from "@mimus/tcg";

const SIZE = 4 << 20;
const HANDLER = SIZE - 0x1000;
const WFI = 0x10500073;
/** The register of pending interrupts, and the one that tests raise. */
export const MIP = 0x344;
export const SSIP = 2n;

/** A way to run blocks, by name. */
export interface FlowSide {
  readonly name: string;
  readonly backend: BackEnd;
  readonly tcg?: TcgOptions;
}

export class FlowMachine {
  readonly machine: BareMachine;
  readonly #image: FlowImage;

  constructor(xlen: 32 | 64, mode: FlowMode, image: FlowImage, side: FlowSide) {
    if (image.bytes.length > HANDLER) throw new Error(`an image of ${image.bytes.length} bytes is too large`);
    const base = flowBase(mode);
    const tcg = side.tcg === undefined ? {} : { tcg: side.tcg };
    const m = new BareMachine({ xlen, backend: side.backend, base, size: SIZE, ...tcg });
    this.machine = m;
    this.#image = image;
    const view = new DataView(m.ram.buffer, m.ram.byteOffset, m.ram.byteLength);
    m.load(image.bytes);
    view.setUint32(HANDLER, WFI, true);
    if (mode === "user") m.start(base, base + HANDLER);
    else {
      view.setUint32(image.endVector, image.halt, true);
      m.hart.reset();
      m.hart.set(OFF.pc, base | 0, 0);
      m.hart.stateReplaced();
    }
  }

  /** Runs to the end. @throws Error when it does not come */
  finish(): Buffer {
    for (let i = 0; i < 200; i++) if (this.machine.vcpu.run(10_000_000) === "halted") return this.#ended();
    throw new Error(`the image does not end; pc ${this.machine.vcpu.pc.toString(16)}`);
  }

  /** The same in pieces of random sizes, with interrupts between them, where the image takes them. */
  finishInPieces(random: Random, longest: number): Buffer {
    const { vcpu, hart } = this.machine;
    for (let i = 0; i < 1_000_000; i++) {
      if (vcpu.run(1 + random.below(random.chance(3) ? 8 : longest)) === "halted") return this.#ended();
      if (random.chance(8)) hart.csrs.write(MIP, hart.csrs.read(MIP) | SSIP);
    }
    throw new Error(`the image does not end; pc ${vcpu.pc.toString(16)}`);
  }

  #ended(): Buffer {
    const { csrs } = this.machine.hart;
    const cause = csrs.read(0x342);
    // The last system call, whatever the mode.
    if (cause < 8n || cause > 11n)
      throw new Error(`cause ${cause} at ${csrs.read(0x341).toString(16)}, value ${csrs.read(0x343).toString(16)}`);
    return this.records();
  }

  records(): Buffer {
    const { offset, length } = this.#image.records;
    return Buffer.from(this.machine.ram.slice(offset, offset + length));
  }
}
