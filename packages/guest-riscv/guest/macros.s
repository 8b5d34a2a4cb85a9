# Names that hold on RV32 and RV64. XLEN comes from the build.
WORD = XLEN / 8
FRAME = 12 * WORD

.macro LX rd, from
.if XLEN == 64
  ld \rd, \from
.else
  lw \rd, \from
.endif
.endm

.macro SX rs, to
.if XLEN == 64
  sd \rs, \to
.else
  sw \rs, \to
.endif
.endm

# A word without its sign.
.macro LWZ rd, from
.if XLEN == 64
  lwu \rd, \from
.else
  lw \rd, \from
.endif
.endm

# Variables lie behind the image.
.macro GET rd, variable
  la \rd, \variable
  LX \rd, 0(\rd)
.endm

.macro PUT rs, variable, scratch=t6
  la \scratch, \variable
  SX \rs, 0(\scratch)
.endm

# Every routine that calls another saves ra and s0 to s8.
.macro ENTER
  addi sp, sp, -FRAME
  SX ra, 0*WORD(sp)
  SX s0, 1*WORD(sp)
  SX s1, 2*WORD(sp)
  SX s2, 3*WORD(sp)
  SX s3, 4*WORD(sp)
  SX s4, 5*WORD(sp)
  SX s5, 6*WORD(sp)
  SX s6, 7*WORD(sp)
  SX s7, 8*WORD(sp)
  SX s8, 9*WORD(sp)
.endm

.macro LEAVE
  LX ra, 0*WORD(sp)
  LX s0, 1*WORD(sp)
  LX s1, 2*WORD(sp)
  LX s2, 3*WORD(sp)
  LX s3, 4*WORD(sp)
  LX s4, 5*WORD(sp)
  LX s5, 6*WORD(sp)
  LX s6, 7*WORD(sp)
  LX s7, 8*WORD(sp)
  LX s8, 9*WORD(sp)
  addi sp, sp, FRAME
  ret
.endm

.macro PRINT text
  la a0, text\@
  call print
  j after\@
text\@: .asciz \text
  .balign 4
after\@:
.endm

# A pair of 32-bit halves as one address; RV32 has no use for the upper half.
.macro JOIN rd, low, high, scratch=t6
.if XLEN == 64
  slli \scratch, \high, 32
  or \rd, \scratch, \low
.else
  mv \rd, \low
.endif
.endm

# The low half of a register, without its sign.
.macro LOWER rd
.if XLEN == 64
  slli \rd, \rd, 32
  srli \rd, \rd, 32
.endif
.endm
