import { MemoryRegion } from "@mimus/machine-core";
import type { CpuObject, Device, MachineBuilder } from "@mimus/machine-core";
import { HART_LINE, hartOf } from "./hart.ts";
import type { TimeSource } from "./hart.ts";
import {
  FLASH_SECTOR,
  highPcie,
  IRQ,
  MEMMAP,
  PLATFORM_BUS_LINES,
  PLIC_SOURCES,
  TIMEBASE_HZ,
  VIRTIO_COUNT,
} from "./memmap.ts";

/** What the board adds to the firmware configuration device. */
export interface ConfigStore {
  add(key: number, bytes: Uint8Array): void;
  addU16(key: number, value: number): void;
  addU32(key: number, value: number): void;
  addFile(file: { name: string; bytes: Uint8Array }): void;
}

/** Creates a device, realizes it, and puts its regions at the given addresses. */
function place(m: MachineBuilder, type: string, props: Record<string, unknown>, ...at: number[]): Device {
  const device = m.createDevice(type, props, { realize: true });
  for (const [i, address] of at.entries()) {
    const region = device.regions[i];
    if (region !== undefined) m.system.root.add(address, region);
  }
  return device;
}

/** Machine timer, software interrupts and interrupt controller. @returns the PLIC */
export function addInterruptControllers(m: MachineBuilder, cpus: readonly CpuObject[], aclint: boolean): Device {
  const harts = cpus.length;
  const { base } = MEMMAP.clint;
  const software = place(m, "riscv.aclint.swi", { "num-harts": harts }, base);
  const mtimer = place(m, "riscv.aclint.mtimer", { "num-harts": harts, "timebase-freq": TIMEBASE_HZ }, base + 0x4000);
  const time = mtimer.impl as TimeSource & { onJump: (() => void) | undefined };
  const supervisor = aclint
    ? place(m, "riscv.aclint.swi", { "num-harts": harts, sswi: 1 }, MEMMAP.aclintSswi.base)
    : undefined;
  const config = cpus.map(() => "MS").join(",");
  const plic = place(m, "riscv.sifive.plic", { "hart-config": config, "num-sources": PLIC_SOURCES }, MEMMAP.plic.base);
  for (const [i, cpu] of cpus.entries()) {
    const to = (line: number) => (level: boolean) => cpu.setIrq(line, level);
    software.irqOut("swi", i).connect(to(HART_LINE.MSI));
    mtimer.irqOut("mtip", i).connect(to(HART_LINE.MTI));
    supervisor?.irqOut("swi", i).connect(to(HART_LINE.SSI));
    plic.irqOut("context", 2 * i).connect(to(HART_LINE.MEI));
    plic.irqOut("context", 2 * i + 1).connect(to(HART_LINE.SEI));
    hartOf(cpu).setTimeSource(time);
  }
  time.onJump = () => {
    for (const cpu of cpus) hartOf(cpu).timeChanged();
  };
  return plic;
}

/** The test finisher. */
export function addTest(m: MachineBuilder): void {
  place(m, "riscv.sifive.test", {}, MEMMAP.test.base);
}

/** The place for sysbus devices that users add. */
export function addPlatformBus(m: MachineBuilder, plic: Device): void {
  const platform = place(m, "platform-bus-device", { ...MEMMAP.platformBus, "num-irqs": PLATFORM_BUS_LINES });
  for (let i = 0; i < PLATFORM_BUS_LINES; i++)
    platform.irqOut("irq", i).connect(plic.irqIn("source", IRQ.platformBus + i));
}

/** UART and real-time clock. */
export function addSerialAndClock(m: MachineBuilder, plic: Device, serial: string | undefined): void {
  const source = (n: number) => plic.irqIn("source", n);
  const uart = place(m, "serial-mm", serial === undefined ? {} : { chardev: serial }, MEMMAP.uart0.base);
  uart.irqOut("sysbus-irq").connect(source(IRQ.uart0));
  const rtc = place(m, "goldfish_rtc", {}, MEMMAP.rtc.base);
  rtc.irqOut("sysbus-irq").connect(source(IRQ.rtc));
}

/** The firmware configuration device with what every machine says of itself. */
export function addConfig(m: MachineBuilder): ConfigStore {
  const { base } = MEMMAP.fwCfg;
  const device = place(m, "fw_cfg_mem", { data_width: 8 }, base + 8, base, base + 16);
  return device.impl as ConfigStore;
}

/** The virtio transports, each with a bus for one device. */
export function addVirtio(m: MachineBuilder, plic: Device): void {
  const { base, size } = MEMMAP.virtio;
  for (let i = 0; i < VIRTIO_COUNT; i++) {
    const transport = place(m, "virtio-mmio", {}, base + i * size);
    transport.irqOut("irq").connect(plic.irqIn("source", IRQ.virtio + i));
  }
}

/**
 * The PCI Express host bridge: configuration space, memory windows, I/O window, four interrupt lines. Its regions are, in order, the
 * configuration space, the whole PCI memory space, and the I/O ports.
 */
export function addPcie(m: MachineBuilder, plic: Device, xlen: 32 | 64): void {
  const host = place(m, "gpex-pcihost", {}, MEMMAP.pcieEcam.base);
  const [, memory, ports] = host.regions;
  const { root } = m.system;
  if (memory !== undefined) {
    for (const { base, size } of [MEMMAP.pcieMmio, highPcie(xlen, m.options.ramSize)]) {
      root.add(base, MemoryRegion.alias("gpex_mmio_window", memory, base, size));
    }
  }
  if (ports !== undefined)
    root.add(MEMMAP.pciePio.base, MemoryRegion.alias("gpex_ioport_window", ports, 0, MEMMAP.pciePio.size));
  for (let i = 0; i < 4; i++) host.irqOut("sysbus-irq", i).connect(plic.irqIn("source", IRQ.pcie + i));
}

/** The two flash banks. @returns their devices */
export function addFlash(m: MachineBuilder, drives: readonly (string | undefined)[]): Device[] {
  const { base, size } = MEMMAP.flash;
  const half = size / drives.length;
  return drives.map((drive, i) =>
    place(
      m,
      "cfi.pflash01",
      {
        name: `virt.flash${i}`,
        "num-blocks": half / FLASH_SECTOR,
        "sector-length": FLASH_SECTOR,
        width: 4,
        "device-width": 2,
        "max-device-width": 2,
        ...(drive === undefined ? {} : { drive }),
      },
      base + i * half,
    ),
  );
}
