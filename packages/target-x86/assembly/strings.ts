/**
 * REP MOVS and REP STOS of plain memory: as much as one page of each side takes, when the TLB maps it. What the TLB does
 * not map for the access (devices, pages with code, first touches) is left to the instruction's own loads and stores.
 */
import { TLB } from "./system";

// Layout of the state block: TLB_ENTRIES, ENV.budget and ENV.exact of @mimus/tcg. src/system/fast.ts compares them.
const ENTRIES: i32 = 16384;
const BUDGET: i32 = 0;
const EXACT: i32 = 96;

/**
 * Each element is an instruction, however many are moved at once: of `n` elements as many as the budget allows. The instruction's
 * block has paid for one of them.
 */
// @ts-ignore: decorator
@inline
function charge(env: i32, n: i32): i32 {
  if (load<i32>(env + EXACT) == 0 || n <= 1) return n;
  const budget = load<i32>(env + BUDGET);
  const done = min(n, max(budget, 0) + 1);
  store<i32>(env + BUDGET, budget - (done - 1));
  return done;
}

/** The entry for an address. */
// @ts-ignore: decorator
@inline
function entryOf(env: i32, mmu: i32, address: u64): i32 {
  return env + i32(TLB) + mmu * (ENTRIES * 32) + ((i32(address >> 12) & (ENTRIES - 1)) << 5);
}

/** Elements of 1 << shift bytes from `address` to the end of its page. */
// @ts-ignore: decorator
@inline
function room(address: u64, shift: i32): i32 {
  return (4096 - (i32(address) & 4095)) >> shift;
}

/** Moves up to `count` elements upwards. @returns how many were moved */
export function rep_movs(env: i32, mmu: i32, shift: i32, to: u64, from: u64, count: u64): i32 {
  const source = entryOf(env, mmu, from);
  const target = entryOf(env, mmu, to);
  if (load<u64>(source) != (from & ~4095) || load<u64>(target + 8) != (to & ~4095)) return 0;
  let n: i32 = min(room(from, shift), room(to, shift));
  if (u64(n) > count) n = i32(count);
  // Where the target follows the source closely, elements that were moved are moved again: at most to there in one go.
  const distance: u64 = to - from;
  if (distance < u64(n << shift)) n = i32(distance) >> shift;
  if (n <= 0) return 0;
  n = charge(env, n);
  memory.copy(i32(to) + load<i32>(target + 24), i32(from) + load<i32>(source + 24), n << shift);
  return n;
}

/** Stores up to `count` elements upwards. @returns how many were stored */
export function rep_stos(env: i32, mmu: i32, shift: i32, to: u64, value: u64, count: u64): i32 {
  const target = entryOf(env, mmu, to);
  if (load<u64>(target + 8) != (to & ~4095)) return 0;
  let n: i32 = room(to, shift);
  if (u64(n) > count) n = i32(count);
  if (n <= 0) return 0;
  n = charge(env, n);
  let at: i32 = i32(to) + load<i32>(target + 24);
  const bytes = n << shift;
  if (shift == 0 || value == 0) {
    memory.fill(at, u8(value), bytes);
    return n;
  }
  const end = at + bytes;
  if (shift == 1) for (; at != end; at += 2) store<u16>(at, u16(value));
  else if (shift == 2) for (; at != end; at += 4) store<u32>(at, u32(value));
  else for (; at != end; at += 8) store<u64>(at, value);
  return n;
}
