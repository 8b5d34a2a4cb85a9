# The first block device behind virtio-mmio, polled, one request at a time.
# Source: Virtual I/O Device (VIRTIO) 1.1, sections 2.6 (split queue), 4.2 (MMIO, also 4.2.4 legacy) and 5.2 (block).
VIRTIO_MOST = 16
VIRTIO_MAGIC = 0x74726976
MMIO_VERSION = 0x004
MMIO_DEVICE = 0x008
MMIO_DRIVER_FEATURES = 0x020
MMIO_DRIVER_FEATURES_SEL = 0x024
MMIO_GUEST_PAGE = 0x028
MMIO_QUEUE_SEL = 0x030
MMIO_QUEUE_MAX = 0x034
MMIO_QUEUE_SIZE = 0x038
MMIO_QUEUE_ALIGN = 0x03c
MMIO_QUEUE_PFN = 0x040
MMIO_QUEUE_READY = 0x044
MMIO_NOTIFY = 0x050
MMIO_INTERRUPT = 0x060
MMIO_INTERRUPT_ACK = 0x064
MMIO_STATUS = 0x070
MMIO_QUEUE_DESC = 0x080
MMIO_QUEUE_AVAIL = 0x090
MMIO_QUEUE_USED = 0x0a0
MMIO_CONFIG = 0x100
STATUS_ACKNOWLEDGE = 1
STATUS_DRIVER = 2
STATUS_DRIVER_OK = 4
STATUS_FEATURES_OK = 8
QUEUE_SIZE = 4
NEXT = 1
WRITE = 2
# In the arena: the queue as the legacy layout has it, then one request.
QUEUE_AVAIL = 16 * QUEUE_SIZE
QUEUE_USED = 4096
REQUEST = 8192
REQUEST_DATA = REQUEST + 16
REQUEST_STATUS = REQUEST_DATA + 512
REQUEST_SIZE = 1024

# a0 = registers of the first block device, 0 without one.
find_block:
  la t0, virtio
  GET t1, virtio_count
1:
  li a0, 0
  beqz t1, 2f
  LX a0, 0(t0)
  addi t0, t0, WORD
  addi t1, t1, -1
  lw t2, 0(a0)
  li t3, VIRTIO_MAGIC
  bne t2, t3, 1b
  lw t2, MMIO_DEVICE(a0)
  li t3, 2
  bne t2, t3, 1b
2:
  ret

# Stores an address as two halves at offset(s0).
.macro SET_ADDRESS register, offset
  sw \register, \offset(s0)
.if XLEN == 64
  srli t6, \register, 32
  sw t6, \offset + 4(s0)
.else
  sw zero, \offset + 4(s0)
.endif
.endm

# Starts the device with registers s0: one queue in the arena.
open_block:
  la t0, arena
  li t1, REQUEST + REQUEST_SIZE
  add t1, t1, t0
1:
  SX zero, 0(t0)
  addi t0, t0, WORD
  bltu t0, t1, 1b
  sw zero, MMIO_STATUS(s0)
  li t0, STATUS_ACKNOWLEDGE | STATUS_DRIVER
  sw t0, MMIO_STATUS(s0)
  la t2, arena
  lw t1, MMIO_VERSION(s0)
  li t0, 1
  sw zero, MMIO_DRIVER_FEATURES_SEL(s0)
  sw zero, MMIO_DRIVER_FEATURES(s0)
  sw zero, MMIO_QUEUE_SEL(s0)
  bne t1, t0, 2f
  # legacy
  li t0, 4096
  sw t0, MMIO_GUEST_PAGE(s0)
  sw t0, MMIO_QUEUE_ALIGN(s0)
  li t1, QUEUE_SIZE
  sw t1, MMIO_QUEUE_SIZE(s0)
  srli t1, t2, 12
  sw t1, MMIO_QUEUE_PFN(s0)
  li t0, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK
  sw t0, MMIO_STATUS(s0)
  ret
2:
  # VIRTIO_F_VERSION_1 is feature 32
  sw t0, MMIO_DRIVER_FEATURES_SEL(s0)
  sw t0, MMIO_DRIVER_FEATURES(s0)
  li t1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK
  sw t1, MMIO_STATUS(s0)
  li t1, QUEUE_SIZE
  sw t1, MMIO_QUEUE_SIZE(s0)
  SET_ADDRESS t2, MMIO_QUEUE_DESC
  addi t3, t2, QUEUE_AVAIL
  SET_ADDRESS t3, MMIO_QUEUE_AVAIL
  li t3, QUEUE_USED
  add t3, t3, t2
  SET_ADDRESS t3, MMIO_QUEUE_USED
  sw t0, MMIO_QUEUE_READY(s0)
  li t1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK
  sw t1, MMIO_STATUS(s0)
  ret

# Descriptor n: address arena + at, length, flags, next.
.macro DESCRIPTOR n, at, length, flags
  li t0, \at
  add t0, t0, s2
  addi t1, s2, 16 * \n
  SX t0, 0(t1)
  li t0, \length
  sw t0, 8(t1)
  li t0, (\flags) | (\n + 1) << 16
  sw t0, 12(t1)
.endm

# Moves sector s1 between the open device s0 and the arena; s3 = 0 reads it, 1 writes it. a0 = its status, 0 when all is well.
transfer_sector:
  la s2, arena
  DESCRIPTOR 0, REQUEST, 16, NEXT
  DESCRIPTOR 1, REQUEST_DATA, 512, NEXT | WRITE
  beqz s3, 1f
  DESCRIPTOR 1, REQUEST_DATA, 512, NEXT
1:
  DESCRIPTOR 2, REQUEST_STATUS, 1, WRITE
  li t0, REQUEST
  add t0, t0, s2
  sw s3, 0(t0)          # VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT
  SX s1, 8(t0)
  li t1, 0xff
  li t0, REQUEST_STATUS
  add t0, t0, s2
  sb t1, 0(t0)
  # entry 0 of the ring is descriptor 0 already
  addi t0, s2, QUEUE_AVAIL
  fence
  li t1, 1
  sh t1, 2(t0)
  fence
  sw zero, MMIO_NOTIFY(s0)
  li t0, QUEUE_USED
  add t0, t0, s2
1:
  lhu t1, 2(t0)
  beqz t1, 1b
  fence
  lw t1, MMIO_INTERRUPT(s0)
  sw t1, MMIO_INTERRUPT_ACK(s0)
  li t0, REQUEST_STATUS
  add t0, t0, s2
  lbu a0, 0(t0)
  ret

command_block:
  ENTER
  call find_block
  mv s0, a0
  beqz s0, 4f
  call number
  mv s1, a0
  bltz a1, 5f
  bgtz a1, 1f
  PRINT "virtio block device at "
  mv a0, s0
  call print_word
  PRINT ", transport version "
  lw a0, MMIO_VERSION(s0)
  call print_decimal
  PRINT ", "
  LWZ a0, MMIO_CONFIG(s0)
  LWZ a1, MMIO_CONFIG + 4(s0)
  call print_decimal_pair
  PRINT " sectors\n"
  LEAVE
1:
  call open_block
  li s3, 0
  call transfer_sector
  sw zero, MMIO_STATUS(s0)
  bnez a0, 3f
  la s2, arena + REQUEST_DATA
  li s3, 0
2:
  add a0, s2, s3
  mv a1, s3
  call print_bytes
  addi s3, s3, 16
  li t0, 512
  bltu s3, t0, 2b
  LEAVE
3:
  call print_status
  LEAVE
4:
  call print_no_device
  LEAVE
5:
  PRINT "block [SECTOR]: a number\n"
  LEAVE

print_status:
  ENTER
  mv s0, a0
  PRINT "the device refused: status "
  mv a0, s0
  call print_decimal
  PRINT "\n"
  LEAVE

print_no_device:
  ENTER
  PRINT "there is no block device; give the machine one with -drive and -device virtio-blk-device\n"
  LEAVE

command_fill:
  ENTER
  call find_block
  mv s0, a0
  beqz s0, 3f
  call number
  blez a1, 4f
  mv s1, a0
  call number
  blez a1, 4f
  mv s4, a0
  call open_block
  la t0, arena + REQUEST_DATA
  addi t1, t0, 512
1:
  sb s4, 0(t0)
  addi t0, t0, 1
  bltu t0, t1, 1b
  li s3, 1
  call transfer_sector
  sw zero, MMIO_STATUS(s0)
  beqz a0, 2f
  call print_status
2:
  LEAVE
3:
  call print_no_device
  LEAVE
4:
  PRINT "fill SECTOR BYTE: two numbers\n"
  LEAVE

# Prints 16 bytes at a0 in hexadecimal and as characters, offset a1 before them.
print_bytes:
  ENTER
  mv s0, a0
  mv a0, a1
  li a1, 4
  call print_hex
  li s1, 0
1:
  li a0, ' '
  call print_char
  add t0, s0, s1
  lbu a0, 0(t0)
  li a1, 2
  call print_hex
  addi s1, s1, 1
  li t0, 16
  bltu s1, t0, 1b
  PRINT "  "
  li s1, 0
2:
  add t0, s0, s1
  lbu a0, 0(t0)
  addi t0, a0, -' '
  li t1, 95
  bltu t0, t1, 3f
  li a0, '.'
3:
  call print_char
  addi s1, s1, 1
  li t0, 16
  bltu s1, t0, 2b
  PRINT "\n"
  LEAVE
