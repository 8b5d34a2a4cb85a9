// The status block a caller hands to every operation: { mode: i32, flags: i32 }.
// Mode bits 0..2 hold the rounding direction in RISC-V's encoding; bits 8.. hold the policy of the guest (zero: RISC-V).
// Bits 3..7 keep operations from using the host's arithmetic: bit 7 does nothing else, the others are reserved.
// Source: RISC-V Unprivileged ISA 20240411, 20.2 "Floating-Point Control and Status Register"; IEEE 754-2019, 4.3 and 7.

export const RNE: i32 = 0;
export const RTZ: i32 = 1;
export const RDN: i32 = 2;
export const RUP: i32 = 3;
export const RMM: i32 = 4;
/** Round to odd: truncate, and set the last bit when inexact (RISC-V vfncvt.rod, A64 FCVTXN). */
export const ROD: i32 = 5;

export const NX: i32 = 1;
export const UF: i32 = 2;
export const OF: i32 = 4;
export const DZ: i32 = 8;
export const NV: i32 = 16;

/** Which NaN a computation with NaN operands returns. */
export const NAN_RULE: i32 = 0x300;
export const NAN_FIRST: i32 = 0x100; // the first operand that is a NaN, quieted (x86 SSE)
export const NAN_SIGNALING_FIRST: i32 = 0x200; // the first signaling NaN, else the first NaN (Arm)
export const NAN_LARGEST: i32 = 0x300; // a quiet one before a signaling one, then the larger significand (x87)
/** The default NaN has its sign set (x86). */
export const DEFAULT_NAN_NEGATIVE: i32 = 0x400;
/** Tininess is detected before rounding (Arm); otherwise after it (RISC-V, x86). */
export const TINY_BEFORE: i32 = 0x800;
/** inf * 0 + quiet NaN is not invalid and returns the NaN (x86 FMA); otherwise it is invalid. */
export const INF_ZERO_QUIET: i32 = 0x1000;
/** mulAdd looks for a NaN in the order addend, factors (Arm). */
export const ADDEND_FIRST: i32 = 0x2000;
/** What an invalid conversion to an integer returns; zero: the nearest bound, and the largest integer for a NaN. */
export const INT_RULE: i32 = 0xc000;
export const INT_INDEFINITE: i32 = 0x4000; // only the top bit set (x86)
export const INT_NAN_ZERO: i32 = 0x8000; // the nearest bound, and zero for a NaN (Arm)

@inline export function modeOf(status: usize): i32 {
  return load<i32>(status);
}

@inline export function rounding(status: usize): i32 {
  return load<i32>(status) & 7;
}

@inline export function flagsOf(status: usize): i32 {
  return load<i32>(status, 4);
}

@inline export function raise(status: usize, flags: i32): void {
  store<i32>(status, load<i32>(status, 4) | flags, 4);
}

/** Round to nearest even is in force, so that the host's own arithmetic gives the result. */
@inline export function nearestEven(status: usize): bool {
  return (load<i32>(status) & 0xff) == 0;
}

@inline export function inexactSet(status: usize): bool {
  return (load<i32>(status, 4) & NX) != 0;
}
