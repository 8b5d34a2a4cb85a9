// Exceptions of one operation, in the places that the x87 status word has for them, and the second half of a result.
// Source: Intel SDM volume 1 (2023), 8.1.3 "x87 FPU Status Register", 8.1.5 "x87 FPU Control Word".

/** Exception flags: invalid, denormal operand, division by zero, overflow, underflow, precision; stack fault; summary. */
export const IE: i32 = 1;
export const DE: i32 = 2;
export const ZE: i32 = 4;
export const OE: i32 = 8;
export const UE: i32 = 16;
export const PE: i32 = 32;
export const SF: i32 = 64;
export const ES: i32 = 0x80;
export const C0: i32 = 0x100;
export const C1: i32 = 0x200;
export const C2: i32 = 0x400;
export const C3: i32 = 0x4000;
export const BUSY: i32 = 0x8000;
export const EXCEPTIONS: i32 = 0x3f;

/** Rounding control and precision control, in the places of the control word. */
export const ROUNDING: i32 = 0xc00;
export const NEAREST: i32 = 0;
export const DOWN: i32 = 0x400;
export const UP: i32 = 0x800;
export const CHOP: i32 = 0xc00;
export const PRECISION: i32 = 0x300;
export const PC24: i32 = 0;
export const PC53: i32 = 0x200;
export const PC64: i32 = 0x300;

/** What the operation raised; C1 when it rounded away from zero. */
export let flags: i32 = 0;
/** Sign (bit 15) and exponent of the last result; its significand is what the function returned. */
export let se: i32 = 0;
/** Exponent distance of results whose overflow or underflow is not masked. */
export const WRAP: i32 = 24576;

@inline export function clearFlags(): void {
  flags = 0;
}

/** Takes flags back. */
@inline export function keepFlags(mask: i32): void {
  flags &= mask;
}

@inline export function raise(what: i32): void {
  flags |= what;
}

/** Leaves sign and exponent, and returns the significand. */
@inline export function result(signExponent: i32, significand: u64): u64 {
  se = signExponent;
  return significand;
}
