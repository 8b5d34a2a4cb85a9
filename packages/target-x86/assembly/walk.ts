/**
 * Page walks of loads and stores, for what programs and kernels do all the time: tables and pages in RAM, entries without reserved
 * bits. Anything else is refused before anything has changed, and src/mmu/walk.ts does it: that is where each step is explained.
 * Sources: Intel SDM volume 3A (2023), chapter 4.
 */
import { TB_FLAGS, TLB } from "./system";

// Layout of the state block: ENV of @mimus/tcg, OFF of src/state.ts. src/system/fast.ts compares them.
const EXCEPTION: u32 = 8;
const LINES: u32 = 88;
const FILLS: u32 = 92;
/** Behind the TLBs of three mmu indexes. */
const FILL_LIST: u32 = TLB + 3 * 16384 * 32;
const MOST_FILLS: u32 = 512;
const ERROR_CODE: u32 = 300;
const SOFT_LENGTH: u32 = 304;
const FAULT_ADDRESS: u32 = 2376;
const KIND: u32 = 3976;
const MODE: u32 = 3980;
const ROOT: u32 = 3984;
const RESERVED: u32 = 3992;
const RAM_FIRST: u32 = 4000;
const RAM_PAGES: u32 = 4004;
const RAM_PLACE: u32 = 4008;

const LEGACY: u32 = 1;
const PAE: u32 = 2;
const LONG: u32 = 3;

const WP: u32 = 1;
const SMEP: u32 = 2;
const SMAP: u32 = 4;
const PGE: u32 = 8;
const PSE: u32 = 16;
const GIGABYTE: u32 = 32;

const P: u32 = 1;
const W: u32 = 2;
const U: u32 = 4;
const A: u32 = 32;
const D: u32 = 64;
const PS: u32 = 128;
const G: u32 = 256;

const STORE: u32 = 1;
const USER: u32 = 1;
const TLB_CODE: u64 = 0x800;
const BREAKPOINTS: i32 = 1 << 24;
const PF: i32 = 14;

const REFUSED: i32 = 0;
const FILLED: i32 = 1;
const RAISED: i32 = 2;

/** Place in the machine memory of a page of RAM, by its physical address; 0: not known to be one. */
// @ts-ignore: decorator
@inline
function ram(env: u32, physical: u64): u32 {
  const page = (physical >> 12) - u64(load<u32>(env + RAM_FIRST));
  return page < u64(load<u32>(env + RAM_PAGES)) ? load<u32>(env + RAM_PLACE) + (u32(page) << 12) : 0;
}

/** The page at a place in the machine memory may hold translated code. */
// @ts-ignore: decorator
@inline
function hasCode(env: u32, place: u32): bool {
  return load<u64>(load<u32>(env + LINES) + ((place >> 12) << 3)) != 0;
}

/** `code`: bit P of the error code. */
function fault(env: u32, address: u64, access: u32, mmu: u32, code: u32): i32 {
  store<u32>(env + ERROR_CODE, code | (access == STORE ? 2 : 0) | (mmu == USER ? 4 : 0));
  store<u32>(env + SOFT_LENGTH, 0);
  store<u64>(env + FAULT_ADDRESS, address);
  store<i32>(env + EXCEPTION, PF + 1);
  return RAISED;
}

/**
 * The entry of the TLB for a load (`access` 0) or store (1) of up to `bytes`. `entry`: place of the last paging-structure entry, `low` its low
 * word, `rights` the AND of all; `page`: physical address of the 4 KiB; the mapping has 2^`bits` bytes.
 */
// @ts-ignore: decorator
@inline
function leaf(
  env: u32, address: u64, access: u32, mmu: u32, entry: u32, low: u32, rights: u32, nx: bool, page: u64, bits: u32,
): i32 {
  const mode = load<u32>(env + MODE);
  let prot: u32;
  if (mmu == USER) prot = (rights & U) != 0 ? ((rights & W) != 0 ? 7 : 5) : 0;
  else {
    prot = (rights & W) != 0 || (mode & WP) == 0 ? 7 : 5;
    if ((rights & U) != 0) {
      if ((mode & SMAP) != 0 && mmu == 0) prot = 4;
      if ((mode & SMEP) != 0) prot &= 3;
    }
  }
  if (nx) prot &= 3;
  if ((prot & (1 << access)) == 0) return fault(env, address, access, mmu, P);
  const place = ram(env, page);
  if (place == 0) return REFUSED;
  const wanted = access == STORE ? A | D : A;
  if ((low & wanted) != wanted) {
    if (hasCode(env, entry)) return REFUSED;
    store<u32>(entry, low | wanted);
  }
  if (access != STORE && (low & D) == 0) prot &= 5;
  const n = (mmu << 14) + (u32(address >> 12) & 16383);
  const at = env + TLB + (n << 5);
  const tag = address & ~4095;
  store<u64>(at, (prot & 1) != 0 ? tag : -1);
  store<u64>(at + 8, (prot & 2) == 0 ? -1 : hasCode(env, place) ? tag | TLB_CODE : tag);
  store<u64>(at + 16, (prot & 4) != 0 ? tag : -1);
  store<u32>(at + 24, place - u32(tag));
  store<u32>(at + 28, (mode & PGE) != 0 && (low & G) != 0 ? 1 : 0);
  const count = load<u32>(env + FILLS);
  store<u32>(env + FILL_LIST + (count << 3), n | ((bits - 12) << 24));
  store<u32>(env + FILL_LIST + (count << 3) + 4, u32(page >> 12));
  store<u32>(env + FILLS, count + 1);
  return FILLED;
}

/** Entries of 64 bits. */
function walk64(env: u32, address: u64, access: u32, mmu: u32, root: u64, levels: u32): i32 {
  const reserved = load<u64>(env + RESERVED);
  let table = root;
  let rights: u32 = W | U;
  let nx: u64 = 0;
  for (let level = levels - 1; ; level--) {
    const place = ram(env, table);
    if (place == 0) return REFUSED;
    const at = place + ((u32(address >> (12 + 9 * level)) & 511) << 3);
    const entry = load<u64>(at);
    const low = u32(entry);
    if ((low & P) == 0) return fault(env, address, access, mmu, 0);
    if ((entry & reserved) != 0) return REFUSED;
    rights &= low;
    nx |= entry;
    if (level != 0 && (low & PS) == 0) {
      if ((low & A) == 0) return REFUSED;
      table = entry & 0x000f_ffff_ffff_f000;
      continue;
    }
    const inside = (u64(4096) << (9 * level)) - 1;
    if (level != 0) {
      if (level > 2 || (level == 2 && (load<u32>(env + MODE) & GIGABYTE) == 0)) return REFUSED;
      if ((entry & inside & ~0x1fff) != 0) return REFUSED;
    }
    const page = (entry & 0x000f_ffff_ffff_f000 & ~inside) | (address & inside & ~4095);
    return leaf(env, address, access, mmu, at, low, rights, i64(nx) < 0, page, 12 + 9 * level);
  }
  return REFUSED;
}

/** Entries of 32 bits. */
function walk32(env: u32, address: u64, access: u32, mmu: u32): i32 {
  const directory = ram(env, load<u64>(env + ROOT));
  if (directory == 0) return REFUSED;
  const at = directory + ((u32(address) >> 22) << 2);
  const pde = load<u32>(at);
  if ((pde & P) == 0) return fault(env, address, access, mmu, 0);
  if ((pde & PS) != 0 && (load<u32>(env + MODE) & PSE) != 0) {
    if ((pde & 0x3f_e000) != 0) return REFUSED;
    const page = u64((pde & 0xffc0_0000) | (u32(address) & 0x3f_f000));
    return leaf(env, address, access, mmu, at, pde, pde, false, page, 22);
  }
  if ((pde & A) == 0) return REFUSED;
  const table = ram(env, u64(pde & 0xffff_f000));
  if (table == 0) return REFUSED;
  const entry = table + (((u32(address) >> 12) & 1023) << 2);
  const pte = load<u32>(entry);
  if ((pte & P) == 0) return fault(env, address, access, mmu, 0);
  return leaf(env, address, access, mmu, entry, pte, pde & pte, false, u64(pte & 0xffff_f000), 12);
}

/** Walks for a load (`access` 0) or a store (1) of 2^`log2` bytes. @returns WALK of @mimus/tcg */
export function fill_tlb(env: u32, address: u64, access: u32, mmu: u32, log2: u32): i32 {
  const kind = load<u32>(env + KIND);
  if (kind == 0 || load<u32>(env + FILLS) == MOST_FILLS) return REFUSED;
  if ((u32(address) & 4095) + (1 << log2) > 4096 || (load<i32>(env + TB_FLAGS) & BREAKPOINTS) != 0) return REFUSED;
  if (kind == LONG) {
    if (u64(i64(address << 16) >> 16) != address) return REFUSED;
    return walk64(env, address, access, mmu, load<u64>(env + ROOT), 4);
  }
  if (address >> 32 != 0) return REFUSED;
  if (kind == LEGACY) return walk32(env, address, access, mmu);
  // The four entries at CR3 have no access rights.
  const root = load<u64>(env + ROOT);
  const place = ram(env, root);
  if (place == 0) return REFUSED;
  const entry = load<u64>(place + (u32(root) & 4095) + ((u32(address) >> 30) << 3));
  if ((u32(entry) & P) == 0) return fault(env, address, access, mmu, 0);
  if ((entry & (0x1e6 | 0xfff0_0000_0000_0000 | load<u64>(env + RESERVED))) != 0) return REFUSED;
  return walk64(env, address, access, mmu, entry & 0x000f_ffff_ffff_f000, 2);
}
