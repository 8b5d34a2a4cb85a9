// What the vector operations of SSE and AVX have in common. An operation takes the address of a block
// { a: v128, b: v128, c: v128, result: v128, status: { mode: i32, flags: i32 }, all: i32, part: i32 } and that of MXCSR. It sets
// flags in MXCSR and returns {@link UNMASKED} or {@link FAST} or 0.
// Source: Intel SDM volume 1 (2023), 10.2.3 "MXCSR", 11.5 "SSE, SSE2, and SSE3 exceptions".

import { exponentOf, fractionOf, signMask } from "../format";
import { DZ, NV, NX, OF, UF } from "../status";

export const B: usize = 16;
export const C: usize = 32;
export const RESULT: usize = 48;
const STATUS: usize = 64;
const ALL: usize = 72;
const PART: usize = 76;

/** What {@link PART} says: the operation is the first, the second of the two halves of a wider one. */
const FIRST: i32 = 1;
const SECOND: i32 = 2;

/** MXCSR: denormals are zero, underflow masked, flush to zero. */
export const DAZ: i32 = 0x40;
const UM: i32 = 0x800;
const FTZ: i32 = 0x8000;
/** The flag of a denormal operand, beside those of status.ts. */
export const DE: i32 = 32;

/** Result of an operation: an exception is not masked, and nothing but flags may be changed. */
const UNMASKED: i32 = 2;
/** MXCSR is one with which the host's arithmetic will do: all masked, nearest, no DAZ, no FTZ, PE set. */
const FAST: i32 = 1;

// NaN of the first operand, negative default NaN, inf * 0 + NaN quiet, integer indefinite.
const POLICIES: i32 = 0x5500;
/** Rounding directions of status.ts by RC, four bits each. */
const DIRECTIONS: i32 = 0x1320;

@inline export function statusOf(p: usize): usize {
  return p + STATUS;
}

/** The rounding direction that a two-bit field asks for. */
@inline export function direction(rc: i32): i32 {
  return (DIRECTIONS >> (rc << 2)) & 7;
}

/** Starts an operation. Returns MXCSR. */
@inline export function begin(p: usize, m: usize): i32 {
  const mxcsr = load<i32>(m);
  store<i32>(p, direction((mxcsr >> 13) & 3) | POLICIES, STATUS);
  store<i32>(p, 0, STATUS + 4);
  if (load<i32>(p, PART) != SECOND) store<i32>(p, 0, ALL);
  return mxcsr;
}

/** Uses another rounding direction than MXCSR's. */
@inline export function setDirection(p: usize, rm: i32): void {
  store<i32>(p, rm | POLICIES, STATUS);
}

/** Flags of a lane into those of all lanes. */
@inline export function collect(p: usize, flags: i32): void {
  store<i32>(p, load<i32>(p, ALL) | flags, ALL);
}

/** The flags of all lanes, as MXCSR has them. */
@inline function collected(p: usize): i32 {
  const all = load<i32>(p, ALL);
  return (
    (((all & NV) != 0) as i32) | ((((all & DE) != 0) as i32) << 1) | ((((all & DZ) != 0) as i32) << 2) |
    ((((all & OF) != 0) as i32) << 3) | ((((all & UF) != 0) as i32) << 4) | ((((all & NX) != 0) as i32) << 5)
  );
}

/** Ends one step of several: whether an exception that is not masked is due. Else the flags so far are in MXCSR. */
export function isDue(p: usize, m: usize): bool {
  const flags = collected(p);
  const mxcsr = load<i32>(m);
  if ((flags & ~(mxcsr >> 7)) != 0) return true;
  if (load<i32>(p, PART) == 0) {
    store<i32>(m, mxcsr | flags);
    store<i32>(p, 0, ALL);
  }
  return false;
}

/** Ends an operation. */
export function finish(p: usize, m: usize): i32 {
  const part = load<i32>(p, PART);
  if (part == FIRST) return 0;
  if (part != 0) store<i32>(p, 0, PART);
  let flags = collected(p);
  const before = load<i32>(m);
  const unmasked = flags & ~(before >> 7) & 63;
  // Exceptions before the computation come first.
  if ((unmasked & 7) != 0) flags &= 7;
  const after = before | flags;
  store<i32>(m, after);
  if (unmasked != 0) return UNMASKED;
  return (after & 0xffe0) == 0x1fa0 ? FAST : 0;
}

@inline export function isDenormal<T>(a: u64): bool {
  return exponentOf<T>(a) == 0 && fractionOf<T>(a) != 0;
}

/** A denormal number as zero of its sign. */
@inline export function flushed<T>(a: u64): u64 {
  return isDenormal<T>(a) ? a & signMask<T>() : a;
}

/** Starts a lane. */
@inline export function beginLane(p: usize): void {
  store<i32>(p, 0, STATUS + 4);
}

/** Ends a lane with no underflow to look at: `denormal` says that an operand was. */
@inline export function endLane(p: usize, denormal: bool): void {
  const flags = load<i32>(p, STATUS + 4);
  collect(p, denormal && (flags & (NV | DZ)) == 0 ? flags | DE : flags);
}

/** Ends a lane of arithmetic; the result may be flushed to zero. */
export function endArithmetic<T>(p: usize, mxcsr: i32, denormal: bool, r: u64): u64 {
  let flags = load<i32>(p, STATUS + 4);
  if (denormal && (flags & (NV | DZ)) == 0) flags |= DE;
  if ((flags & UF) != 0 || isDenormal<T>(r)) {
    if ((mxcsr & UM) == 0) flags |= UF;
    else if ((mxcsr & FTZ) != 0) {
      r &= signMask<T>();
      flags |= UF | NX;
    }
  }
  collect(p, flags);
  return r;
}

/** Lane `n` of the vector at `p`. */
@inline export function lane<T>(p: usize, n: i32): u64 {
  return <u64>load<T>(p + <usize>n * sizeof<T>());
}

@inline export function setLane<T>(p: usize, n: i32, v: u64): void {
  store<T>(p + <usize>n * sizeof<T>(), <T>v);
}
