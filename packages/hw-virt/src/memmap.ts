export const MIB: number = 2 ** 20;

/** One window of the board's address space, in bytes. */
export interface MemoryWindow {
  readonly base: number;
  readonly size: number;
}

/** The board's windows by name. */
export type WindowName =
  | "debug"
  | "mrom"
  | "test"
  | "rtc"
  | "clint"
  | "aclintSswi"
  | "pciePio"
  | "platformBus"
  | "plic"
  | "uart0"
  | "virtio"
  | "fwCfg"
  | "flash"
  | "pcieEcam"
  | "pcieMmio"
  | "dram";

/**
 * Physical address map of the RISC-V "virt" board.
 * Source: QEMU 7.2 documentation, "virt Generic Virtual Platform"; `info mtree` of that machine.
 */
export const MEMMAP: Readonly<Record<WindowName, MemoryWindow>> = {
  debug: { base: 0x0, size: 0x100 },
  mrom: { base: 0x1000, size: 0xf000 },
  test: { base: 0x10_0000, size: 0x1000 },
  rtc: { base: 0x10_1000, size: 0x1000 },
  clint: { base: 0x200_0000, size: 0x1_0000 },
  aclintSswi: { base: 0x2f0_0000, size: 0x4000 },
  pciePio: { base: 0x300_0000, size: 0x1_0000 },
  platformBus: { base: 0x400_0000, size: 0x200_0000 },
  plic: { base: 0xc00_0000, size: 0x60_0000 },
  uart0: { base: 0x1000_0000, size: 0x100 },
  virtio: { base: 0x1000_1000, size: 0x1000 },
  fwCfg: { base: 0x1010_0000, size: 0x18 },
  flash: { base: 0x2000_0000, size: 0x400_0000 },
  pcieEcam: { base: 0x3000_0000, size: 0x1000_0000 },
  pcieMmio: { base: 0x4000_0000, size: 0x4000_0000 },
  dram: { base: 0x8000_0000, size: 0 },
};

/** The 32-bit board's second PCI window: 4 GiB at 12 GiB. */
const HIGH_PCIE_32: MemoryWindow = { base: 0x3_0000_0000, size: 0x1_0000_0000 };
const HIGH_PCIE_64_SIZE = 0x4_0000_0000;

/** The second PCI window: on 64-bit boards 16 GiB, aligned to its size, above the RAM. */
export function highPcie(xlen: 32 | 64, ramSize: number): MemoryWindow {
  if (xlen === 32) return HIGH_PCIE_32;
  const end = MEMMAP.dram.base + ramSize;
  return { base: Math.ceil(end / HIGH_PCIE_64_SIZE) * HIGH_PCIE_64_SIZE, size: HIGH_PCIE_64_SIZE };
}

/** Interrupt sources at the PLIC. */
export const IRQ = { virtio: 1, uart0: 10, rtc: 11, pcie: 32, platformBus: 64 } as const;
export const PLATFORM_BUS_LINES = 32;

export const VIRTIO_COUNT = 8;
/** Bytes of an erase block of a flash bank. */
export const FLASH_SECTOR = 0x4_0000;
/** Source ids of the PLIC, including the reserved id 0. */
export const PLIC_SOURCES = 96;
export const TIMEBASE_HZ = 10_000_000;
export const MAX_HARTS = 512;
