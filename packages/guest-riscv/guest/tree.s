# The flattened device tree. Source: Devicetree Specification v0.4, chapter 5.
# What is remembered of the node that is being walked, and of which property.
NODE_NAME = 0
NODE_DEPTH = 1 * WORD
NODE_ADDRESS_CELLS = 2 * WORD
NODE_SIZE_CELLS = 3 * WORD
NODE_REG = 4 * WORD             # property: its value, then its length
NODE_COMPATIBLE = 6 * WORD
NODE_TYPE = 8 * WORD
NODE_INTERRUPTS = 10 * WORD
NODE_FREQUENCY = 12 * WORD
NODE_SIZE = 14 * WORD
DEEPEST = 15

# a0 = the big-endian word at a0. Changes t0 alone.
read_big:
  lbu t0, 0(a0)
  slli t0, t0, 8
  lbu t6, 1(a0)
  or t0, t0, t6
  slli t0, t0, 8
  lbu t6, 2(a0)
  or t0, t0, t6
  slli t0, t0, 8
  lbu t6, 3(a0)
  or a0, t0, t6
  ret

# a0 = 1 when the texts at a0 and a1 are the same.
same_text:
  lbu t0, 0(a0)
  lbu t1, 0(a1)
  bne t0, t1, 1f
  addi a0, a0, 1
  addi a1, a1, 1
  bnez t0, same_text
  li a0, 1
  ret
1:
  li a0, 0
  ret

# Calls the routine at a0 with a0 = node, once for each node, parents first.
# s0 position, s1 texts, s2 routine, s3 depth, s4 node, s5 whether the node is still to be reported.
walk_tree:
  ENTER
  mv s2, a0
  GET s6, tree
  addi a0, s6, 12
  call read_big
  add s1, s6, a0
  addi a0, s6, 8
  call read_big
  add s0, s6, a0
  li s3, -1
  la s4, node
  li s5, 0
1:
  mv a0, s0
  addi s0, s0, 4
  call read_big
  li t0, 1
  beq a0, t0, begin_node
  li t0, 2
  beq a0, t0, end_node
  li t0, 3
  beq a0, t0, property
  li t0, 4
  beq a0, t0, 1b
  LEAVE

begin_node:
  call report_node
  addi s3, s3, 1
  li t0, DEEPEST
  bgt s3, t0, end_walk
  mv t0, s4
  addi t1, s4, NODE_SIZE
2:
  SX zero, 0(t0)
  addi t0, t0, WORD
  bltu t0, t1, 2b
  SX s0, NODE_NAME(s4)
  SX s3, NODE_DEPTH(s4)
  # reg is counted in the parent's cells; children get 2 and 1 unless told.
  la t0, cells
  slli t1, s3, 1
  add t0, t0, t1
  lbu t1, 0(t0)
  SX t1, NODE_ADDRESS_CELLS(s4)
  lbu t1, 1(t0)
  SX t1, NODE_SIZE_CELLS(s4)
  li t1, 2
  sb t1, 2(t0)
  li t1, 1
  sb t1, 3(t0)
  li s5, 1
3:
  lbu t0, 0(s0)
  addi s0, s0, 1
  bnez t0, 3b
  addi s0, s0, 3
  andi s0, s0, -4
  j 1b

end_node:
  call report_node
  addi s3, s3, -1
  j 1b

end_walk:
  LEAVE

property:
  mv a0, s0
  call read_big
  mv s6, a0             # length
  addi a0, s0, 4
  call read_big
  add s7, s1, a0        # name
  addi s0, s0, 8
  la s8, properties
4:
  lw t0, 0(s8)
  beqz t0, 6f
  la t1, properties
  add a0, t0, t1
  mv a1, s7
  call same_text
  bnez a0, 5f
  addi s8, s8, 8
  j 4b
5:
  lw t0, 4(s8)
  bltz t0, 7f
  add t0, t0, s4
  SX s0, 0(t0)
  SX s6, WORD(t0)
6:
  add s0, s0, s6
  addi s0, s0, 3
  andi s0, s0, -4
  j 1b
7:
  # Cells of the children: -2 addresses, -1 sizes.
  la t1, cells + 4
  add s8, t1, t0
  slli t1, s3, 1
  add s8, s8, t1
  mv a0, s0
  call read_big
  sb a0, 0(s8)
  j 6b

# Part of walk_tree: shares its registers.
report_node:
  beqz s5, 1f
  li s5, 0
  addi sp, sp, -16
  SX ra, 0(sp)
  mv a0, s4
  jalr s2
  LX ra, 0(sp)
  addi sp, sp, 16
1:
  ret

.balign 4
properties:
  .word name_reg - properties, NODE_REG
  .word name_compatible - properties, NODE_COMPATIBLE
  .word name_type - properties, NODE_TYPE
  .word name_interrupts - properties, NODE_INTERRUPTS
  .word name_frequency - properties, NODE_FREQUENCY
  .word name_address_cells - properties, -2
  .word name_size_cells - properties, -1
  .word 0
name_reg: .asciz "reg"
name_compatible: .asciz "compatible"
name_type: .asciz "device_type"
name_interrupts: .asciz "interrupts"
name_frequency: .asciz "timebase-frequency"
name_address_cells: .asciz "#address-cells"
name_size_cells: .asciz "#size-cells"
.balign 4

# Entry a1 of the reg of node a0: address a0 (low), a1 (high), size a2, a3; a4 = 0 when there is none.
reg_entry:
  ENTER
  LX s0, NODE_REG(a0)
  LX s1, NODE_REG + WORD(a0)
  LX s2, NODE_ADDRESS_CELLS(a0)
  LX s3, NODE_SIZE_CELLS(a0)
  add t0, s2, s3
  slli t0, t0, 2
  mul t1, t0, a1
  add t2, t1, t0
  li a4, 0
  bgtu t2, s1, 1f
  beqz t0, 1f
  add s0, s0, t1
  mv a0, s2
  call read_cells
  mv s4, a0
  mv s5, a1
  mv a0, s3
  call read_cells
  mv a2, a0
  mv a3, a1
  mv a0, s4
  mv a1, s5
  li a4, 1
1:
  LEAVE

# a0 cells at s0, which moves on: value a0 (low), a1 (high) of the last two.
read_cells:
  addi sp, sp, -4*WORD
  SX ra, 0(sp)
  SX s1, WORD(sp)
  SX s2, 2*WORD(sp)
  mv s1, a0
  li s2, 0
  li a0, 0
1:
  beqz s1, 2f
  mv s2, a0
  mv a0, s0
  call read_big
  addi s0, s0, 4
  addi s1, s1, -1
  j 1b
2:
  mv a1, s2
  LX ra, 0(sp)
  LX s1, WORD(sp)
  LX s2, 2*WORD(sp)
  addi sp, sp, 4*WORD
  ret

# a0 = 1 when node a0 is compatible with the text at a1.
is_compatible:
  ENTER
  LX s0, NODE_COMPATIBLE(a0)
  LX s1, NODE_COMPATIBLE + WORD(a0)
  add s1, s1, s0
  mv s2, a1
1:
  li a0, 0
  bgeu s0, s1, 3f
  mv a0, s0
  mv a1, s2
  call same_text
  bnez a0, 3f
2:
  lbu t0, 0(s0)
  addi s0, s0, 1
  bnez t0, 2b
  j 1b
3:
  LEAVE
