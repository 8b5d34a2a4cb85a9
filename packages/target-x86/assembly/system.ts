/**
 * Interrupts into ring 0 and returns from it, for the shapes that operating systems use: flat segments, gates of 32 or 64
 * bits, tables and stacks that the TLB maps. Anything else is refused before anything has changed, and src/system/ does it:
 * that is where each step is explained. Sources: Intel SDM volume 3A (2023), 6.12 and 6.14; volume 2, IRET.
 */
import { cc_flags } from "./flags";

// Layout of the state block: ENV of @mimus/tcg, OFF and segOffset of src/state.ts. src/system/fast.ts compares them.
export const TB_FLAGS: u32 = 20;
export const TLB: u32 = 8192 + 65536 * 16;
const SP: u32 = 160;
const PC: u32 = 256;
const CC_DST: u32 = 264;
const CC_SRC: u32 = 272;
const CC_SRC2: u32 = 280;
const CC_OP: u32 = 288;
const DF: u32 = 292;
const EFLAGS: u32 = 296;
const PENDING: u32 = 308;
/** Deliveries are to be shown. */
const LOGGED: u32 = 3584;
export const CPL: u32 = 312;
const CR0: u32 = 320;
const CR4: u32 = 344;
const EFER: u32 = 368;
const GDT_BASE: u32 = 424;
const IDT_BASE: u32 = 432;
const GDT_LIMIT: u32 = 440;
const IDT_LIMIT: u32 = 444;
export const SEGMENTS: u32 = 512;
const CS: u32 = SEGMENTS + 24;
export const SS: u32 = SEGMENTS + 48;
export const TR: u32 = SEGMENTS + 168;

// Descriptors: present, code or data, accessed, and so on, in the second word.
export const ACCESSED: u32 = 1 << 8;
export const RW: u32 = 1 << 9;
export const CONFORMING: u32 = 1 << 10;
export const CODE: u32 = 1 << 11;
export const S: u32 = 1 << 12;
export const P: u32 = 1 << 15;
const L: u32 = 1 << 21;
export const DB: u32 = 1 << 22;
const G: u32 = 1 << 23;

// tbFlags: what follows from mode, privilege and flags, and what stays.
const CODE32: i32 = 1 << 3;
const CODE64: i32 = 2 << 3;
const SS32: i32 = 1 << 5;
const NOT_FLAT: i32 = (1 << 6) | (1 << 7) | (1 << 8);
const VM: i32 = 1 << 12;
const STAYS: i32 = (1 << 11) | (0x7f << 17) | (1 << 24) | (1 << 26);
/** The same from 32-bit code to 32-bit code: what FS and GS allow, too. */
const STAYS32: i32 = STAYS | (3 << 27);

const ARITHMETIC: i32 = 0x8d5;
const IF: i32 = 0x200;
const TF: i32 = 0x100;
const NT: i32 = 0x4000;
const RF: i32 = 0x10000;
const AC: i32 = 0x40000;
const CR4_LA57: i32 = 0x1000;
const CR4_SMAP: i32 = 0x200000;
const CR0_AM: i32 = 0x40000;
const LMA: i32 = 0x400;

/** Place in the machine memory of a location that the TLB maps for reading; 0: it does not. `bytes` must not leave the page. */
// @ts-ignore: decorator
@inline
export function readable(env: u32, mmu: u32, address: u64, bytes: u32): u32 {
  const e = env + TLB + (((mmu << 14) + (u32(address >> 12) & 16383)) << 5);
  if (load<u64>(e) != (address & ~4095) || (u32(address) & 4095) + bytes > 4096) return 0;
  return u32(address) + load<u32>(e + 24);
}

/** The same for writing. */
// @ts-ignore: decorator
@inline
function writable(env: u32, mmu: u32, address: u64, bytes: u32): u32 {
  const e = env + TLB + (((mmu << 14) + (u32(address >> 12) & 16383)) << 5);
  if (load<u64>(e + 8) != (address & ~4095) || (u32(address) & 4095) + bytes > 4096) return 0;
  return u32(address) + load<u32>(e + 24);
}

/** The TLB of data accesses at CPL 0. */
// @ts-ignore: decorator
@inline
function kernelMmu(env: u32, flags: i32): u32 {
  return (load<i32>(env + CR4) & CR4_SMAP) != 0 && (flags & AC) != 0 ? 2 : 0;
}

/** The descriptor of a selector of the GDT; 0: there is none, or it can't be read at once. */
// @ts-ignore: decorator
@inline
export function descriptor(env: u32, selector: u32): u64 {
  const offset = selector & 0xfff8;
  if ((selector & 4) != 0 || offset == 0 || offset + 7 > load<u32>(env + GDT_LIMIT)) return 0;
  const at = readable(env, 0, load<u64>(env + GDT_BASE) + offset, 8);
  return at == 0 ? 0 : load<u64>(at);
}

// @ts-ignore: decorator
@inline
export function baseOf(d: u64): u32 {
  return (u32(d >> 16) & 0xffffff) | (u32(d >> 32) & 0xff000000);
}

// @ts-ignore: decorator
@inline
export function limitOf(d: u64): u32 {
  const raw = (u32(d) & 0xffff) | (u32(d >> 32) & 0xf0000);
  return (u32(d >> 32) & G) != 0 ? (raw << 12) | 0xfff : raw;
}

// @ts-ignore: decorator
@inline
function setSegment(env: u32, at: u32, selector: u32, limit: u32, attributes: u32): void {
  store<u32>(env + at, selector);
  store<u32>(env + at + 4, limit);
  store<u32>(env + at + 8, attributes);
  store<u64>(env + at + 16, 0);
}

// @ts-ignore: decorator
@inline
function eflags(env: u32): i32 {
  const flags = cc_flags(load<i32>(env + CC_OP), load<i64>(env + CC_DST), load<i64>(env + CC_SRC), load<i64>(env + CC_SRC2));
  return load<i32>(env + EFLAGS) | flags | (load<i32>(env + DF) < 0 ? 0x400 : 0);
}

// @ts-ignore: decorator
@inline
function setEflags(env: u32, value: i32): void {
  store<i64>(env + CC_SRC, value & ARITHMETIC);
  store<i32>(env + CC_OP, 0);
  store<i32>(env + DF, (value & 0x400) != 0 ? -1 : 1);
  store<i32>(env + EFLAGS, (value & 0x3f7300) | 2);
}

/** The part of tbFlags that follows from EFLAGS and CPL. */
// @ts-ignore: decorator
@inline
function modeFlags(env: u32, flags: i32, cpl: u32): i32 {
  let tb: i32 = i32(cpl << 9) | (((flags >> 12) & 3) << 13) | ((flags & TF) != 0 ? 1 << 15 : 0);
  if (cpl != 3) return tb | i32(kernelMmu(env, flags));
  if ((load<i32>(env + CR0) & CR0_AM) != 0 && (flags & AC) != 0) tb |= 1 << 25;
  return tb | 1;
}

/**
 * Enters the handler of a vector in ring 0. `code`: the error code, -1 none; `soft`: by INT n; `rf`: to be pushed as set.
 * @returns whether it did
 */
export function enter_handler(env: u32, vector: u32, code: i32, soft: i32, rf: i32): i32 {
  if (load<i32>(env + LOGGED) != 0 && soft != 0) return 0;
  return (load<i32>(env + EFER) & LMA) != 0 ? enterLong(env, vector, code, soft, rf) : enter32(env, vector, code, soft, rf);
}

function enterLong(env: u32, vector: u32, code: i32, soft: i32, rf: i32): i32 {
  if (vector * 16 + 15 > load<u32>(env + IDT_LIMIT)) return 0;
  const gateAt = readable(env, 0, load<u64>(env + IDT_BASE) + vector * 16, 16);
  if (gateAt == 0) return 0;
  const gate = load<u64>(gateAt);
  const gateHi = u32(gate >> 32);
  const cpl = load<u32>(env + CPL);
  if ((gateHi & 0x9e00) != 0x8e00 || (soft != 0 && ((gateHi >> 13) & 3) < cpl)) return 0;
  const selector = u32(gate >> 16) & 0xffff;
  const d = descriptor(env, selector);
  const attributes = u32(d >> 32);
  const wanted = P | S | CODE | L | ACCESSED;
  if ((attributes & (wanted | CONFORMING | DB | 0x6000)) != wanted) return 0;
  const oldCs = load<u32>(env + CS + 8);
  const from64 = (oldCs & L) != 0;
  const oldSp = from64 ? load<u64>(env + SP) : load<u64>(env + SP) & 0xffffffff;
  const ist = gateHi & 7;
  let sp = oldSp;
  if (ist != 0 || cpl != 0) {
    const offset: u32 = ist != 0 ? 28 + 8 * ist : 4;
    if (offset + 7 > load<u32>(env + TR + 4)) return 0;
    const at = readable(env, 0, load<u64>(env + TR + 16) + offset, 8);
    if (at == 0) return 0;
    sp = load<u64>(at);
  }
  sp = (sp & ~15) - 40;
  const bytes: u32 = code >= 0 ? 48 : 40;
  const bottom = code >= 0 ? sp - 8 : sp;
  const flags = eflags(env);
  const frame = writable(env, kernelMmu(env, flags), bottom, bytes);
  if (frame == 0) return 0;
  const offset = (gate & 0xffff) | ((gate >> 32) & 0xffff0000) | (load<u64>(gateAt + 8) << 32);
  const spare: u64 = (load<i32>(env + CR4) & CR4_LA57) != 0 ? 7 : 16;
  if (u64(i64(offset << spare) >> spare) != offset) return 0;

  let at = frame;
  if (code >= 0) {
    store<u64>(at, code);
    at += 8;
  }
  const pc = load<u64>(env + PC);
  store<u64>(at, from64 ? pc : u64(u32(pc) - load<u32>(env + CS + 16)));
  store<u64>(at + 8, load<u32>(env + CS));
  store<u64>(at + 16, u64(flags | (rf != 0 ? RF : 0)));
  store<u64>(at + 24, oldSp);
  store<u64>(at + 32, load<u32>(env + SS));
  let now = load<i32>(env + EFLAGS) & ~(TF | NT | RF | 0x20000);
  if ((gateHi & 0x100) == 0) now &= ~IF;
  store<i32>(env + EFLAGS, now);
  if (cpl != 0) setSegment(env, SS, 0, 0xffffffff, P | S | RW | DB | G);
  setSegment(env, CS, selector & 0xfffc, limitOf(d), attributes & 0xffff00);
  store<u32>(env + CPL, 0);
  store<u64>(env + SP, bottom);
  store<u64>(env + PC, offset);
  store<i32>(env + TB_FLAGS, (load<i32>(env + TB_FLAGS) & STAYS) | CODE64 | modeFlags(env, now, 0));
  return 1;
}

/** Flat segments of 32 bits before and after. */
function enter32(env: u32, vector: u32, code: i32, soft: i32, rf: i32): i32 {
  const tb = load<i32>(env + TB_FLAGS);
  if ((tb & (CODE32 | CODE64 | SS32 | NOT_FLAT | VM | (1 << 11))) != (CODE32 | SS32 | (1 << 11))) return 0;
  if (vector * 8 + 7 > load<u32>(env + IDT_LIMIT)) return 0;
  const gateAt = readable(env, 0, u64(load<u32>(env + IDT_BASE) + vector * 8), 8);
  if (gateAt == 0) return 0;
  const gate = load<u64>(gateAt);
  const gateHi = u32(gate >> 32);
  const cpl = load<u32>(env + CPL);
  if ((gateHi & 0x9e00) != 0x8e00 || (soft != 0 && ((gateHi >> 13) & 3) < cpl)) return 0;
  const selector = u32(gate >> 16) & 0xffff;
  const d = descriptor(env, selector);
  if (!flat32(d, P | S | CODE | DB | ACCESSED, 0)) return 0;
  const oldSp = load<u32>(env + SP);
  let sp = oldSp;
  let ss: u32 = 0;
  let stack: u64 = 0;
  if (cpl != 0) {
    if ((load<u32>(env + TR + 8) & 0x800) == 0 || load<u32>(env + TR + 4) < 9) return 0;
    const at = readable(env, 0, u64(load<u32>(env + TR + 16) + 4), 8);
    if (at == 0) return 0;
    sp = load<u32>(at);
    ss = load<u32>(at + 4) & 0xffff;
    stack = descriptor(env, ss);
    if ((ss & 3) != 0 || !flat32(stack, P | S | RW | DB | ACCESSED, 0)) return 0;
  }
  const bytes: u32 = (code >= 0 ? 16 : 12) + (cpl != 0 ? 8 : 0);
  const bottom = sp - bytes;
  const flags = eflags(env);
  const frame = writable(env, kernelMmu(env, flags), u64(bottom), bytes);
  if (frame == 0) return 0;

  let at = frame;
  if (code >= 0) {
    store<i32>(at, code);
    at += 4;
  }
  store<u32>(at, load<u32>(env + PC));
  store<u32>(at + 4, load<u32>(env + CS));
  store<i32>(at + 8, flags | (rf != 0 ? RF : 0));
  if (cpl != 0) {
    store<u32>(at + 12, oldSp);
    store<u32>(at + 16, load<u32>(env + SS));
    setSegment(env, SS, ss, 0xffffffff, u32(stack >> 32) & 0xffff00);
  }
  let now = load<i32>(env + EFLAGS) & ~(TF | NT | RF | 0x20000);
  if ((gateHi & 0x100) == 0) now &= ~IF;
  store<i32>(env + EFLAGS, now);
  setSegment(env, CS, selector & 0xfffc, 0xffffffff, u32(d >> 32) & 0xffff00);
  store<u32>(env + CPL, 0);
  store<u64>(env + SP, u64(bottom));
  store<u64>(env + PC, u64((u32(gate) & 0xffff) | (gateHi & 0xffff0000)));
  store<i32>(env + TB_FLAGS, (tb & STAYS32) | CODE32 | SS32 | modeFlags(env, now, 0));
  return 1;
}

/** A descriptor of 4 GiB at 0 with these bits and this privilege level. */
// @ts-ignore: decorator
@inline
function flat32(d: u64, wanted: u32, dpl: u32): bool {
  const hi = u32(d >> 32);
  const mask: u32 = P | S | CODE | CONFORMING | L | DB | ACCESSED | 0x6000 | ((wanted & CODE) != 0 ? 0 : RW);
  return (hi & mask) == (wanted | (dpl << 13)) && baseOf(d) == 0 && limitOf(d) == 0xffffffff;
}

/** The data segments are none of an inner ring's, which a return to CPL 3 would have to drop. */
function dataStays(env: u32): bool {
  for (let n: u32 = 0; n < 6; n++) {
    if (n == 1 || n == 2) continue;
    const at = env + SEGMENTS + 24 * n;
    if ((load<u32>(at) & 0xfffc) != 0 && (load<u32>(at + 8) & 0x6000) != 0x6000) return false;
  }
  return true;
}

/** IRET of 64-bit code at CPL 0 to 64-bit code, or of flat 32-bit code to such. @returns whether it did */
export function return_from_handler(env: u32, width: u32): i32 {
  if (load<u32>(env + CPL) != 0 || (load<i32>(env + EFLAGS) & NT) != 0) return 0;
  if (width == 8) return returnLong(env);
  return width == 4 && (load<i32>(env + EFER) & LMA) == 0 ? return32(env) : 0;
}

/** Bits of EFLAGS that IRET loads at CPL 0, but VM. */
const LOADED: i32 = 0x3d7fd5;

function returnLong(env: u32): i32 {
  const sp = load<u64>(env + SP);
  const old = load<i32>(env + EFLAGS);
  const frame = readable(env, kernelMmu(env, old), sp, 40);
  if (frame == 0) return 0;
  const ip = load<u64>(frame);
  const selector = load<u32>(frame + 8) & 0xffff;
  const ss = load<u32>(frame + 32) & 0xffff;
  const rpl = selector & 3;
  const d = descriptor(env, selector);
  const attributes = u32(d >> 32);
  const wanted = P | S | CODE | L | ACCESSED;
  if ((attributes & (wanted | CONFORMING | DB | 0x6000)) != (wanted | (rpl << 13))) return 0;
  const spare: u64 = (load<i32>(env + CR4) & CR4_LA57) != 0 ? 7 : 16;
  if (u64(i64(ip << spare) >> spare) != ip || (ss & 3) != rpl) return 0;
  let stack: u64 = 0;
  if ((ss & 0xfffc) == 0) {
    if (rpl == 3) return 0;
  } else {
    stack = descriptor(env, ss);
    const data = P | S | RW | ACCESSED;
    if ((u32(stack >> 32) & (data | CODE | 0x6000)) != (data | (rpl << 13))) return 0;
  }
  if (rpl != 0 && (rpl != 3 || !dataStays(env))) return 0;
  const flags = load<i32>(frame + 16) & LOADED;
  const newSp = load<u64>(frame + 24);
  setEflags(env, flags);
  setSegment(env, CS, selector, limitOf(d), attributes & 0xffff00);
  if (stack == 0) setSegment(env, SS, ss, 0xffffffff, P | S | RW | DB | G);
  else {
    setSegment(env, SS, ss, limitOf(stack), u32(stack >> 32) & 0xffff00);
    store<u64>(env + SS + 16, u64(baseOf(stack)));
  }
  store<u32>(env + CPL, rpl);
  store<u64>(env + SP, newSp);
  store<u64>(env + PC, ip);
  store<i32>(env + PENDING, load<i32>(env + PENDING) & ~32);
  store<i32>(env + TB_FLAGS, (load<i32>(env + TB_FLAGS) & STAYS) | CODE64 | modeFlags(env, flags, rpl));
  return 1;
}

function return32(env: u32): i32 {
  const tb = load<i32>(env + TB_FLAGS);
  if ((tb & (CODE32 | CODE64 | SS32 | NOT_FLAT | VM | (1 << 11))) != (CODE32 | SS32 | (1 << 11))) return 0;
  const sp = load<u32>(env + SP);
  const old = load<i32>(env + EFLAGS);
  const mmu = kernelMmu(env, old);
  let frame = readable(env, mmu, u64(sp), 12);
  if (frame == 0) return 0;
  const selector = load<u32>(frame + 4) & 0xffff;
  const raw = load<i32>(frame + 8);
  const rpl = selector & 3;
  const d = descriptor(env, selector);
  if ((raw & 0x20000) != 0 || (rpl != 0 && rpl != 3) || !flat32(d, P | S | CODE | DB | ACCESSED, rpl)) return 0;
  let newSp = sp + 12;
  if (rpl == 3) {
    frame = readable(env, mmu, u64(sp), 20);
    if (frame == 0 || !dataStays(env)) return 0;
    const ss = load<u32>(frame + 16) & 0xffff;
    const stack = descriptor(env, ss);
    if ((ss & 3) != 3 || !flat32(stack, P | S | RW | DB | ACCESSED, 3)) return 0;
    newSp = load<u32>(frame + 12);
    setSegment(env, SS, ss, 0xffffffff, u32(stack >> 32) & 0xffff00);
  }
  const ip = load<u32>(frame);
  const flags = raw & LOADED;
  setEflags(env, flags);
  setSegment(env, CS, selector, 0xffffffff, u32(d >> 32) & 0xffff00);
  store<u32>(env + CPL, rpl);
  store<u64>(env + SP, u64(newSp));
  store<u64>(env + PC, u64(ip));
  store<i32>(env + PENDING, load<i32>(env + PENDING) & ~32);
  store<i32>(env + TB_FLAGS, (tb & STAYS32) | CODE32 | SS32 | modeFlags(env, flags, rpl));
  return 1;
}
