/** Layout of a block's descriptor in the machine memory, in bytes from its address (a multiple of 16). */
export const TB = {
  /** i32: address of the bytecode. */
  code: 0,
  /** i32: index of the compiled function in the table; 0 is the interpreter. */
  fn: 4,
  /** i32 × 2: descriptor of the block that each `goto_tb` slot is chained to; 0: not chained. */
  link: 8,
  /** i32: executions left until the block is hot. */
  counter: 16,
  /** i32: index in the engine's list of blocks. */
  id: 20,
  /** i32: guest instructions. */
  insns: 24,
  /** i32: number of the loop header that an entry through this block means to its region; 0: the region's head. */
  resume: 28,
  /** i64: guest address of the block. */
  pc: 32,
  /** i32: address of {@link TARGETS} × i32, low halves of the addresses it jumped to last; 0: it has no such list. */
  targets: 40,
  /** The words of its instructions, then its bytecode. */
  words: 48,
} as const;

/** Entries in a block's list of targets; a power of two. */
export const TARGETS = 64;

/** What the run loop gets when a jump-cache lookup missed. */
export const EXIT_LOOKUP = 7;
/** Smallest value that is a descriptor's address plus 1 + slot. */
export const EXIT_LINK = 64;

/** In a TLB tag: nothing is mapped; the page is not RAM; the page holds translated code (write tags). */
export const TLB_INVALID = 0x200;
export const TLB_MMIO = 0x400;
export const TLB_CODE = 0x800;
/** In what the runtime is told of a page to look for: it is to be stored to. */
export const PROBE_STORE = 4;
