# Memory: size, test, single words.
TEST_SIZE = 65536

command_memory:
  ENTER
  PRINT "memory "
  la t0, memory
  LWZ a0, 8(t0)
  LWZ a1, 12(t0)
  li a2, 1 << 20
  call divide
  call print_decimal_pair
  PRINT " MiB at "
  la t0, memory
  LWZ a0, 0(t0)
  LWZ a1, 4(t0)
  call print_pair
  PRINT "\nwalking ones over "
  li a0, TEST_SIZE
  call print_decimal
  PRINT " bytes at "
  la s0, arena
  mv a0, s0
  call print_word
  li s1, TEST_SIZE
  add s1, s1, s0        # end
  li s2, 1              # pattern of the first word
1:
  mv t0, s0
  mv t1, s2
2:
  SX t1, 0(t0)
  addi t0, t0, WORD
  slli t2, t1, 1
  srli t1, t1, XLEN - 1
  or t1, t1, t2
  bltu t0, s1, 2b
  mv t0, s0
  mv t1, s2
3:
  LX t2, 0(t0)
  bne t2, t1, 4f
  addi t0, t0, WORD
  slli t2, t1, 1
  srli t1, t1, XLEN - 1
  or t1, t1, t2
  bltu t0, s1, 3b
  slli s2, s2, 1
  bnez s2, 1b
  PRINT ": ok\n"
  LEAVE
4:
  mv s3, t0
  PRINT ": WRONG at "
  mv a0, s3
  call print_word
  PRINT "\n"
  LEAVE

command_peek:
  ENTER
  call number
  blez a1, 1f
  mv s0, a0
  andi t0, s0, 3
  bnez t0, 1f
  lw s1, 0(s0)
  mv a0, s0
  call print_word
  PRINT ": 0x"
  mv a0, s1
  li a1, 8
  call print_hex
  PRINT "\n"
  LEAVE
1:
  PRINT "peek ADDRESS: a multiple of four, such as 0x80000000\n"
  LEAVE

command_poke:
  ENTER
  call number
  blez a1, 1f
  mv s0, a0
  andi t0, s0, 3
  bnez t0, 1f
  call number
  blez a1, 1f
  sw a0, 0(s0)
  LEAVE
1:
  PRINT "poke ADDRESS VALUE: a multiple of four and a number, such as 0x80000000 1\n"
  LEAVE
