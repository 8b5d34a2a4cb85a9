/** Numbers of the privileged architecture. Source: RISC-V Privileged Architecture 20211203. */

/** Privilege levels as the CSRs encode them. */
export const PRIV = { U: 0, S: 1, M: 3 } as const;
/** A privilege level. */
export type PrivLevel = 0 | 1 | 3;

/** Exception codes (mcause without the interrupt bit). Source: table 3.6. */
export const EXC = {
  FETCH_MISALIGNED: 0,
  FETCH_ACCESS: 1,
  ILLEGAL: 2,
  BREAKPOINT: 3,
  LOAD_MISALIGNED: 4,
  LOAD_ACCESS: 5,
  STORE_MISALIGNED: 6,
  STORE_ACCESS: 7,
  ECALL_U: 8,
  ECALL_S: 9,
  ECALL_M: 11,
  FETCH_PAGE: 12,
  LOAD_PAGE: 13,
  STORE_PAGE: 15,
} as const;

/** Exception name for logs, by code. */
export const EXCEPTION_NAMES: readonly string[] = [
  "instruction address misaligned",
  "instruction access fault",
  "illegal instruction",
  "breakpoint",
  "load address misaligned",
  "load access fault",
  "store address misaligned",
  "store access fault",
  "environment call from U",
  "environment call from S",
  "reserved 10",
  "environment call from M",
  "instruction page fault",
  "load page fault",
  "reserved 14",
  "store page fault",
];

/** Interrupt numbers (bits of mip and mie). */
export const IRQ = { SSI: 1, MSI: 3, STI: 5, MTI: 7, SEI: 9, MEI: 11 } as const;

/** Interrupt bits that S-mode can have: SSI, STI, SEI. */
export const S_INTERRUPTS = 0x222;
/** Interrupt bits of M-mode: MSI, MTI, MEI. */
export const M_INTERRUPTS = 0x888;

/** Bits of mstatus's low half. Source: figures 3.6 and 3.7. */
export const MSTATUS = {
  SIE: 1 << 1,
  MIE: 1 << 3,
  SPIE: 1 << 5,
  MPIE: 1 << 7,
  SPP: 1 << 8,
  MPP: 3 << 11,
  FS: 3 << 13,
  MPRV: 1 << 17,
  SUM: 1 << 18,
  MXR: 1 << 19,
  TVM: 1 << 20,
  TW: 1 << 21,
  TSR: 1 << 22,
} as const;

/** Exceptions that medeleg can hand to S-mode: all that S or U can cause. */
export const DELEGABLE_EXCEPTIONS = 0xb3ff;

/** menvcfg and senvcfg. Source: 3.1.18; Sstc 1.0. */
export const ENVCFG = { FIOM: 1, CBIE: 3 << 4, CBCFE: 1 << 6, CBZE: 1 << 7, STCE_HI: 1 << 31 } as const;

/** Page table entry bits. Source: 4.3.1 and 4.4.1. */
export const PTE = { V: 1, R: 2, W: 4, X: 8, U: 16, G: 32, A: 64, D: 128 } as const;
