// Registers and bits of the local APIC. Source: Intel SDM vol. 3 (325384-080), chapter 11.

/** Registers: offset of the page >> 4, or MSR - 800h. */
export const REG = {
  ID: 0x02,
  VERSION: 0x03,
  TPR: 0x08,
  APR: 0x09,
  PPR: 0x0a,
  EOI: 0x0b,
  RRD: 0x0c,
  LDR: 0x0d,
  DFR: 0x0e,
  SVR: 0x0f,
  ISR: 0x10,
  TMR: 0x18,
  IRR: 0x20,
  ESR: 0x28,
  ICR: 0x30,
  ICR_HIGH: 0x31,
  LVT_TIMER: 0x32,
  LVT_ERROR: 0x37,
  INITIAL: 0x38,
  CURRENT: 0x39,
  DIVIDE: 0x3e,
  SELF_IPI: 0x3f,
} as const;

/** Local vector table: entry numbers, from the register LVT_TIMER on. */
export const LVT = { TIMER: 0, THERMAL: 1, PERFORMANCE: 2, LINT0: 3, LINT1: 4, ERROR: 5, COUNT: 6 } as const;

/** Version register: an integrated APIC with six local vectors. */
export const VERSION = 0x0005_0014;

/** Bits of a local vector and of an interrupt command. */
export const MASKED = 0x1_0000;
export const LEVEL_TRIGGER = 0x8000;
export const REMOTE_IRR = 0x4000;

/** Delivery modes. */
export const MODE = { FIXED: 0, LOWEST: 1, SMI: 2, NMI: 4, INIT: 5, STARTUP: 6, EXTINT: 7 } as const;

/** Timer modes: bits 17 and 18 of the timer's vector. */
export const TIMER = { ONE_SHOT: 0, PERIODIC: 1, DEADLINE: 2 } as const;

/** Error status bits. */
export const ERROR = { SEND_VECTOR: 0x20, RECEIVE_VECTOR: 0x40, REGISTER: 0x80 } as const;

/** Software enable in the spurious vector register. */
export const SVR_ENABLE = 0x100;

/** IA32_APIC_BASE and its bits. */
export const MSR_BASE = 0x1b;
export const MSR_DEADLINE = 0x6e0;
export const BASE_BSP = 0x100;
export const BASE_X2 = 0x400;
export const BASE_ENABLE = 0x800;
/** Where the registers are after reset. */
export const BASE_ADDRESS = 0xfee0_0000;

/** Destination that means every CPU. */
export const ALL = 0xffff_ffff;
