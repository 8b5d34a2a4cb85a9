# The machine timer. Source: RISC-V Privileged ISA 20211203, section 3.2.1; its registers are read and written in halves.

# Time: a0 (low), a1 (high).
now:
  GET t0, mtime
1:
  LWZ a1, 4(t0)
  LWZ a0, 0(t0)
  LWZ t1, 4(t0)
  bne a1, t1, 1b
  ret

# The next timer interrupt comes a2 ticks from now.
set_timer:
  addi sp, sp, -16
  SX ra, 0(sp)
  call now
  LX ra, 0(sp)
  addi sp, sp, 16
  j add_to_timer
# The next timer interrupt comes a2 ticks after the last.
move_timer:
  GET t0, mtimecmp
  LWZ a0, 0(t0)
  LWZ a1, 4(t0)
add_to_timer:
  add a0, a0, a2
.if XLEN == 64
  srli t1, a0, 32
.else
  sltu t1, a0, a2
.endif
  add a1, a1, t1
  GET t0, mtimecmp
  li t1, -1
  sw t1, 4(t0)          # no interrupt between the halves
  sw a0, 0(t0)
  sw a1, 4(t0)
  ret

# Waits a0 ticks; a0 = the key that ended it early, or -1.
wait_or_key:
  ENTER
  mv a2, a0
  call set_timer
  li t0, MIE_MTIE
  csrs mie, t0
1:
  call poll_key
  bgez a0, 2f
  csrr t0, mip
  andi t0, t0, MIE_MTIE
  bnez t0, 2f
  call wait_event
  j 1b
2:
  li t0, MIE_MTIE
  csrc mie, t0
  LEAVE

# Prints seconds and milliseconds since the timer began.
print_time:
  ENTER
  call now
  GET s0, frequency
  mv a2, s0
  call divide
  mv s1, a2
  call print_decimal_pair
  PRINT "."
  li t0, 1000
  divu s0, s0, t0
  divu s1, s1, s0
  li t0, 100
  divu a0, s1, t0
  addi a0, a0, '0'
  call print_char
  li t0, 10
  divu a0, s1, t0
  remu a0, a0, t0
  addi a0, a0, '0'
  call print_char
  li t0, 10
  remu a0, s1, t0
  addi a0, a0, '0'
  call print_char
  PRINT " s"
  LEAVE

command_timer:
  ENTER
  GET t0, mtime
  beqz t0, 4f
  PRINT "time "
  call print_time
  PRINT ", timebase "
  GET a0, frequency
  call print_decimal
  PRINT " Hz\n"
  PUT zero, ticks
  GET a2, frequency
  call set_timer
  csrr s2, mie
  li t0, MIE_MTIE
  csrw mie, t0
  csrsi mstatus, MSTATUS_MIE
  li s0, 0
1:
  # Only what changed while no interrupt could come is sure to end the sleep.
  csrci mstatus, MSTATUS_MIE
  GET s1, ticks
  bne s0, s1, 2f
  wfi
  csrsi mstatus, MSTATUS_MIE
  j 1b
2:
  csrsi mstatus, MSTATUS_MIE
  addi s0, s0, 1
  PRINT "tick "
  mv a0, s0
  call print_decimal
  PRINT " at "
  call print_time
  PRINT "\n"
  li t0, 3
  bltu s0, t0, 1b
  csrci mstatus, MSTATUS_MIE
  csrw mie, s2
  LEAVE
4:
  PRINT "this machine has no timer\n"
  LEAVE
