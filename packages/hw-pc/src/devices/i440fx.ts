import type { Device, IrqSink, MachineBuilder, MemoryRegion, WakeReason } from "@mimus/machine-core";
import { CMOS, SHUTDOWN_S3 } from "../cmos.ts";
import type { CmosMemory } from "../cmos.ts";
import type { Processor } from "../cpus.ts";
import type { BoardIsaBus } from "./interrupts.ts";
import { installed } from "./place.ts";

/** The host bridge as the board wires it. */
interface BoardHostBridge {
  /** What lies behind RAM: PCI memory. */
  readonly pciMemory: MemoryRegion;
  /** Shows RAM where PAM and SMRAM registers say so. */
  attachRam(ram: MemoryRegion, root: MemoryRegion): void;
  /** Where CPUs in system management mode find their memory. */
  readonly smramAt: number;
}

/** PIIX3 as the board wires it. */
interface BoardIsaBridge {
  readonly bus: BoardIsaBus;
}

/** Memory modules' chips on the SMBus. */
const EEPROMS = 8;

/** What CPUs in system management mode see instead of video memory. */
const SMRAM = { base: 0xa0000, size: 0x20000 } as const;

/** Priority of PCI memory behind everything else. */
const BACKGROUND = -1;

/** The i440FX host bridge, and PCI memory behind RAM. @returns PCI memory and the device */
export function addHostBridge(
  m: MachineBuilder,
  ram: MemoryRegion,
  processors: readonly Processor[],
): { pciMemory: MemoryRegion; device: Device } {
  const device = m.createDevice("i440FX-pcihost", {}, { name: "i440fx", parentPath: "/machine", realize: true });
  const bridge = device.impl as BoardHostBridge;
  m.system.root.add(0, bridge.pciMemory, BACKGROUND);
  bridge.attachRam(ram, m.system.root);
  const { base, size } = SMRAM;
  for (const { board } of processors) board.setWindow?.("smram", { base, size, to: bridge.smramAt + base, smm: true });
  return { pciMemory: bridge.pciMemory, device };
}

/** PIIX3: the ISA bridge in slot 1. @returns its ISA bus */
export function addIsaBridge(m: MachineBuilder): { readonly bus: BoardIsaBus; readonly name: string } {
  const device = m.createDevice("PIIX3", { addr: "1", multifunction: true }, { bus: "pci.0", realize: true });
  return { bus: (device.impl as BoardIsaBridge).bus, name: "isa.0" };
}

/** IDE in function 1 and power management in function 3 of the same slot. */
export function addIde(m: MachineBuilder): Device | undefined {
  if (!installed(m, "piix3-ide")) return undefined;
  return m.createDevice("piix3-ide", { addr: "1.1" }, { bus: "pci.0", realize: true });
}

/** The two IDE channels of a PC without PCI. */
export function addIsaIde(m: MachineBuilder, bus: string): void {
  if (!installed(m, "isa-ide")) return;
  for (const [iobase, iobase2, irq] of [
    [0x1f0, 0x3f6, 14],
    [0x170, 0x376, 15],
  ])
    m.createDevice("isa-ide", { iobase, iobase2, irq }, { bus, realize: true });
}

/** Power management: ACPI registers, SMI, SMBus. `smi` is the CPU's input, `sci` global interrupt 9. */
export function addPowerManagement(
  m: MachineBuilder,
  lines: { sci: IrqSink; smi: IrqSink | undefined; cmos: CmosMemory | undefined },
): Device | undefined {
  if (!installed(m, "PIIX4_PM")) return undefined;
  const device = m.createDevice(
    "PIIX4_PM",
    { addr: "1.3", smb_io_base: 0xb100, "smm-enabled": lines.smi !== undefined },
    { bus: "pci.0", realize: true },
  );
  for (const [name, sink] of [
    ["sci", lines.sci],
    ["smi-irq", lines.smi],
  ] as const)
    if (sink !== undefined && device.outputs.has(name)) device.irqOut(name).connect(sink);
  if (installed(m, "smbus-eeprom"))
    for (let i = 0; i < EEPROMS; i++)
      m.createDevice("smbus-eeprom", { address: 0x50 + i }, { bus: "i2c", realize: true });
  const pm = device.impl as { powerButton?(): void; alarm?(): void; wake?(reason: WakeReason): void };
  const { cmos } = lines;
  if (cmos !== undefined) {
    cmos.onAlarm = () => pm.alarm?.();
    m.on("suspend", () => cmos.setCmos(CMOS.shutdown, SHUTDOWN_S3));
  }
  m.on("powerdown-request", () => pm.powerButton?.());
  m.on("wakeup", (reason) => pm.wake?.(reason));
  return device;
}
