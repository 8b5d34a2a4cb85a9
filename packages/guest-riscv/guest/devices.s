# Which devices the machine has: what the other parts use, and the list for people.

# Goes to a label when node s0 is compatible with a text.
.macro COMPATIBLE text, then
  mv a0, s0
  la a1, text\@
  call is_compatible
  j after\@
text\@: .asciz \text
  .balign 4
after\@:
  bnez a0, \then
.endm

# Stores the address of entry n of the reg of node s0 into a variable, offset added.
.macro KEEP variable, n=0, offset=0
  mv a0, s0
  li a1, \n
  call reg_entry
  JOIN a0, a0, a1
  li t0, \offset
  add a0, a0, t0
  PUT a0, \variable
.endm

# For walk_tree: remembers the devices that are used.
note_device:
  ENTER
  mv s0, a0
  LX a0, NODE_FREQUENCY(s0)
  beqz a0, 1f
  call read_big
  PUT a0, frequency
1:
  LX a0, NODE_TYPE(s0)
  beqz a0, 2f
  la a1, text_memory
  call same_text
  bnez a0, note_memory
2:
  COMPATIBLE "ns16550a", note_uart
  COMPATIBLE "sifive,test0", note_test
  COMPATIBLE "riscv,clint0", note_clint
  COMPATIBLE "riscv,aclint-mtimer", note_mtimer
  COMPATIBLE "riscv,plic0", note_plic
  COMPATIBLE "virtio,mmio", note_virtio
noted:
  LEAVE

note_memory:
  mv a0, s0
  li a1, 0
  call reg_entry
  la t0, memory
  sw a0, 0(t0)
  sw a1, 4(t0)
  sw a2, 8(t0)
  sw a3, 12(t0)
  j noted
note_uart:
  KEEP uart
  LX a0, NODE_INTERRUPTS(s0)
  beqz a0, noted
  call read_big
  PUT a0, uart_irq
  j noted
note_test:
  KEEP test
  j noted
note_clint:
  KEEP mtime, 0, 0xbff8
  KEEP mtimecmp, 0, 0x4000
  j noted
note_mtimer:
  KEEP mtime
  KEEP mtimecmp, 1
  j noted
note_plic:
  KEEP plic
  j noted
note_virtio:
  GET s1, virtio_count
  li t0, VIRTIO_MOST
  bgeu s1, t0, noted
  mv a0, s0
  li a1, 0
  call reg_entry
  JOIN a0, a0, a1
  la t0, virtio
  li t1, WORD
  mul t1, t1, s1
  add t0, t0, t1
  SX a0, 0(t0)
  addi s1, s1, 1
  PUT s1, virtio_count
  j noted
text_memory: .asciz "memory"
.balign 4

command_devices:
  ENTER
  la a0, list_device
  call walk_tree
  LEAVE

# For walk_tree: prints the name, and each address with its size.
list_device:
  ENTER
  mv s0, a0
  LX t0, NODE_REG(s0)
  beqz t0, 3f
  LX a0, NODE_NAME(s0)
  call print
  li s1, 0
1:
  mv a0, s0
  mv a1, s1
  call reg_entry
  beqz a4, 2f
  mv s2, a2
  mv s3, a3
  mv s4, a0
  mv s5, a1
  PRINT "  "
  mv a0, s4
  mv a1, s5
  call print_pair
  addi s1, s1, 1
  or t0, s2, s3
  beqz t0, 1b
  PRINT " size "
  mv a0, s2
  mv a1, s3
  call print_pair
  j 1b
2:
  PRINT "\n"
3:
  LEAVE
