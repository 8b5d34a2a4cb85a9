/** Programs that map other pages where hot code is, under it and around it. None prints what depends on time. */

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

export const REMAPPED: Readonly<Record<string, string>> = {
  "the second page of a hot loop is remapped, all translations flushed": `.macro FENCE\nsfence.vma\n.endm\n${REMAP}`,
  "the second page of a hot loop is remapped, its own translation flushed": `.macro FENCE\nli t0, 0x40001000\nsfence.vma t0\n.endm\n${REMAP}`,
  "pages of code come and go by page faults": DEMAND,
  "two address spaces take turns": ADDRESS_SPACES,
};
