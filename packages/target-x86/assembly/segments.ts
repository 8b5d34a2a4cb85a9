/**
 * Loads of segment registers, VERR, VERW and permission maps of ports as operating systems use them: what the TLB maps of
 * the GDT and of the task state, and nothing that faults. Anything else is refused before anything has changed, and
 * src/system/ does it. Sources: Intel SDM volume 2 (2023), MOV, POP, VERR; volume 1, 19.5.2.
 */
import {
  ACCESSED, baseOf, CODE, CONFORMING, CPL, DB, descriptor, limitOf, P, readable, RW, S, SEGMENTS, SS, TB_FLAGS, TR,
} from "./system"; // prettier-ignore

const CODE64: i32 = 2 << 3;
const SS32: i32 = 1 << 5;
const ADD_SEG: i32 = 1 << 7;
const CHECK_SEG: i32 = 1 << 8;
const FS_WIDE: i32 = 1 << 27;
const GS_WIDE: i32 = 1 << 28;
const PE: i32 = 1 << 11;
const VM: i32 = 1 << 12;
/** Type and S of a present segment that is written upwards, and of such code as data accesses may have behind CS. */
const USABLE: u32 = P | S | CODE | CONFORMING | RW;

/** What tbFlags say of ES, SS and DS, and of CS: see segmentFlags of src/system/hflags.ts. */
// @ts-ignore: decorator
@inline
function looks(env: u32, n: u32): i32 {
  const at = env + SEGMENTS + 24 * n;
  const base: i32 = load<u32>(at + 16) != 0 ? ADD_SEG : 0;
  const usable = (load<u32>(at + 8) & USABLE) == (P | S | RW);
  return usable && load<u32>(at + 4) == 0xffffffff ? base : base | CHECK_SEG;
}

function segmentFlags(env: u32, tb: i32): i32 {
  let flags = tb & ~(SS32 | ADD_SEG | CHECK_SEG | FS_WIDE | GS_WIDE);
  flags |= looks(env, 0) | looks(env, 2) | looks(env, 3);
  if ((load<u32>(env + SS + 8) & DB) != 0) flags |= SS32;
  if ((looks(env, 4) & CHECK_SEG) == 0) flags |= FS_WIDE;
  if ((looks(env, 5) & CHECK_SEG) == 0) flags |= GS_WIDE;
  const cs = env + SEGMENTS + 24;
  if ((load<u32>(cs + 8) & (P | S | CODE | RW)) != (P | S | CODE | RW) || load<u32>(cs + 4) != 0xffffffff) flags |= CHECK_SEG;
  return flags;
}

/** MOV or POP to ES, SS, DS, FS or GS in protected mode. @returns whether it did */
export function load_data_segment(env: u32, n: u32, selector: u32): i32 {
  const tb = load<i32>(env + TB_FLAGS);
  if ((tb & (PE | VM)) != PE) return 0;
  const at = env + SEGMENTS + 24 * n;
  const cpl = load<u32>(env + CPL);
  const rpl = selector & 3;
  if ((selector & 0xfffc) == 0) {
    if (n == 2) return 0;
    store<u32>(at, selector);
    store<u32>(at + 4, 0);
    store<u32>(at + 8, 0);
    store<u64>(at + 16, 0);
  } else {
    const d = descriptor(env, selector);
    const attributes = u32(d >> 32);
    const dpl = (attributes >> 13) & 3;
    if ((attributes & (P | S | ACCESSED)) != (P | S | ACCESSED)) return 0;
    if (n == 2) {
      if ((attributes & (CODE | RW)) != RW || rpl != cpl || dpl != cpl) return 0;
    } else {
      const type = attributes & (CODE | RW);
      if (type == CODE || (attributes & (CODE | CONFORMING)) == (CODE | CONFORMING) || dpl < cpl || dpl < rpl) return 0;
    }
    store<u32>(at, selector);
    store<u32>(at + 4, limitOf(d));
    store<u32>(at + 8, attributes & 0xffff00);
    store<u64>(at + 16, u64(baseOf(d)));
  }
  if ((tb & CODE64) == 0) store<i32>(env + TB_FLAGS, segmentFlags(env, tb));
  return 1;
}

/** VERR, VERW. @returns whether the segment can be read, written; -1: unknown */
export function verify_segment(env: u32, selector: u32, writing: i32): i32 {
  if ((selector & 0xfffc) == 0) return 0;
  const d = descriptor(env, selector);
  const attributes = u32(d >> 32);
  if (d == 0 || (attributes & (S | CODE)) != S) return -1;
  const dpl = (attributes >> 13) & 3;
  const inner = dpl < load<u32>(env + CPL) || dpl < (selector & 3);
  return !inner && (writing == 0 || (attributes & RW) != 0) ? 1 : 0;
}

/** Whether the permission map of the task allows a port of `size` bytes; 0: it does not, or is not to be seen at once. */
export function port_allowed(env: u32, port: u32, size: u32): i32 {
  const limit = load<u32>(env + TR + 4);
  if ((load<u32>(env + TR + 8) & 0x8800) != 0x8800 || limit < 103) return 0;
  const base = load<u64>(env + TR + 16);
  const at = readable(env, 0, base + 0x66, 2);
  if (at == 0) return 0;
  const map = u32(load<u16>(at)) + (port >> 3);
  if (map + 1 > limit) return 0;
  const bits = readable(env, 0, base + map, 2);
  return bits != 0 && ((u32(load<u16>(bits)) >> (port & 7)) & ((1 << size) - 1)) == 0 ? 1 : 0;
}
