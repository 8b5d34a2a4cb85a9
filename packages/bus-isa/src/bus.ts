import type { AddressSpace, BusHooks, IrqSink, MemoryRegion } from "@mimus/machine-core";
import { OrIrq } from "@mimus/machine-core";
import type { IsaDmaChannel, IsaDmaController } from "./dma.ts";

/** Type of the bus that ISA devices plug into. */
export const ISA_BUS = "ISA";

/** Interrupt request lines of the bus. */
export const ISA_IRQS = 16;

/** An ISA bus: a port space, a memory space, 16 interrupt lines, 8 DMA channels. */
export class IsaBus implements BusHooks {
  /** Where devices put their ports: 64 KiB. */
  readonly io: MemoryRegion;
  /** Where devices put their memory, such as a video card's at A0000h. */
  readonly memory: MemoryRegion;
  readonly dma: AddressSpace;
  readonly #lines: readonly OrIrq[] = Array.from({ length: ISA_IRQS }, () => new OrIrq());
  readonly #inputs: number[] = Array.from({ length: ISA_IRQS }, () => 0);
  readonly #controllers: (IsaDmaController | undefined)[] = [undefined, undefined];

  constructor(opts: { io: MemoryRegion; memory: MemoryRegion; dma: AddressSpace }) {
    this.io = opts.io;
    this.memory = opts.memory;
    this.dma = opts.dma;
  }

  /** An input of interrupt line `n`, 0..15, of the caller's own: the line is high while any of its inputs is. @throws for another line */
  irq(n: number): IrqSink {
    const line = this.#lines[n];
    if (line === undefined) throw new Error(`the ISA bus has no interrupt line ${n}; it has 0..${ISA_IRQS - 1}`);
    return line.input(this.#inputs[n]!++);
  }

  /** Connects line `n` to an interrupt controller. */
  connect(n: number, sink: IrqSink): void {
    this.#lines[n]?.output.connect(sink);
  }

  /** The level of line `n`. */
  level(n: number): boolean {
    return this.#lines[n]?.output.level ?? false;
  }

  /** DMA channel `n`: 0..3 move bytes, 5..7 words; undefined when there is no controller for it. */
  dmaChannel(n: number): IsaDmaChannel | undefined {
    return n >= 0 && n < 8 ? this.#controllers[n >> 2]?.channel(n & 3) : undefined;
  }

  /** A DMA controller takes channels 0..3 (`high` false) or 4..7. @throws when there is one already */
  addDmaController(high: boolean, controller: IsaDmaController | undefined): void {
    const at = high ? 1 : 0;
    if (controller !== undefined && this.#controllers[at] !== undefined)
      throw new Error(`this ISA bus has a DMA controller for channels ${high ? "4..7" : "0..3"} already`);
    this.#controllers[at] = controller;
  }
}
