/** Programs in which something happens to code while it is hot: interrupts, faults, other mappings. None prints what depends on time. */

/** Sv39: RAM as it is with 4 KiB pages from 0x80000000 up to 2 MiB, all of RAM and devices by large pages. S-mode from `mret` on. */
const PAGING = `
  la t0, trap
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li s0, 0x80800000        # root, then one table for 0x40000000, then its leaves
  li t0, 0xc7              # devices: 1 GiB at 0
  sd t0, 0(s0)
  li t0, (0x80801000 >> 2) | 1
  sd t0, 8(s0)
  li t0, (0x80000000 >> 2) | 0xcf
  sd t0, 16(s0)
  li t1, 0x80801000
  li t0, (0x80802000 >> 2) | 1
  sd t0, 0(t1)
  li t0, 0x80800
  li t1, 8 << 60
  or t0, t0, t1
  csrw satp, t0
  sfence.vma
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x0800
  csrs mstatus, t0
  la t0, supervisor
  csrw mepc, t0
  mret
.macro MAP page, target, bits
  li t5, 0x80802000
  li t6, ((\\target) >> 2) | \\bits
  sd t6, \\page * 8(t5)
.endm
`;

/** A hot loop runs over a page end; the second page is another one every few turns. */
const REMAP = `
main:
  ${PAGING}
supervisor:
  # two versions of the second page, and the first
  li t0, 0x80a00000
  la t1, piece
  la t2, piece_end
  sub t2, t2, t1
  la t4, split
  sub t4, t4, t1           # bytes before the page end
  li t3, 0x80a01000
  sub t3, t3, t4
  li s5, 0x40001000
  sub s5, s5, t4
1: lw t4, (t1)
  sw t4, (t3)
  addi t1, t1, 4
  addi t3, t3, 4
  addi t2, t2, -4
  bgtz t2, 1b
  li t0, 0x80a01000        # the page behind, as it is, and with another operand
  li t1, 0x80a02000
  li t2, 4096
2: lw t4, (t0)
  sw t4, (t1)
  addi t0, t0, 4
  addi t1, t1, 4
  addi t2, t2, -4
  bnez t2, 2b
  li t1, 0x80a02000
  lw t4, (t1)
  li t2, 6 << 20
  add t4, t4, t2
  sw t4, (t1)
  fence.i
  MAP 0, 0x80a00000, 0xcb
  MAP 1, 0x80a01000, 0xcb
  sfence.vma
  li s1, 0
  li s2, 500
3:
  li s3, 60
  jalr s5
  andi t0, s2, 1
  beqz t0, 4f
  MAP 1, 0x80a01000, 0xcb
  j 5f
4:
  MAP 1, 0x80a02000, 0xcb
5:
  FENCE
  addi s2, s2, -1
  bnez s2, 3b
  PRINT s1
  j done
.balign 4
piece:
  addi s1, s1, 3
  slli t3, s1, 1
  xor s1, s1, t3
split:                     # at 0x40001000
  addi s1, s1, 1
  addi s3, s3, -1
  andi t1, s3, 7
  bnez t1, 1f
  xori s1, s1, 0x55
1:
  bnez s3, piece
  ret
piece_end:
.balign 4
trap:
  csrr s0, mcause
  PRINT s0
  csrr s0, mepc
  PRINT s0
  j done
`;

/** A loop remaps the page that it calls, from within; some pages can't be executed: the handler maps them. */
const DEMAND = `
main:
  ${PAGING}
supervisor:
  li s4, 16                # 16 pages with a function each: a0 = a0 * 2 + n
  li s5, 0x80a00000
1:
  la t1, piece
  lw t2, 0(t1)
  sw t2, 0(s5)
  lw t2, 4(t1)
  slli t3, s4, 20
  add t2, t2, t3
  sw t2, 4(s5)
  lw t2, 8(t1)
  sw t2, 8(s5)
  li t0, 0x1000
  add s5, s5, t0
  addi s4, s4, -1
  bnez s4, 1b
  fence.i
  li s1, 0                 # sum
  li s2, 20000             # calls
  li s6, 0                 # faults
  li a0, 1
2:
  andi t0, s2, 15
  slli t0, t0, 12
  li t1, 0x40000000
  add t0, t0, t1
  jalr t0
  add s1, s1, a0
  li t0, 997
  remu t0, s2, t0
  bnez t0, 3f
  # unmap them all
  li t5, 0x80802000
  li t6, 16
4: sd zero, (t5)
  addi t5, t5, 8
  addi t6, t6, -1
  bnez t6, 4b
  sfence.vma
3:
  addi s2, s2, -1
  bnez s2, 2b
  PRINT s1
  PRINT s6
  j done
.balign 4
piece:
  slli a0, a0, 1
  addi a0, a0, 0
  ret
.balign 4
trap:
  csrr t3, mcause
  addi t3, t3, -12
  bnez t3, 9f
  csrr t3, mtval
  slli t4, t3, 36
  srli t4, t4, 48          # page within the window
  slli t4, t4, 3
  li t5, 0x80802000
  add t4, t4, t5
  li t5, 0x80a00000 - 0x40000000
  add t5, t5, t3
  srli t5, t5, 12
  slli t5, t5, 10
  ori t5, t5, 0x4b
  sd t5, (t4)
  addi s6, s6, 1
  sfence.vma
  mret
9:
  csrr s0, mcause
  PRINT s0
  csrr s0, mepc
  PRINT s0
  j done
`;

/** Two address spaces with ASIDs, in which a page holds different code; the loop changes between them without a fence. */
const ADDRESS_SPACES = `
main:
  ${PAGING}
supervisor:
  # second root at 0x80810000, with leaves of its own
  li t0, 0x80810000
  li t1, 0xc7
  sd t1, 0(t0)
  li t1, (0x80811000 >> 2) | 1
  sd t1, 8(t0)
  li t1, (0x80000000 >> 2) | 0xcf
  sd t1, 16(t0)
  li t0, 0x80811000
  li t1, (0x80812000 >> 2) | 1
  sd t1, 0(t0)
  li t0, 0x80812000
  li t1, (0x80a01000 >> 2) | 0xcb
  sd t1, 0(t0)
  MAP 0, 0x80a00000, 0xcb
  la t0, piece
  li t1, 0x80a00000
  li t2, 0x80a01000
  li t3, 32
1: lw t4, (t0)
  sw t4, (t1)
  sw t4, (t2)
  addi t0, t0, 4
  addi t1, t1, 4
  addi t2, t2, 4
  addi t3, t3, -4
  bnez t3, 1b
  li t2, 0x80a01000
  lw t4, (t2)
  li t3, 40 << 20
  add t4, t4, t3
  sw t4, (t2)
  fence.i
  sfence.vma
  csrr s6, satp
  li t0, 0x10
  xor s7, s6, t0
  li t0, 1 << 44
  add s7, s7, t0
  li s1, 0
  li s2, 2000
  li s5, 0x40000000
2:
  andi t0, s2, 1
  mv t1, s6
  beqz t0, 3f
  mv t1, s7
3:
  csrw satp, t1
  li s3, 20
4:
  jalr s5
  addi s3, s3, -1
  bnez s3, 4b
  addi s2, s2, -1
  bnez s2, 2b
  PRINT s1
  j done
.balign 4
piece:
  addi s1, s1, 1
  slli t3, s1, 1
  xor s1, s1, t3
  ret
.zero 32
.balign 4
trap:
  csrr s0, mcause
  PRINT s0
  j done
`;

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

export const HOT_CODE: Readonly<Record<string, string>> = {
  "the second page of a hot loop is remapped, all translations flushed": `.macro FENCE\nsfence.vma\n.endm\n${REMAP}`,
  "the second page of a hot loop is remapped, its own translation flushed": `.macro FENCE\nli t0, 0x40001000\nsfence.vma t0\n.endm\n${REMAP}`,
  "pages of code come and go by page faults": DEMAND,
  "two address spaces take turns": ADDRESS_SPACES,
  "a timer interrupts a hot loop": TIMER,
  "a loop that waits for interrupts": WFI,
  "exceptions in the middle of a hot loop": FAULTS,
  "calls of the supervisor, and recursion": CALLS,
  "interrupts that a hot loop asks for": SOFTWARE,
};
