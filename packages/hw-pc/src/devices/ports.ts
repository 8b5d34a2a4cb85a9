import { MemoryRegion } from "@mimus/machine-core";
import type { MachineBuilder } from "@mimus/machine-core";
import type { Processor } from "../cpus.ts";
import { LINE } from "../cpus.ts";
import type { BoardIsaBus } from "./interrupts.ts";

/** Interrupt line of the numeric coprocessor. */
const X87_IRQ = 13;

/**
 * Port 80h, which programs write to wait a moment or to show how far they are, and port F0h, which acknowledges an error of the numeric
 * coprocessor. Source: PC/AT Technical Reference (1985), 1-30 "Math coprocessor control".
 */
export function addBoardPorts(m: MachineBuilder, bus: BoardIsaBus, processors: readonly Processor[]): void {
  const root = m.io?.root;
  if (root === undefined) return;
  const ones = (_offset: number, size: number): number => 2 ** (8 * size) - 1;
  root.add(0x80, MemoryRegion.mmio({ name: "ioport80", size: 1 }, { read: ones, write: () => {} }));
  const error = bus.irq(X87_IRQ);
  const [first] = processors;
  const acknowledge = (): void => first?.cpu.setIrq(LINE.ignne, true);
  root.add(0xf0, MemoryRegion.mmio({ name: "ioportF0", size: 1 }, { read: ones, write: acknowledge }));
  first?.board.setSignals?.({
    shutdown: () => m.requestReset("guest"),
    ferr: error,
  });
}
