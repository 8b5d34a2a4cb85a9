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
  /** i64: guest address of the block. */
  pc: 32,
  /** The words of its instructions, then its bytecode. */
  words: 48,
} as const;

/** What the run loop gets when a jump-cache lookup missed. */
export const EXIT_LOOKUP = 7;
/** Smallest value that is a descriptor's address plus 1 + slot. */
export const EXIT_LINK = 64;

/** In a TLB tag: nothing is mapped; the page is not RAM; the page holds translated code (write tags). */
export const TLB_INVALID = 0x200;
export const TLB_MMIO = 0x400;
export const TLB_CODE = 0x800;
