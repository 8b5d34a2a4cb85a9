// Offsets and bits of configuration space: PCI Local Bus Specification 3.0, chapter 6; PCI-to-PCI Bridge 1.2, chapter 3;
// PCI Express Base 4.0, 7.5.

/** Registers of both header types. */
export const REG = {
  VENDOR: 0x00,
  DEVICE: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION: 0x08,
  CLASS: 0x09,
  CACHE_LINE: 0x0c,
  LATENCY: 0x0d,
  HEADER: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR: 0x2c,
  SUBSYSTEM: 0x2e,
  ROM: 0x30,
  CAPABILITIES: 0x34,
  LINE: 0x3c,
  PIN: 0x3d,
} as const;

/** Registers of header type 1, a bridge. */
export const BRIDGE = {
  PRIMARY: 0x18,
  SECONDARY: 0x19,
  SUBORDINATE: 0x1a,
  IO_BASE: 0x1c,
  IO_LIMIT: 0x1d,
  SECONDARY_STATUS: 0x1e,
  MEMORY_BASE: 0x20,
  MEMORY_LIMIT: 0x22,
  PREFETCH_BASE: 0x24,
  PREFETCH_LIMIT: 0x26,
  PREFETCH_BASE_HIGH: 0x28,
  PREFETCH_LIMIT_HIGH: 0x2c,
  IO_BASE_HIGH: 0x30,
  IO_LIMIT_HIGH: 0x32,
  CONTROL: 0x3e,
} as const;

/** Bits of the command register. */
export const COMMAND = { IO: 1, MEMORY: 2, MASTER: 4, PARITY: 0x40, SERR: 0x100, INTX_OFF: 0x400 } as const;
/** Bits of the status register. */
export const STATUS = { INTERRUPT: 8, CAPABILITIES: 0x10, ERRORS: 0xf900 } as const;

/** Capability ids. */
export const CAP = { SLOT_ID: 0x04, MSI: 0x05, VENDOR: 0x09, SSVID: 0x0d, EXPRESS: 0x10, MSIX: 0x11 } as const;
