/** Programs that change code, their own or others', while it is hot. Each prints numbers that do not depend on time. */

/** An instruction of the inner loop gets another operand in each round; the loop has a branch, so that it is several blocks. */
const PATCH_LOOP = `
main:
  li s0, 300            # rounds
  li s1, 0              # sum
  la s2, patched
  lw s3, (s2)           # addi s1, s1, 0
1:
  slli t0, s0, 20
  add t0, t0, s3
  sw t0, (s2)
  fence.i
  li t1, 200
2:
  andi t2, t1, 3
  beqz t2, 3f
patched:
  addi s1, s1, 0
3:
  slli t3, s1, 1
  xor s1, s1, t3
  addi t1, t1, -1
  bnez t1, 2b
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s1
  j done
`;

/** A loop that rewrites an instruction of itself, ahead of and behind the store, every so many turns. */
const PATCH_SELF = `
main:
  li s0, 20000
  li s1, 0
  la s2, ahead
  la s4, behind
  lw s3, (s2)
1:
behind:
  addi s1, s1, 0
  andi t0, s0, 63
  bnez t0, 2f
  andi t1, s0, 1023
  slli t1, t1, 20
  add t1, t1, s3
  andi t2, s0, 64
  beqz t2, 3f
  sw t1, (s2)
  j 4f
3:
  sw t1, (s4)
4:
  fence.i
2:
ahead:
  addi s1, s1, 0
  slli t3, s1, 3
  xor s1, s1, t3
  add s1, s1, s0
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s1
  j done
`;

/** Code and the data that it writes share a page, and a cache line. */
const DATA_BY_CODE = `
main:
  li s0, 30000
  la s1, data
1:
  lw t0, (s1)
  addi t0, t0, 3
  andi t1, t0, 1
  beqz t1, 2f
  sw t0, 4(s1)
2:
  sw t0, (s1)
  addi s0, s0, -1
  bnez s0, 1b
  lwu s2, (s1)
  lwu s3, 4(s1)
  PRINT s2
  PRINT s3
  j done
.balign 8
data: .word 1, 0
`;

/** A function of one page is rewritten from another page, between calls: directly, and by a copy loop. */
const OVERWRITE_FUNCTION = `
main:
  li s0, 400
  li s1, 1
  la s5, function
1:
  andi t0, s0, 1
  la t1, first
  beqz t0, 2f
  la t1, second
2:
  mv t2, s5
  li t3, 16
3:
  lw t4, (t1)
  sw t4, (t2)
  addi t1, t1, 4
  addi t2, t2, 4
  addi t3, t3, -1
  bnez t3, 3b
  fence.i
  li s2, 50
4:
  mv a0, s1
  jalr s5
  mv s1, a0
  addi s2, s2, -1
  bnez s2, 4b
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s1
  j done
first:
  li t0, 5
1: slli t1, a0, 1
  xor a0, a0, t1
  addi t0, t0, -1
  bnez t0, 1b
  addi a0, a0, 7
  ret
.balign 64
second:
  li t0, 9
1: add a0, a0, t0
  addi t0, t0, -1
  bgtz t0, 1b
  ret
.balign 64
.zero 64
.balign 4096
.zero 256
function:
.zero 256
`;

/** Generates functions without end, each on a place of its own in a ring of pages, and calls each a few hundred times. */
const generate = (functions: number, ring: number): string => `
main:
  li s0, ${functions}
  li s1, 0                 # sum
  li s2, 0x80200000
  li s3, 0                 # place in the ring
  la s5, template
1:
  add s4, s2, s3
  lw t0, (s5)              # addi a0, a0, 0
  andi t1, s0, 1023
  slli t1, t1, 20
  add t0, t0, t1
  li t2, 12
  mv t3, s4
2: sw t0, (t3)
  addi t3, t3, 4
  addi t2, t2, -1
  bnez t2, 2b
  lw t0, 4(s5)      # loop: addi a1, a1, -1; bnez a1, back; ret
  sw t0, (t3)
  lw t0, 8(s5)
  sw t0, 4(t3)
  lw t0, 12(s5)
  sw t0, 8(t3)
  fence.i
  li a0, 0
  li a1, 40
  jalr s4
  add s1, s1, a0
  slli t0, s1, 1
  xor s1, s1, t0
  li t0, 0x400
  add s3, s3, t0
  li t0, ${ring}
  bltu s3, t0, 3f
  li s3, 0
3:
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s1
  j done
.balign 4
template:
  addi a0, a0, 0
  addi a1, a1, -1
  bnez a1, template - 40
  ret
`;

/** For two harts: one patches the function that the other one calls without end, and has it do an instruction fence. */
export const OTHER_HART = `
main:
  csrr t0, mhartid
  la s2, shared            # acknowledged, latest result
  la s3, function
  bnez t0, caller
  lw s4, (s3)
  li s5, 1
1:
  slli t0, s5, 20
  add t0, t0, s4
  sw t0, (s3)
  fence
  li t1, 0x2000004
  li t0, 1
  sw t0, (t1)              # software interrupt for hart 1
2:
  ld t0, 0(s2)
  bne t0, s5, 2b
  ld t0, 8(s2)
  bne t0, s5, 2b
  addi s5, s5, 1
  li t0, 50
  bne s5, t0, 1b
  PRINT s5
  j done
caller:
  la t0, trap
  csrw mtvec, t0
  li t0, 8
  csrw mie, t0
  csrsi mstatus, 8
3:
  li a0, 0
  jalr s3
  sd a0, 8(s2)
  li t2, 5
4:
  addi t2, t2, -1
  bnez t2, 4b
  j 3b
.balign 4
trap:
  li s6, 0x2000004
  sw zero, (s6)
  fence.i
  lw s7, (s3)
  srli s7, s7, 20
  sd s7, 0(s2)
  mret
.balign 8
shared: .dword 0, 0
.balign 4096
function:
  addi a0, a0, 0
  ret
`;

export const SELF_MODIFYING: Readonly<Record<string, string>> = {
  "an instruction of a hot loop is patched": PATCH_LOOP,
  "a hot loop patches itself": PATCH_SELF,
  "code writes data in its own page": DATA_BY_CODE,
  "a function is overwritten between calls": OVERWRITE_FUNCTION,
  "functions are generated without end": generate(500, 0x20000),
};

/** The last one, with room for counts from outside. */
export const generator: (functions: number, ring: number) => string = generate;
