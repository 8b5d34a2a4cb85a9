/**
 * How encodings are written down: the notation of the Intel SDM, volume 2 (2023), 3.1.1 and appendix A.2, in rows.
 *
 * **`enc`**, tokens parted by blanks, in this order:
 *
 * | Token | |
 * |---|---|
 * | `NP`, `66`, `F3`, `F2` | mandatory prefix, first: none of the three; 66 without F3 and F2; F3 or F2, the last of the two (66 then is the operand size) |
 * | `NFx` | neither F3 nor F2; 66 is the operand size. No such token at all: 66 is the operand size, F3 and F2 are `Insn.rep` |
 * | `REX.W` or `W1`, `W0` | REX.W is set, is clear |
 * | `0F 38 F0` | opcode bytes in hexadecimal; one byte more than the map has is the whole ModRM byte: `0F 01 C1`, `D9 E8` |
 * | `58+r`, `70+cc` | on the last opcode byte: a register in its low 3 bits, a condition in its low 4 |
 * | `/r`, `/0` … `/7` | ModRM follows; its reg field is an operand, is this digit; `/r:m`, `/3:m` memory only, `/r:r`, `/3:r` register only |
 * | `ib iw id iz iv io cb cz cp mo is4` | immediate, displacement, far pointer, memory offset; may be left out where an operand tells |
 *
 * `VEX.128.66.0F38.W0 00 /r ib`: `VEX.`, then in any order: the length `128` (`L0`, `LZ`), `256` (`L1`), `LIG` (ignored) or
 * `L?` (both: operands of type x follow it), `NP` `66` `F3` `F2`, the map `0F` `0F38` `0F3A`, and `W0` `W1` `WIG`;
 * `NDS` and the like may be there and mean nothing: VEX.vvvv must be 1111b where no operand is a B or H.
 *
 * **`operands`**, destination first, parted by commas: a letter for where it is, then the type:
 *
 * | Letter | |
 * |---|---|
 * | `E`, `M`, `R` | ModRM.rm: general register or memory, memory alone, register alone |
 * | `G`, `B`, `Z` | general register by ModRM.reg, by VEX.vvvv, by the opcode (`+r`) |
 * | `W`, `U`, `V`, `H`, `L` | vector register or memory by ModRM.rm, register alone by ModRM.rm, by ModRM.reg, by VEX.vvvv, by bits 7:4 of the immediate |
 * | `Q`, `N`, `P` | MMX register or memory by ModRM.rm, register alone by ModRM.rm, by ModRM.reg |
 * | `S`, `C`, `D` | segment, control, debug register by ModRM.reg |
 * | `I`, `J`, `A`, `O` | immediate (`Ib` zero-extended, `Ibs` sign-extended to the operand size), branch displacement, far pointer, memory offset |
 * | `X`, `Y` | memory at (E/R)SI, at ES:(E/R)DI |
 * | `AL CL AH DX AX eAX rAX ES CS SS DS FS GS XMM0 ST ST0 STi 1` | that register, x87 register by ModRM.rm, the constant 1 |
 *
 * `Rv/Mw`: the first where ModRM names a register, the second where it names memory.
 *
 * | Type | Bytes |
 * |---|---|
 * | `b w d q t dq qq` | 1, 2, 4, 8, 10, 16, 32 |
 * | `v`, `z`, `y` | operand size; the same but 4 for 8; the same but 4 for 2 |
 * | `x`, `hx`, `qx`, `ex` | vector length (16 without VEX), a half, a fourth, an eighth of it |
 * | `ps pd`, `ss sd si`, `pi` | as x; 4, 8, 4; 8 |
 * | `p`, `s`, `a` | far pointer in memory, pseudo-descriptor, pair for BOUND: size 0 |
 * | none | size 0: the instruction alone knows |
 *
 * An operand of type b by a number is AL, CL, DL, BL, AH, CH, DH, BH without REX. A vector operand below 32 bytes is an
 * xmm register.
 *
 * **`flags`**, words parted by blanks: {@link TRAITS}.
 */
import type { Encoding } from "../insn.ts";

/** Bits of `Insn.traits`, by the words of a row's `flags`. */
export const TRAITS = {
  /** #UD in 64-bit mode. */
  i64: 1 << 0,
  /** Only in 64-bit mode. */
  o64: 1 << 1,
  /** In 64-bit mode the operand size is 64, with 66 it is 16. */
  d64: 1 << 2,
  /** In 64-bit mode the operand size is 64. */
  f64: 1 << 3,
  /** LOCK is allowed where operand 0 is memory. */
  lock: 1 << 4,
  /** REP repeats it (F3 or F2). */
  rep: 1 << 5,
  /** F3 and F2 repeat it while ZF is, is not set. */
  repz: 1 << 6,
  /** #UD in real and virtual-8086 mode (every row with VEX is one). */
  prot: 1 << 7,
  /** #GP(0) unless CPL is 0 (virtual-8086 mode has CPL 3). */
  cpl0: 1 << 8,
  /** The index of the memory operand is a vector register; #UD without SIB. */
  vsib: 1 << 9,
  /** A second way to write another row: the disassembler and people write that one. */
  alias: 1 << 10,
  /** VEX.vvvv, W and L as in VEX rows: set by the compiler of the tables. */
  vex: 1 << 11,
  /** Memory operands must be aligned to their size, or #GP(0): legacy SSE, and the aligned moves of AVX. */
  aligned: 1 << 12,
} as const;

/** A word of `flags`. */
export type Trait = keyof typeof TRAITS;

/** Rows as they are written; the names of the rows are kept as a type, so that `Translators` can be checked. */
export function defineRows<const R extends readonly Encoding[]>(rows: R): R {
  return rows;
}
