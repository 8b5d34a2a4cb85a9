# What the hart says of itself. Source: RISC-V Privileged ISA 20211203, section 3.1.
.macro SHOW text, register
  PRINT \text
  csrr a0, \register
  call print_word
  PRINT "\n"
.endm

command_cpu:
  ENTER
  PRINT "misa      RV"
  li a0, XLEN
  call print_decimal
  csrr s0, misa
  li s1, 'a'
1:
  andi t0, s0, 1
  beqz t0, 2f
  mv a0, s1
  call print_char
2:
  srli s0, s0, 1
  addi s1, s1, 1
  li t0, 'z'
  bleu s1, t0, 1b
  PRINT "\n"
  SHOW "mhartid   ", mhartid
  SHOW "mvendorid ", mvendorid
  SHOW "marchid   ", marchid
  SHOW "mimpid    ", mimpid
  SHOW "mstatus   ", mstatus
  SHOW "mtvec     ", mtvec
  SHOW "mcycle    ", mcycle
  SHOW "minstret  ", minstret
  LEAVE
