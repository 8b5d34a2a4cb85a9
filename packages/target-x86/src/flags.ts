/**
 * Lazy flags: instead of CF, PF, AF, ZF, SF and OF the state holds the operation that they came from and its operands.
 *
 * `ccOp` is `base + log2(size)` where the kind depends on the size (1, 2, 4, 8 bytes). `ccDst` is the result, `ccSrc` and
 * `ccSrc2` as each kind says. Values in them are not extended: only the low `size` bytes count.
 */
export const CC = {
  /** The flags themselves, in ccSrc, as EFLAGS has them. */
  eflags: 0,
  /** CF PF AF ZF SF OF all 0 but ZF and PF: result 0 (xor r, r). */
  clear: 1,
  /** CF from ccSrc2 (0 or 1), the others from eflags in ccSrc. ADCX. */
  adcx: 2,
  /** OF from ccSrc2 (0 or 1), the others from eflags in ccSrc. ADOX. */
  adox: 3,
  /** ADD: dst = result, src = second operand. */
  add: 4,
  /** ADC: src2 = carry in (0 or 1). */
  adc: 8,
  /** SUB, CMP: dst = result, src = second operand (the subtrahend). */
  sub: 12,
  /** SBB: src2 = borrow in. */
  sbb: 16,
  /** AND, OR, XOR, TEST: CF = OF = AF = 0. */
  logic: 20,
  /** INC, DEC: CF in src (0 or 1). */
  inc: 24,
  dec: 28,
  /** Left shifts: CF is bit size-1 of src = operand shifted by count-1. AF, which is undefined, is 1 as on AMD's Zen. */
  shl: 32,
  /** Right shifts: CF is bit 0 of src = operand shifted by count-1; OF is set where the two highest bits of the result differ. */
  sar: 36,
  /** MUL, IMUL: CF = OF = (src != 0). */
  mul: 40,
  /** BLSI, BLSR, BLSMSK style: CF = (src == 0), OF = 0. */
  bmi: 44,
  /** LZCNT, TZCNT: CF = (src == 0), ZF by the result. */
  count: 48,
  /** POPCNT: ZF only. */
  popcnt: 52,
  /**
   * INC or DEC after ADD or SUB, with CF still theirs: result of the INC in src2, the others in dst and src. 64 + log2(size)
   * of the INC + 4 if it is a DEC + 8 × log2(size) of the other + 32 if that is a SUB.
   */
  step: 64,
  /** ORed to kinds that don't use src2: CF is src2 (0 or 1). BT, STC, ADCX. */
  carry: 128,
} as const;
