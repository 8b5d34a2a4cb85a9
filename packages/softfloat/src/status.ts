/** Layout of the status block that every operation takes the address of: two 32-bit words. */
export const STATUS = { mode: 0, flags: 4, size: 8 } as const;

/**
 * Rounding directions, bits 0-2 of the mode word. `odd` is not an architectural direction of RISC-V.
 * Source: RISC-V Unprivileged ISA 20240411, table "Rounding mode encoding".
 */
export const ROUNDING = {
  nearestEven: 0,
  towardZero: 1,
  down: 2,
  up: 3,
  nearestAway: 4,
  odd: 5,
} as const;

/** Exception flags, OR-ed into the flags word. Source: RISC-V Unprivileged ISA 20240411, table "Accrued exception flag encoding". */
export const FLAGS = { inexact: 1, underflow: 2, overflow: 4, divideByZero: 8, invalid: 16 } as const;

/** What architectures decide differently, OR-ed into the mode word; 0 in every field is RISC-V. */
export const POLICY = {
  /** Compute in integers even where the host's arithmetic would do; the results are the same (for tests). */
  integersOnly: 0x80,
  /** The first NaN operand, quieted, is the result. */
  nanFirst: 0x100,
  /** The first signaling NaN, else the first NaN. */
  nanSignalingFirst: 0x200,
  /** A quiet NaN before a signaling one, then the one with the larger significand. */
  nanLargest: 0x300,
  /** The default NaN has its sign set. */
  defaultNanNegative: 0x400,
  /** Tininess is detected before rounding. */
  tinyBefore: 0x800,
  /** Infinity times zero plus a quiet NaN is that NaN and not invalid. */
  infinityZeroQuiet: 0x1000,
  /** mulAdd prefers a NaN addend to a NaN factor. */
  addendFirst: 0x2000,
  /** An invalid conversion to an integer gives the integer with only the top bit set, all ones when unsigned. */
  integerIndefinite: 0x4000,
  /** A NaN converts to the integer 0. */
  integerNanZero: 0x8000,
} as const;

/** The mode-word policies of known architectures. */
export const POLICIES: { readonly riscv: number; readonly x86: number; readonly arm: number } = {
  riscv: 0,
  /** SSE and AVX. Source: Intel SDM vol. 1, 4.8.3.5 and table 4-7, 14.5.2 (FMA). */
  x86: POLICY.nanFirst | POLICY.defaultNanNegative | POLICY.infinityZeroQuiet | POLICY.integerIndefinite,
  /** Source: Arm ARM DDI 0487, shared pseudocode FPProcessNaNs, FPMulAdd, FPToFixed. */
  arm: POLICY.nanSignalingFirst | POLICY.tinyBefore | POLICY.addendFirst | POLICY.integerNanZero,
};
