/** A decoded instruction: what the decoder makes and translators, disassembler and tests read. */

/** Kinds of operand. */
export const OPERAND = {
  none: 0,
  /** General register `n`, `size` bytes; `high`: AH, CH, DH, BH are n 0..3. */
  reg: 1,
  /** Memory at `Insn.mem`; `size` is 0 where the instruction alone knows (LEA, INVLPG, FXSAVE, ...). */
  mem: 2,
  /** `Insn.immLo`/`immHi`, sign- or zero-extended to 64 bits as the encoding says. */
  imm: 3,
  /** The second immediate: ENTER's level, the register of VEX /is4 is a `vec`. */
  imm2: 4,
  /** Branch displacement in immLo/immHi, sign-extended. */
  rel: 5,
  /** Far pointer: offset in immLo, selector in imm2. */
  far: 6,
  /** Segment, control, debug register `n`. */
  seg: 7,
  cr: 8,
  dr: 9,
  /** x87 stack register ST(n). */
  st: 10,
  /** MMX register `n`. */
  mm: 11,
  /** Vector register `n`; size 4, 8 (scalar), 16 or 32. */
  vec: 12,
  /** The constant `n` (shift by 1). */
  one: 13,
} as const;
/** A value of {@link OPERAND}. */
export type OperandKind = (typeof OPERAND)[keyof typeof OPERAND];

/** One operand. */
export interface Operand {
  kind: OperandKind;
  /** Bytes: 1, 2, 4, 8, 10, 16, 32; 0 unknown. */
  size: number;
  /** Register number, REX, VEX included. */
  n: number;
  /** AH, CH, DH, BH (n 0..3). */
  high: boolean;
}

/** A memory operand. */
export interface MemoryOperand {
  /** Segment in force: default or override, SEG.es..SEG.gs. */
  seg: number;
  /** Register 0..15; -1 none; -2 the address of the next instruction (RIP-relative). */
  base: number;
  /** Register 0..15; -1 none. */
  index: number;
  /** 0..3: shift of the index. */
  scale: number;
  /** Displacement, sign-extended from its 8, 16 or 32 bits; `dispHi` holds the high half of a 64-bit one (moffs), else its sign. */
  disp: number;
  dispHi: number;
}

/** One row of an encoding table. */
export interface Encoding<Name extends string = string> {
  /** Which translator: a mnemonic in lower case, as the SDM spells it; forms that differ in nothing but operands share it. */
  readonly name: Name;
  /** The encoding in the notation of the SDM (volume 2, 3.1.1.1): see decode/README section of the package. */
  readonly enc: string;
  /** Operands in the notation of the SDM, volume 2, appendix A.2: "Eb,Gb". */
  readonly operands: string;
  /** CPUID feature that it needs, by QEMU's name of the property ("sse4.1", "avx2"); absent: all CPUs. */
  readonly feature?: string;
  /** Words: "i64" invalid in 64-bit mode, "o64" only in 64-bit mode, "d64"/"f64" operand size 64 by default/always, "lock" may have LOCK,
   *  "rep"/"repz" REP means something, "prot" #UD in real and virtual-8086 mode, ... */
  readonly flags?: string;
  /** What the disassembler prints where it isn't `name`: `%c` is the condition, `%s` the AT&T suffix of the operand size. */
  readonly text?: string;
}

/** One instruction. The decoder reuses the object. */
export interface Insn {
  encoding: Encoding;
  /** Index of the row in `decode/index.ts`: what tables of translators are indexed by. */
  row: number;
  /** The row's flags, bits of `TRAITS` in decode/notation.ts. */
  traits: number;
  /** Bytes, 1..15. */
  length: number;
  /** Code size, bits. */
  mode: 16 | 32 | 64;
  /** Operand size, bytes: what "v" operands have. */
  opSize: 2 | 4 | 8;
  /** Address size, bytes. */
  adSize: 2 | 4 | 8;
  lock: boolean;
  /** 0, 0xf2, 0xf3: the last of the two, when it is no part of the opcode. */
  rep: number;
  rexW: boolean;
  /** Segment override as written, -1 none. */
  segment: number;
  /** The last opcode byte, and the ModRM byte (-1 none). */
  opcode: number;
  modrm: number;
  /** VEX: vector length in bytes (16, 32), 0 without VEX. */
  vex: 0 | 16 | 32;
  operands: [Operand, Operand, Operand, Operand];
  operandCount: number;
  mem: MemoryOperand;
  immLo: number;
  immHi: number;
  imm2: number;
}
