// The register file: eight registers as a stack, control, status and tags, at fixed distances from a base address
// (src/x87-layout.ts has the same numbers). Source: Intel SDM volume 1 (2023), 8.1, 8.5.1.1 "Stack Overflow or Underflow Exception".

import { indefinite } from "./format";
import { C1, DE, BUSY, ES, EXCEPTIONS, IE, SF, ZE, flags, raise, se } from "./status";

const CW: usize = 448;
const SW: usize = 452;
const TOP: usize = 456;
const EMPTY: usize = 488;
const REGISTERS: usize = 1536;
const SCRATCH: usize = 2560;

/** Exceptions that, not masked, leave operands and stack as they were. */
export const BEFORE: i32 = IE | DE | ZE;

@inline export function control(env: usize): i32 {
  return load<i32>(env, CW);
}

@inline export function setControl(env: usize, cw: i32): void {
  store<i32>(env, cw, CW);
}

@inline export function statusWord(env: usize): i32 {
  return load<i32>(env, SW);
}

@inline export function setStatusWord(env: usize, sw: i32): void {
  store<i32>(env, sw, SW);
}

@inline export function top(env: usize): i32 {
  return load<i32>(env, TOP);
}

@inline export function setTop(env: usize, value: i32): void {
  store<i32>(env, value & 7, TOP);
}

/** Physical number of ST(i). */
@inline export function physical(env: usize, i: i32): i32 {
  return (load<i32>(env, TOP) + i) & 7;
}

@inline export function isEmpty(env: usize, r: i32): bool {
  return load<u8>(env + <usize>r, EMPTY) != 0;
}

@inline export function setEmpty(env: usize, r: i32, empty: i32): void {
  store<u8>(env + <usize>r, empty, EMPTY);
}

/** All eight tags, a byte each. */
@inline export function tags(env: usize): u64 {
  return load<u64>(env, EMPTY);
}

@inline export function setTags(env: usize, value: u64): void {
  store<u64>(env, value, EMPTY);
}

@inline export function significand(env: usize, r: i32): u64 {
  return load<u64>(env + (<usize>r << 4), REGISTERS);
}

@inline export function signExponent(env: usize, r: i32): i32 {
  return <i32>load<u16>(env + (<usize>r << 4), REGISTERS + 8);
}

@inline export function setRegister(env: usize, r: i32, signExponent: i32, significand: u64): void {
  const at = env + (<usize>r << 4);
  store<u64>(at, significand, REGISTERS);
  store<u16>(at, <u16>signExponent, REGISTERS + 8);
}

@inline export function pop(env: usize): void {
  const t = top(env);
  setEmpty(env, t, 1);
  setTop(env, t + 1);
}

/** The status word with C1 and what was raised; exceptions that are not masked set its summary. */
@inline export function withFlags(sw: i32, cw: i32): i32 {
  sw = (sw & ~C1) | flags;
  return (flags & ~cw & EXCEPTIONS) != 0 ? sw | ES | BUSY : sw;
}

/** Ends an instruction: the flags into the status word. */
@inline export function finish(env: usize, cw: i32): void {
  setStatusWord(env, withFlags(statusWord(env), cw));
}

/** Whether operands and stack must stay as they were. */
@inline export function refused(cw: i32): bool {
  return (flags & ~cw & BEFORE) != 0;
}

/** An operand that is not there; returns whether the instruction goes on with its masked response. */
@inline export function underflow(cw: i32): bool {
  raise(IE | SF);
  return (cw & IE) != 0;
}

/** ST(i) gets the indefinite, and is there. */
export function setIndefinite(env: usize, r: i32): void {
  const sig = indefinite();
  setRegister(env, r, se, sig);
  setEmpty(env, r, 0);
}

/** Pushes a number that is not refused, or the masked response of a full stack. */
@inline export function push(env: usize, cw: i32, signExponent: i32, significand: u64): void {
  const t = (top(env) - 1) & 7;
  if (!isEmpty(env, t)) {
    overflow(env, cw, t);
    return;
  }
  setTop(env, t);
  setEmpty(env, t, 0);
  setRegister(env, t, signExponent, significand);
}

function overflow(env: usize, cw: i32, t: i32): void {
  raise(IE | SF | C1);
  if ((cw & IE) == 0) return;
  setTop(env, t);
  setIndefinite(env, t);
}

/** What a store leaves for its end, once memory has been written: the status word, whether it is refused. */
@inline export function leave(env: usize, cw: i32, refuse: bool): void {
  store<i32>(env, withFlags(statusWord(env), cw), SCRATCH);
  store<i32>(env, <i32>refuse, SCRATCH + 4);
}

@inline export function left(env: usize): i32 {
  return load<i32>(env, SCRATCH);
}

@inline export function leftRefused(env: usize): bool {
  return load<i32>(env, SCRATCH + 4) != 0;
}

/** The upper half of a result of 80 bits. */
@inline export function leaveHigh(env: usize, value: i32): void {
  store<i32>(env, value, SCRATCH + 8);
}
