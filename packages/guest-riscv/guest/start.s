# Entry in M-mode: a0 = hart, a1 = flattened device tree. Harts but the first sleep.
# Source: RISC-V Privileged ISA 20211203, chapter 3.
MIE_MTIE = 1 << 7
MIE_MEIE = 1 << 11
MSTATUS_MIE = 8

start:
  csrw mie, zero
  bnez a0, park
  la sp, stack_top
  la t0, variables
  la t1, variables_end
1:
  SX zero, 0(t0)
  addi t0, t0, WORD
  bltu t0, t1, 1b
  PUT a1, tree
  la t0, trap
  csrw mtvec, t0
  li t0, 0x10000000
  PUT t0, uart
  la a0, note_device
  call walk_tree
  call open_console
  PRINT "\nMimus embedded guest, RV"
  li a0, XLEN
  call print_decimal
  PRINT ". Type 'help'.\n"
  j shell

park:
  wfi
  j park

# Timer interrupts count; anything else ends the command that caused it.
.balign 4
trap:
  addi sp, sp, -8*WORD
  SX t0, 0*WORD(sp)
  SX a0, 1*WORD(sp)
  SX a1, 2*WORD(sp)
  SX a2, 3*WORD(sp)
  SX ra, 4*WORD(sp)
  SX t1, 5*WORD(sp)
  SX t6, 6*WORD(sp)
  csrr t0, mcause
  bgez t0, exception
  GET t0, ticks
  addi t0, t0, 1
  PUT t0, ticks
  GET a2, frequency
  call move_timer
  LX t0, 0*WORD(sp)
  LX a0, 1*WORD(sp)
  LX a1, 2*WORD(sp)
  LX a2, 3*WORD(sp)
  LX ra, 4*WORD(sp)
  LX t1, 5*WORD(sp)
  LX t6, 6*WORD(sp)
  addi sp, sp, 8*WORD
  mret

exception:
  la sp, stack_top
  PRINT "exception "
  csrr a0, mcause
  call print_decimal
  csrr s0, mcause
  li t0, 5
  beq s0, t0, 1f
  li t0, 7
  beq s0, t0, 1f
  j 2f
1:
  PRINT " (no memory there)"
2:
  PRINT " at pc "
  csrr a0, mepc
  call print_word
  PRINT ", value "
  csrr a0, mtval
  call print_word
  PRINT "\n"
  j shell
