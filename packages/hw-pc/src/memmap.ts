/** Addresses of a PC. Source: Intel 440FX PCIset data sheet (1996), 3.4 "Memory address map"; `info mtree` of QEMU 7.2. */
export const MIB: number = 2 ** 20;
export const GIB: number = 2 ** 30;

/** Option ROMs: 128 KiB that firmware may write on a PC without PAM registers. */
export const OPTION_ROM: { readonly base: number; readonly size: number } = { base: 0xc0000, size: 0x20000 };
/** The end of what the BIOS's alias shows below 1 MiB, and the most of it that is shown. */
export const ISA_BIOS_END = 0x100000;
export const ISA_BIOS_MAX = 0x20000;
/** RAM below 4 GiB at most: above are PCI memory, the APICs and the BIOS. */
const LOW_RAM_MAX: number = 3.5 * GIB;
/** Where a larger RAM is divided. */
const LOW_RAM_SPLIT: number = 3 * GIB;
export const HIGH_RAM: number = 4 * GIB;
/** The largest BIOS image: what lies between the APICs' registers and 4 GiB. */
export const BIOS_MAX: number = 16 * MIB;

/** Bytes of an erase block of flash, and of all flash at most. */
export const FLASH_SECTOR = 4096;
export const FLASH_MAX: number = 8 * MIB;

/** Interrupt controllers and timers in memory. Source: Intel 82093AA data sheet, 3.0; IA-PC HPET 1.0a, 2.2. */
export const IOAPIC_BASE = 0xfec00000;
export const HPET_BASE = 0xfed00000;
export const APIC_BASE = 0xfee00000;

/** How the machine's RAM is divided: bytes from address 0 on, and bytes from 4 GiB on. */
export interface RamSplit {
  readonly below: number;
  readonly above: number;
}

/**
 * Divides RAM around the hole below 4 GiB. RAM that does not fit below the limit is cut at 3 GiB at most, so that the
 * upper part starts at a large boundary.
 * @param limit `max-ram-below-4g`, bytes; 0: the board's own
 */
export function splitRam(ram: number, limit: number): RamSplit {
  const most = limit === 0 ? LOW_RAM_MAX : limit;
  if (ram < most) return { below: ram, above: 0 };
  const below = Math.min(most, LOW_RAM_SPLIT, ram);
  return { below, above: ram - below };
}
