/** Bits of the control registers and MSRs. Source: Intel SDM volume 3A (2023), 2.2.1 and 2.5; AMD APM volume 2 (2023), 3.1. */
export const CR0 = {
  PE: 1, MP: 2, EM: 4, TS: 8, ET: 16, NE: 32, WP: 0x10000, AM: 0x40000, NW: 0x2000_0000, CD: 0x4000_0000,
  PG: 0x8000_0000 | 0,
} as const; // prettier-ignore

export const CR4 = {
  VME: 1, PVI: 2, TSD: 4, DE: 8, PSE: 16, PAE: 32, MCE: 64, PGE: 128, PCE: 256, OSFXSR: 512, OSXMMEXCPT: 1024,
  UMIP: 2048, LA57: 4096, VMXE: 8192, SMXE: 0x4000, FSGSBASE: 0x10000, PCIDE: 0x20000, OSXSAVE: 0x40000,
  SMEP: 0x100000, SMAP: 0x200000, PKE: 0x400000, CET: 0x800000, PKS: 0x1000000,
} as const; // prettier-ignore

export const EFER = { SCE: 1, LME: 0x100, LMA: 0x400, NXE: 0x800, SVME: 0x1000, FFXSR: 0x4000 } as const;

/** Bits of a page-table entry. Source: SDM volume 3A, 4.3 to 4.5. */
export const PTE = { P: 1, W: 2, U: 4, PWT: 8, PCD: 16, A: 32, D: 64, PS: 128, G: 256, PAT_LARGE: 0x1000 } as const;

/** Bits of the error code of a page fault. Source: SDM volume 3A, 4.7. */
export const PFEC = { P: 1, W: 2, U: 4, RSVD: 8, I: 16, PK: 32 } as const;
