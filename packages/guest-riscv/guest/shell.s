# The prompt. Each command is a routine; `argument` points behind its name.
LINE_SIZE = 128

shell:
  la sp, stack_top
  li t0, MSTATUS_MIE
  csrc mstatus, t0
  li t0, MIE_MTIE
  csrc mie, t0
  PRINT "mimus> "
  call read_line
  la s0, line
  call skip_blanks
  lbu t0, 0(s0)
  beqz t0, shell
  # s1 = the end of the first word
  mv s1, s0
1:
  lbu t0, 0(s1)
  beqz t0, 2f
  li t1, ' '
  beq t0, t1, 2f
  addi s1, s1, 1
  j 1b
2:
  mv t2, s1
  beqz t0, 3f
  sb zero, 0(s1)
  addi t2, s1, 1
3:
  PUT t2, argument
  la s2, commands
4:
  lw t0, 0(s2)
  beqz t0, unknown_command
  la a0, commands
  add a0, a0, t0
  mv a1, s0
  call same_text
  bnez a0, 5f
  addi s2, s2, 12
  j 4b
5:
  lw t0, 4(s2)
  la t1, commands
  add t0, t0, t1
  jalr t0
  j shell

unknown_command:
  mv a0, s0
  call print
  PRINT ": there is no such command; 'help' lists them\n"
  j shell

# Moves s0 over blanks.
skip_blanks:
  li t1, ' '
1:
  lbu t0, 0(s0)
  bne t0, t1, 2f
  addi s0, s0, 1
  j 1b
2:
  ret

# Reads a line into `line`, with echo. Backspace takes a character back, Ctrl-C and Ctrl-U the whole line.
read_line:
  ENTER
  la s0, line
  li s1, 0
1:
  call read_key
  li t0, '\r'
  beq a0, t0, 4f
  li t0, '\n'
  beq a0, t0, 4f
  li t0, 127
  beq a0, t0, 2f
  li t0, 8
  beq a0, t0, 2f
  li t0, 3
  beq a0, t0, 3f
  li t0, 21
  beq a0, t0, 3f
  li t0, ' '
  bltu a0, t0, 1b
  li t0, LINE_SIZE - 1
  bgeu s1, t0, 1b
  add t0, s0, s1
  sb a0, 0(t0)
  addi s1, s1, 1
  call print_char
  j 1b
2:
  beqz s1, 1b
  addi s1, s1, -1
  PRINT "\b \b"
  j 1b
3:
  li s1, 0
4:
  add t0, s0, s1
  sb zero, 0(t0)
  PRINT "\n"
  LEAVE

# The next argument as a number, 0x... or decimal: a0 = its value, a1 = 1; a1 = 0 without one, -1 for what is no number.
number:
  ENTER
  GET s0, argument
  call skip_blanks
  li a0, 0
  li a1, 0
  lbu t0, 0(s0)
  beqz t0, 6f
  li s1, 10
  li t1, '0'
  bne t0, t1, 1f
  lbu t0, 1(s0)
  li t1, 'x'
  bne t0, t1, 1f
  li s1, 16
  addi s0, s0, 2
  lbu t0, 0(s0)
  li a1, -1
  beqz t0, 6f
1:
  lbu t0, 0(s0)
  addi s0, s0, 1
  addi t1, t0, -'0'
  li t2, 10
  bltu t1, t2, 3f
  beqz t0, 5f
  li t2, ' '
  beq t0, t2, 5f
  ori t0, t0, 0x20
  addi t1, t0, -'a'
  li t2, 6
  bgeu t1, t2, 4f
  addi t1, t1, 10
  bgeu t1, s1, 4f
3:
  mul a0, a0, s1
  add a0, a0, t1
  j 1b
4:
  li a1, -1
  j 6f
5:
  addi s0, s0, -1
  li a1, 1
6:
  PUT s0, argument
  LEAVE

command_help:
  ENTER
  la s0, commands
1:
  lw t0, 0(s0)
  beqz t0, 3f
  la s1, commands
  add s2, s1, t0
  PRINT "  "
  mv a0, s2
  call print
  # the column of the explanations
  mv s3, s2
2:
  lbu t0, 0(s3)
  addi s3, s3, 1
  bnez t0, 2b
  sub s3, s3, s2
  li s4, 10
  sub s3, s4, s3
4:
  li a0, ' '
  call print_char
  addi s3, s3, -1
  bgtz s3, 4b
  lw t0, 8(s0)
  add a0, s1, t0
  call print
  PRINT "\n"
  addi s0, s0, 12
  j 1b
3:
  LEAVE

command_reboot:
  li a0, 0x7777
  j finish
command_poweroff:
  li a0, 0x5555
# Source: SiFive test finisher, as the device tree's syscon-poweroff and syscon-reboot name it.
finish:
  ENTER
  GET t0, test
  beqz t0, 1f
  sw a0, 0(t0)
  j .
1:
  PRINT "this machine cannot\n"
  LEAVE

.macro COMMAND name
  .word name_\name - commands, command_\name - commands, about_\name - commands
.endm
.macro ABOUT name, text, about
name_\name: .asciz \text
about_\name: .asciz \about
.endm

.balign 4
commands:
  COMMAND help
  COMMAND devices
  COMMAND timer
  COMMAND memory
  COMMAND peek
  COMMAND poke
  COMMAND block
  COMMAND fill
  COMMAND life
  COMMAND cpu
  COMMAND reboot
  COMMAND poweroff
  .word 0
  ABOUT help, "help", "this list"
  ABOUT devices, "devices", "the device tree's nodes with their addresses"
  ABOUT timer, "timer", "the time, and a timer interrupt each second for three seconds"
  ABOUT memory, "memory", "its size, and a test of 64 KiB"
  ABOUT peek, "peek", "ADDRESS: the 32-bit word there"
  ABOUT poke, "poke", "ADDRESS VALUE: writes the 32-bit word there"
  ABOUT block, "block", "[SECTOR]: the first block device's size, or what is in a sector"
  ABOUT fill, "fill", "SECTOR BYTE: fills a sector of that device"
  ABOUT life, "life", "Conway's game of life, 20 generations or until a key"
  ABOUT cpu, "cpu", "what the hart says of itself"
  ABOUT reboot, "reboot", "resets the machine"
  ABOUT poweroff, "poweroff", "ends the machine"
.balign 4
