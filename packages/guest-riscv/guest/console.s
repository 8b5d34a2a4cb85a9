# The serial port: a 16550 with byte registers. Source: TI PC16550D (SNLS378), "Registers".
UART_DATA = 0
UART_IER = 1
UART_LSR = 5
LSR_READY = 0x01
LSR_EMPTY = 0x20
# Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.0, chapter 3; context 0 is hart 0 in M-mode.
PLIC_ENABLE = 0x2000
PLIC_CLAIM = 0x200004

# Keys raise an interrupt, so that waiting for one is a sleep.
open_console:
  GET t0, uart
  li t1, 1
  sb t1, UART_IER(t0)
  GET t0, plic
  beqz t0, 1f
  GET t1, uart_irq
  slli t2, t1, 2
  add t2, t2, t0
  li t3, 1
  sw t3, 0(t2)          # priority
  sll t3, t3, t1
  li t2, PLIC_ENABLE
  add t2, t2, t0
  sw t3, 0(t2)
  li t2, MIE_MEIE
  csrs mie, t2
1:
  ret

# Sleeps until a key or the timer; spurious wake-ups are possible.
wait_event:
  GET t0, plic
  beqz t0, 1f
  wfi
  li t1, PLIC_CLAIM
  add t0, t0, t1
  lw t1, 0(t0)
  beqz t1, 1f
  sw t1, 0(t0)
1:
  ret

# a0 = the key that waits, or -1.
poll_key:
  GET t0, uart
  lbu t1, UART_LSR(t0)
  andi t1, t1, LSR_READY
  li a0, -1
  beqz t1, 1f
  lbu a0, UART_DATA(t0)
1:
  ret

# a0 = the next key.
read_key:
  ENTER
1:
  call poll_key
  bgez a0, 2f
  call wait_event
  j 1b
2:
  LEAVE

# Prints character a0. Changes t0, t1 and t6 alone.
print_char:
  GET t0, uart
1:
  lbu t1, UART_LSR(t0)
  andi t1, t1, LSR_EMPTY
  beqz t1, 1b
  sb a0, UART_DATA(t0)
  ret

# Prints the text at a0.
print:
  ENTER
  mv s0, a0
1:
  lbu s1, 0(s0)
  beqz s1, 3f
  li t0, '\n'
  bne s1, t0, 2f
  li a0, '\r'
  call print_char
2:
  mv a0, s1
  call print_char
  addi s0, s0, 1
  j 1b
3:
  LEAVE

# Prints a1 hexadecimal digits of a0.
print_hex:
  ENTER
  mv s0, a0
  slli s1, a1, 2
1:
  addi s1, s1, -4
  srl a0, s0, s1
  andi a0, a0, 15
  addi a0, a0, '0'
  li t0, '9'
  bleu a0, t0, 2f
  addi a0, a0, 'a' - '0' - 10
2:
  call print_char
  bnez s1, 1b
  LEAVE

# Prints register-wide a0 as 0x...
print_word:
  ENTER
  mv s0, a0
  PRINT "0x"
  mv a0, s0
  li a1, XLEN / 4
  call print_hex
  LEAVE

# Prints the 64 bits a0 (low), a1 (high) as 0x..., with 8 digits when they are enough.
print_pair:
  ENTER
  mv s0, a0
  mv s1, a1
  PRINT "0x"
  beqz s1, 1f
  mv a0, s1
  li a1, 8
  call print_hex
1:
  mv a0, s0
  li a1, 8
  call print_hex
  LEAVE

# Prints a0 in decimal.
print_decimal:
.if XLEN == 64
  srli a1, a0, 32
  LOWER a0
.else
  li a1, 0
.endif
# Prints the 64 bits a0 (low), a1 (high) in decimal.
print_decimal_pair:
  ENTER
  addi sp, sp, -32
  addi s0, sp, 31
  sb zero, 0(s0)
1:
  li a2, 10
  call divide
  addi a2, a2, '0'
  addi s0, s0, -1
  sb a2, 0(s0)
  or t0, a0, a1
  bnez t0, 1b
  mv a0, s0
  call print
  addi sp, sp, 32
  LEAVE

# Divides the 64 bits a0, a1 by a2 < 2^31: quotient a0, a1, remainder a2.
divide:
.if XLEN == 64
  JOIN t0, a0, a1
  divu a0, t0, a2
  remu a2, t0, a2
  srli a1, a0, 32
  LOWER a0
  ret
.else
  li t0, 0
  li t1, 64
1:
  slli t0, t0, 1
  srli t2, a1, 31
  or t0, t0, t2
  slli a1, a1, 1
  srli t2, a0, 31
  or a1, a1, t2
  slli a0, a0, 1
  bltu t0, a2, 2f
  sub t0, t0, a2
  ori a0, a0, 1
2:
  addi t1, t1, -1
  bnez t1, 1b
  mv a2, t0
  ret
.endif
