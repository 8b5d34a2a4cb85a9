import type { Device, IrqSink, MachineBuilder } from "@mimus/machine-core";
import type { Processor } from "../cpus.ts";
import { LINE } from "../cpus.ts";
import { IOAPIC_BASE } from "../memmap.ts";
import { place } from "./place.ts";

/** The ISA bus as the board wires it. */
export interface BoardIsaBus {
  /** An input of line `n`: each call gives another one, and all of a line are combined. */
  irq(n: number): IrqSink;
  /** Where line `n` goes. */
  connect(n: number, sink: IrqSink): void;
}

/** An 8259 as the board wires it. */
interface BoardPic {
  acknowledge(): number;
  cascade(slave: unknown): void;
}

/** Lines of the two 8259s. */
const PIC_LINES = 16;
/** The input of the master that the slave's output goes to. Source: PC/AT Technical Reference (1985), 1-10. */
const CASCADE = 2;

/** The global interrupts of the machine: ISA lines to both 8259s and the I/O APIC, the others to the I/O APIC alone. */
export interface Interrupts {
  /** Sink of global interrupt `n`. */
  gsi(n: number): IrqSink;
  readonly ioapic: Device | undefined;
}

/** The pair of 8259s, and the I/O APIC where there is one. Connects the lines of the ISA bus. */
export function addInterrupts(
  m: MachineBuilder,
  isa: { readonly bus: BoardIsaBus; readonly name: string },
  processors: readonly Processor[],
  ioapicParent: string | undefined,
): Interrupts {
  const master = m.createDevice(
    "isa-i8259",
    { master: true, iobase: 0x20, elcr_addr: 0x4d0, elcr_mask: 0xf8 },
    at(isa),
  );
  const slave = m.createDevice(
    "isa-i8259",
    { master: false, iobase: 0xa0, elcr_addr: 0x4d1, elcr_mask: 0xde },
    at(isa),
  );
  slave.irqOut("int").connect(master.irqIn("irq", CASCADE));
  const pic = master.impl as BoardPic;
  pic.cascade(slave.impl);
  connectPic(master, pic, processors);

  const ioapic =
    ioapicParent !== undefined && m.registry.get("ioapic") !== undefined
      ? place(m, "ioapic", {}, { name: "ioapic", parentPath: ioapicParent }, IOAPIC_BASE)
      : undefined;
  const gsi = (n: number): IrqSink => {
    const toIoapic = ioapic?.irqIn("gsi", n === 0 ? 2 : n);
    if (n >= PIC_LINES) return toIoapic ?? (() => {});
    const toPic = n === CASCADE ? undefined : (n < 8 ? master : slave).irqIn("irq", n & 7);
    return (level) => {
      toPic?.(level);
      toIoapic?.(level);
    };
  };
  for (let n = 0; n < PIC_LINES; n++) if (n !== CASCADE) isa.bus.connect(n, gsi(n));
  return { gsi, ioapic };
}

const at = (isa: { readonly name: string }): { bus: string; realize: true } => ({ bus: isa.name, realize: true });

/** The pair's output: to LINT0 of every local APIC, or straight to a CPU that has none. */
function connectPic(master: Device, pic: BoardPic, processors: readonly Processor[]): void {
  for (const { apic } of processors) apic?.setPic(pic);
  const [first] = processors;
  if (first !== undefined && first.apic === undefined)
    first.board.setInterruptController({ acknowledge: () => pic.acknowledge(), tpr: 0 });
  master.irqOut("int").connect((level) => {
    let apics = 0;
    for (const { apic } of processors)
      if (apic !== undefined) {
        apics++;
        apic.extInt(level);
      }
    if (apics === 0) first?.cpu.setIrq(LINE.intr, level);
  });
}
