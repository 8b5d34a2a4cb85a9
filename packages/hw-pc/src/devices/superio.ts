import type { Device, MachineBuilder } from "@mimus/machine-core";
import type { CmosMemory } from "../cmos.ts";
import type { Processor } from "../cpus.ts";
import { LINE } from "../cpus.ts";
import { HPET_BASE } from "../memmap.ts";
import type { BoardIsaBus, Interrupts } from "./interrupts.ts";
import { installed, place } from "./place.ts";

/** Which of the standard parts the machine has. */
export interface Parts {
  readonly hpet: boolean;
  readonly pit: boolean;
  readonly i8042: boolean;
  readonly vmport: boolean;
}

/** What a HPET takes over in legacy replacement mode. */
interface BoardHpet {
  attachPit?(pit: unknown): void;
  attachRtc?(rtc: unknown): void;
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

  const hpet = parts.hpet && installed(m, "hpet") ? place(m, "hpet", { "hpet-intcap": 4 }, {}, HPET_BASE) : undefined;
  if (hpet !== undefined) for (let n = 0; n < 24; n++) hpet.irqOut("sysbus-irq", n).connect(interrupts.gsi(n));
  const rtc = add("mc146818rtc");
  const pit = parts.pit ? add("isa-pit", { iobase: 0x40 }) : undefined;
  const legacy = hpet?.impl as BoardHpet | undefined;
  if (pit !== undefined) {
    if (legacy?.attachPit === undefined) pit.irqOut("irq").connect(isa.bus.irq(0));
    else legacy.attachPit(pit.impl);
    add("isa-pcspk");
  }
  if (rtc !== undefined) legacy?.attachRtc?.(rtc.impl);

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
    // Both gates set one latch: the last one that changed it counts.
    gate?.irqOut("a20").connect((level) => {
      for (const { cpu } of processors) cpu.setIrq(LINE.a20, level);
    });
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
