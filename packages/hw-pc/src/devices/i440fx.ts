import type { Device, IrqSink, MachineBuilder, MemoryRegion } from "@mimus/machine-core";
import type { BoardIsaBus } from "./interrupts.ts";
import { installed } from "./place.ts";

/** The host bridge as the board wires it. */
interface BoardHostBridge {
  /** What lies behind RAM: PCI memory. */
  readonly pciMemory: MemoryRegion;
  /** Shows RAM where PAM and SMRAM registers say so. */
  attachRam(ram: MemoryRegion, root: MemoryRegion): void;
}

/** PIIX3 as the board wires it. */
interface BoardIsaBridge {
  readonly bus: BoardIsaBus;
}

/** Priority of PCI memory behind everything else. */
const BACKGROUND = -1;

/** The i440FX host bridge, and PCI memory behind RAM. @returns PCI memory and the device */
export function addHostBridge(m: MachineBuilder, ram: MemoryRegion): { pciMemory: MemoryRegion; device: Device } {
  const device = m.createDevice("i440FX-pcihost", {}, { name: "i440fx", parentPath: "/machine", realize: true });
  const bridge = device.impl as BoardHostBridge;
  m.system.root.add(0, bridge.pciMemory, BACKGROUND);
  bridge.attachRam(ram, m.system.root);
  return { pciMemory: bridge.pciMemory, device };
}

/** PIIX3: the ISA bridge in slot 1. @returns its ISA bus */
export function addIsaBridge(m: MachineBuilder): { readonly bus: BoardIsaBus; readonly name: string } {
  const device = m.createDevice("PIIX3", { addr: "01.0", multifunction: true }, { bus: "pci.0", realize: true });
  return { bus: (device.impl as BoardIsaBridge).bus, name: "isa.0" };
}

/** IDE in function 1 and power management in function 3 of the same slot. */
export function addIde(m: MachineBuilder): Device | undefined {
  if (!installed(m, "piix3-ide")) return undefined;
  return m.createDevice("piix3-ide", { addr: "01.1" }, { bus: "pci.0", realize: true });
}

/** Power management: ACPI registers, SMI, SMBus. `smi` is the CPU's input, `sci` global interrupt 9. */
export function addPowerManagement(m: MachineBuilder, lines: { sci: IrqSink; smi: IrqSink }): Device | undefined {
  if (!installed(m, "PIIX4_PM")) return undefined;
  const device = m.createDevice("PIIX4_PM", { addr: "01.3" }, { bus: "pci.0", realize: true });
  for (const [name, sink] of [
    ["sci", lines.sci],
    ["smi-irq", lines.smi],
  ] as const)
    if (device.outputs.has(name)) device.irqOut(name).connect(sink);
  return device;
}
