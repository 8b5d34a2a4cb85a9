# Conway's game of life on a torus.
COLUMNS = 64
ROWS = 20
GENERATIONS = 20
CELLS = COLUMNS * ROWS

command_life:
  ENTER
  la s0, arena          # this generation
  li s1, CELLS
  add s1, s1, s0        # the next
  mv t0, s0
1:
  sb zero, 0(t0)
  addi t0, t0, 1
  bltu t0, s1, 1b
  la t0, seed
2:
  lhu t1, 0(t0)
  beqz t1, 3f
  add t1, t1, s0
  li t2, 1
  sb t2, 0(t1)
  addi t0, t0, 2
  j 2b
3:
  PRINT "\x1b[2J"
  li s2, 0              # generation
4:
  PRINT "\x1b[H"
  mv a0, s0
  call print_cells
  PRINT "generation "
  mv a0, s2
  call print_decimal
  PRINT "\n"
  li t0, GENERATIONS
  bgeu s2, t0, 5f
  GET a0, frequency
  li t0, 10
  divu a0, a0, t0
  call wait_or_key
  bgez a0, 5f
  mv a0, s0
  mv a1, s1
  call next_generation
  mv t0, s0
  mv s0, s1
  mv s1, t0
  addi s2, s2, 1
  j 4b
5:
  LEAVE

# An R-pentomino in the middle and a glider: offsets of the living cells.
.macro CELL column, row
  .half (\row) * COLUMNS + \column
.endm
.balign 4
seed:
  CELL 33, 9
  CELL 34, 9
  CELL 32, 10
  CELL 33, 10
  CELL 33, 11
  CELL 6, 2
  CELL 7, 3
  CELL 5, 4
  CELL 6, 4
  CELL 7, 4
  .half 0
.balign 4

print_cells:
  ENTER
  mv s0, a0
  li s1, ROWS
1:
  li s2, COLUMNS
2:
  lbu t0, 0(s0)
  li a0, '.'
  beqz t0, 3f
  li a0, '#'
3:
  call print_char
  addi s0, s0, 1
  addi s2, s2, -1
  bnez s2, 2b
  PRINT "\n"
  addi s1, s1, -1
  bnez s1, 1b
  LEAVE

# Adds to a2 the cell whose column is t0 and whose row begins at a pointer.
.macro NEIGHBOUR row, column
  add t6, \row, \column
  lbu t6, 0(t6)
  add a2, a2, t6
.endm

# From the cells at a0 makes those at a1.
next_generation:
  li t5, 0              # row
1:
  # t1, t2, t3: the row above, this one, the one below
  li t0, COLUMNS
  addi t1, t5, ROWS - 1
  addi t3, t5, 1
  li t2, ROWS
  remu t1, t1, t2
  remu t3, t3, t2
  mul t1, t1, t0
  mul t2, t5, t0
  mul t3, t3, t0
  add t1, t1, a0
  add t2, t2, a0
  add t3, t3, a0
  li t4, 0              # column
2:
  addi a3, t4, COLUMNS - 1
  andi a3, a3, COLUMNS - 1
  addi a4, t4, 1
  andi a4, a4, COLUMNS - 1
  li a2, 0
  NEIGHBOUR t1, a3
  NEIGHBOUR t1, t4
  NEIGHBOUR t1, a4
  NEIGHBOUR t2, a3
  NEIGHBOUR t2, a4
  NEIGHBOUR t3, a3
  NEIGHBOUR t3, t4
  NEIGHBOUR t3, a4
  # lives with three neighbours, or with two when it lived
  add t6, t2, t4
  lbu t6, 0(t6)
  or a2, a2, t6
  addi a2, a2, -3
  seqz a2, a2
  sb a2, 0(a1)
  addi a1, a1, 1
  addi t4, t4, 1
  li t6, COLUMNS
  bltu t4, t6, 2b
  addi t5, t5, 1
  li t6, ROWS
  bltu t5, t6, 1b
  ret
