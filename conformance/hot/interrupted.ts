/** Programs with interrupts and exceptions in hot code. None prints what depends on time. */

/** A timer interrupts a computation; the computation's result, the place where it was interrupted and the delay are checked. */
const TIMER = `
main:
  la t0, trap
  csrw mtvec, t0
  la t0, save
  csrw mscratch, t0
  li s8, 0x2004000         # mtimecmp
  li s9, 0x200bff8         # mtime
  li s10, 0                # ticks
  li s11, 0                # longest delay
  li s7, 0                 # interrupts at a wrong place
  ld t0, (s9)
  addi t0, t0, 1000
  sd t0, (s8)
  li t0, 0x80
  csrw mie, t0
  csrsi mstatus, 8
started:
  li s1, 1
  li s2, 0
work:
  li s0, 1000
1:
  slli t1, s1, 13
  xor s1, s1, t1
  srli t1, s1, 7
  xor s1, s1, t1
  slli t1, s1, 17
  xor s1, s1, t1
  andi t2, s1, 7
  bnez t2, 2f
  addi s2, s2, 1
2:
  addi s0, s0, -1
  bnez s0, 1b
  li t1, 100
  bltu s10, t1, work       # until there were 100 ticks; then the same number of turns whatever the ticks
  csrci mstatus, 8
  li s1, 1
  li s2, 0
  csrsi mstatus, 8
  li s0, 300000
again:
  slli t1, s1, 13
  xor s1, s1, t1
  srli t1, s1, 7
  xor s1, s1, t1
  slli t1, s1, 17
  xor s1, s1, t1
  andi t2, s1, 7
  bnez t2, 3f
  addi s2, s2, 1
3:
  addi s0, s0, -1
  bnez s0, again
again_end:
  csrci mstatus, 8
  PRINT s1
  PRINT s2
  PRINT s7
  li t0, 5000000           # half a second
  sltu s3, s11, t0
  PRINT s3
  j done
.balign 4
trap:
  csrrw t6, mscratch, t6
  sd t0, 0(t6)
  sd t1, 8(t6)
  csrr t0, mcause
  slli t0, t0, 1
  addi t0, t0, -14
  bnez t0, wrong
  csrr t0, mepc
  la t1, started
  bltu t0, t1, wrong
  la t1, again_end
  addi t1, t1, 4
  bgeu t0, t1, wrong
  andi t0, t0, 1
  bnez t0, wrong
right:
  ld t0, (s9)
  ld t1, (s8)
  sub t1, t0, t1
  bltu t1, s11, 1f
  mv s11, t1
1:
  addi t0, t0, 500         # every 50 microseconds
  sd t0, (s8)
  addi s10, s10, 1
  ld t0, 0(t6)
  ld t1, 8(t6)
  csrrw t6, mscratch, t6
  mret
wrong:
  addi s7, s7, 1
  j right
.balign 8
save: .zero 16
`;

/** Waits for the timer again and again, with work in between. */
const WFI = `
main:
  la t0, trap
  csrw mtvec, t0
  li s8, 0x2004000
  li s9, 0x200bff8
  li t0, 0x80
  csrw mie, t0
  li s1, 0
  li s2, 300
  csrsi mstatus, 8
1:
  ld t0, (s9)
  addi t0, t0, 200
  li s3, 0
  sd t0, (s8)
2:
  wfi
  beqz s3, 2b
  li t1, 100
3:
  addi s1, s1, 7
  addi t1, t1, -1
  bnez t1, 3b
  addi s2, s2, -1
  bnez s2, 1b
  PRINT s1
  j done
.balign 4
trap:
  li s3, 1
  li t5, -1
  sd t5, (s8)
  mret
`;

/** In a hot loop one instruction in so many raises; the handler digests all registers, and mends what it can. */
const FAULTS = `
main:
  la t0, trap
  csrw mtvec, t0
  la t0, save
  csrw mscratch, t0
  li s0, 6000
  li s1, 1
  li s2, 2
  li s3, 3
  li s4, 0
  la s5, data
  li s6, 0                 # digest
  li s7, 0                 # exceptions
1:
  addi s1, s1, 5
  slli s2, s1, 2
  andi t0, s0, 31
  sub s3, s2, t0
  add t1, s5, zero
  li t2, 7
  bne t0, t2, 2f
  addi t1, s5, 2           # misaligned
2:
  addi s4, s4, 1
  lr.w t3, (t1)            # QEMU with one hart takes a misaligned AMO for a load too
  addi s4, s4, 2
  amoadd.w t3, s1, (s5)
  li t2, 13
  bne t0, t2, 3f
  addi s4, s4, 3
  .word 0xffffffff
  addi s4, s4, 4
3:
  li t2, 21
  mv t4, s5
  bne t0, t2, 4f
  li t4, -4096
4:
  xor s3, s3, s4
  ld t5, (t4)
  addi s3, s3, 9
  sd s3, (t4)
  addi s4, s4, 5
  li t2, 25
  bne t0, t2, 5f
  ecall
5:
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s6
  PRINT s7
  PRINT s1
  PRINT s3
  PRINT s4
  j done
.balign 4
trap:
  csrrw t6, mscratch, t6
  sd t5, 0(t6)
  .macro MIX register
  slli t5, s6, 5
  add s6, s6, t5
  xor s6, s6, \\register
  .endm
  MIX s0
  MIX s1
  MIX s2
  MIX s3
  MIX s4
  MIX t0
  MIX t1
  MIX t2
  MIX t3
  MIX t4
  ld t5, 0(t6)
  sd t4, 8(t6)
  mv t4, t5
  MIX t4
  csrr t4, mcause
  MIX t4
  csrr t4, mepc
  MIX t4
  addi t4, t4, 4
  csrw mepc, t4
  addi s7, s7, 1
  ld t5, 0(t6)
  ld t4, 8(t6)
  csrrw t6, mscratch, t6
  mret
.balign 8
data: .dword 1
.dword 0
save: .zero 16
`;

/** A program in U-mode calls its supervisor in a hot loop, deep in recursion and not. */
const CALLS = `
main:
  la t0, trap
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, 0x1800
  csrc mstatus, t0
  la t0, user
  csrw mepc, t0
  li sp, 0x80900000
  mret
user:
  li s0, 40
  li s1, 0
1:
  mv a0, s0
  call recurse
  add s1, s1, a0
  slli t0, s1, 1
  xor s1, s1, t0
  li a7, 1
  mv a0, s1
  ecall
  mv s1, a0
  addi s0, s0, -1
  bnez s0, 1b
  # deeper than any limit
  li a0, 50000
  call deep
  add s1, s1, a0
  PRINT s1
  j done
recurse:
  addi sp, sp, -32
  sd ra, (sp)
  sd a0, 8(sp)
  li t0, 3
  bltu a0, t0, 2f
  srli a0, a0, 1
  call recurse
  sd a0, 16(sp)
  ld a0, 8(sp)
  addi a0, a0, -1
  andi t0, a0, 31
  addi a0, a0, -2
  beqz t0, 2f
  call recurse
  ld t0, 16(sp)
  add a0, a0, t0
2:
  li a7, 0
  andi t0, a0, 15
  bnez t0, 3f
  ecall
3:
  addi a0, a0, 1
  ld ra, (sp)
  addi sp, sp, 32
  ret
deep:
  addi sp, sp, -16
  sd ra, (sp)
  beqz a0, 4f
  addi a0, a0, -1
  call deep
  addi a0, a0, 2
4:
  ld ra, (sp)
  addi sp, sp, 16
  ret
.balign 4
trap:
  csrr t0, mcause
  addi t0, t0, -8
  bnez t0, 9f
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  beqz a7, 8f
  xori a0, a0, 0x123
  mret
8:
  addi a0, a0, 3
  mret
9:
  csrr s0, mcause
  PRINT s0
  csrr s0, mepc
  PRINT s0
  j done
`;

/** Software interrupts that a hot loop asks for itself: taken at once, before the next instructions. */
const SOFTWARE = `
main:
  la t0, trap
  csrw mtvec, t0
  li s8, 0x2000000
  li t0, 8
  csrw mie, t0
  csrsi mstatus, 8
  li s0, 5000
  li s1, 0
  li s2, 0
1:
  andi t0, s0, 7
  bnez t0, 2f
  li t1, 1
  addi s1, s1, 1
  csrci mstatus, 8
  sw t1, (s8)
  addi s1, s1, 2
  csrsi mstatus, 8
  addi s1, s1, 4
2:
  slli t3, s1, 1
  xor s1, s1, t3
  addi s0, s0, -1
  bnez s0, 1b
  PRINT s1
  PRINT s2
  j done
.balign 4
trap:
  sw zero, (s8)
  slli t5, s2, 1
  xor s2, s2, t5
  add s2, s2, s1
  mret
`;

export const INTERRUPTED: Readonly<Record<string, string>> = {
  "a timer interrupts a hot loop": TIMER,
  "a loop that waits for interrupts": WFI,
  "exceptions in the middle of a hot loop": FAULTS,
  "calls of the supervisor, and recursion": CALLS,
  "interrupts that a hot loop asks for": SOFTWARE,
};
