/** Guest programs whose translation docs/translator.md shows. */

/** Where they are assembled. */
export const ORIGIN = 0x1000;

/** Adds up three times each of 2000 words: a loop with a load and a call. */
export const SUM = `
main:
  li   s0, 0x8000
  li   s1, 2000
  li   s2, 0
  blez s1, done
loop:
  lw   a0, 0(s0)
  jal  ra, triple
  add  s2, s2, a0
  addi s0, s0, 4
  addi s1, s1, -1
  bnez s1, loop
done:
  wfi
  j    done
triple:
  mv   t0, ra
  mv   a1, a0
  jal  ra, double
  add  a0, a0, a1
  mv   ra, t0
  ret
double:
  add  a0, a0, a0
  ret
`;

/** Adds the same double 2000 times. */
export const FLOAT = `
  li   s1, 2000
  fcvt.d.w fa0, s1
  li   a0, 3
  fcvt.d.w fa1, a0
  fdiv.d fa1, fa0, fa1
loop:
  fadd.d fa0, fa0, fa1
  addi s1, s1, -1
  bnez s1, loop
done:
  wfi
  j    done
`;
