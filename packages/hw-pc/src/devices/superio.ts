import type { Device, MachineBuilder } from "@mimus/machine-core";
import type { CmosMemory } from "../cmos.ts";
import type { Processor } from "../cpus.ts";
import { LINE } from "../cpus.ts";
import { HPET_BASE } from "../memmap.ts";
import type { BoardIsaBus, Interrupts } from "./interrupts.ts";
import { installed, place } from "./place.ts";

const RTC_IRQ = 8;
/** Inputs of the I/O APIC that a HPET timer may take: pin 2 alone. */
const HPET_PINS = 4;

/** Which of the standard parts the machine has. */
export interface Parts {
  readonly hpet: boolean;
  readonly pit: boolean;
  readonly i8042: boolean;
  readonly vmport: boolean;
}

/** Timers, clock, keyboard, serial and parallel ports, floppy controller: what every PC has on its ISA bus. @returns the clock's memory */
export function addIsaParts(
  m: MachineBuilder,
  isa: { readonly bus: BoardIsaBus; readonly name: string },
  interrupts: Interrupts,
  processors: readonly Processor[],
  parts: Parts,
): { cmos: CmosMemory | undefined; floppy: Device | undefined } {
  const bus = isa.name;
  const add = (type: string, props: Readonly<Record<string, unknown>> = {}): Device | undefined =>
    installed(m, type) ? m.createDevice(type, props, { bus, realize: true }) : undefined;

  const hpet =
    parts.hpet && installed(m, "hpet") ? place(m, "hpet", { "hpet-intcap": HPET_PINS }, {}, HPET_BASE) : undefined;
  const rtc = add("mc146818rtc");
  const pit = parts.pit ? add("isa-pit", { iobase: 0x40 }) : undefined;
  if (pit !== undefined) add("isa-pcspk");
  const [timer, clock] = [isa.bus.irq(0), isa.bus.irq(RTC_IRQ)];
  if (hpet !== undefined) {
    // In legacy replacement mode it takes the lines of the interval timer and the clock; else it passes them on.
    pit?.irqOut("irq").connect(hpet.irqIn("legacy", 0));
    rtc?.irqOut("irq").connect(hpet.irqIn("legacy", 1));
    hpet.irqOut("legacy", 0).connect(timer);
    hpet.irqOut("legacy", 1).connect(clock);
    for (let n = 2; n < 24; n++) hpet.irqOut("sysbus-irq", n).connect(interrupts.gsi(n));
  } else pit?.irqOut("irq").connect(timer);

  addSerials(m, bus);
  addParallels(m, bus);
  const floppy = add("isa-fdc");
  const keyboard = parts.i8042 ? add("i8042") : undefined;
  if (parts.vmport) {
    add("vmport");
    add("vmmouse");
  }
  const port92 = add("port92");
  connectA20([keyboard, port92], processors);
  return { cmos: rtc?.impl as CmosMemory | undefined, floppy };
}

/** Address line 20 is as the program says while the keyboard controller or port 92h lets it. */
function connectA20(gates: readonly (Device | undefined)[], processors: readonly Processor[]): void {
  for (const gate of gates) {
    const line = gate?.irqOut("a20");
    // Both gates set one latch: the last one that changed it counts.
    line?.connect((level) => {
      for (const { cpu } of processors) cpu.setIrq(LINE.a20, level);
    });
    // A reset opens it, whatever the registers of the gates say then.
    gate?.context.onReset("exit", () => line?.set(true));
  }
}

function addSerials(m: MachineBuilder, bus: string): void {
  if (!installed(m, "isa-serial")) return;
  for (const [index, backend] of m.options.serials.slice(0, 4).entries()) {
    if (backend === undefined) continue;
    m.registerBackend("chardev", `serial${index}`, backend);
    m.createDevice("isa-serial", { index, chardev: `serial${index}` }, { bus, realize: true });
  }
}

function addParallels(m: MachineBuilder, bus: string): void {
  if (!installed(m, "isa-parallel")) return;
  for (const [index, backend] of (m.options.parallels ?? []).slice(0, 3).entries()) {
    if (backend === undefined) continue;
    m.registerBackend("chardev", `parallel${index}`, backend);
    m.createDevice("isa-parallel", { index, chardev: `parallel${index}` }, { bus, realize: true });
  }
}
