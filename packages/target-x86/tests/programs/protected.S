.code16
.globl _start
.set IDT, 0x20000
.set TSSA, 0x21000
.set TSSB, 0x21100
.set TSSC, 0x21200
.macro D name, base, limit, acc, flags
\name: .word \limit & 0xffff
  .word \base & 0xffff
  .byte (\base >> 16) & 0xff
  .byte \acc
  .byte (\flags << 4) | (\limit >> 16)
  .byte \base >> 24
.endm
_start:
  cli
  xor %ax,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  mov $0x7c00,%sp
  # real mode: interrupt through the table
  movw $rm_int,0x1fc
  movw $0,0x1fe
  mov $0x1234,%ax
  int $0x7f
  lgdt gdtr
  mov %cr0,%eax
  or $1,%eax
  and $0x9fffffff,%eax
  mov %eax,%cr0
  ljmp $8,$start32
rm_int:
  push %bp
  mov %sp,%bp
  mov $'r',%al
  out %al,$0xe9
  mov 2(%bp),%ax
  sub $rm_int,%ax
  pop %bp
  iret
.p2align 3
gdtr: .word gdtend-gdt-1
  .long gdt
.p2align 3
gdt: .quad 0
  D g08, 0, 0xfffff, 0x9b, 0xc   # kernel code 32
  D g10, 0, 0xfffff, 0x93, 0xc   # kernel data
  D g18, 0, 0xfffff, 0xfb, 0xc   # user code
  D g20, 0, 0xfffff, 0xf3, 0xc   # user data
  D g28, 0, 0xfffff, 0xbb, 0xc   # ring 1 code
  D g30, 0, 0xfffff, 0xb3, 0xc   # ring 1 data
  D g38, TSSA, 0x20ff, 0x89, 0
  D g40, TSSB, 0x67, 0x89, 0
  D g48, TSSC, 0x2b, 0x81, 0     # 16-bit task
  D g50, 0x5000, 0x0fff, 0x97, 0x4   # expand down, above 0xfff
  D g58, 0x50000, 0x00ff, 0x93, 0x4  # small data
  D g60, 0x50000, 0x00ff, 0x91, 0x4  # read only
  D g68, 0, 0xffff, 0x9b, 0          # 16-bit code
  D g70, 0, 0xffff, 0x93, 0          # 16-bit data
  D g78, 0, 0xfffff, 0x13, 0xc       # absent
  D g80, 0, 0xfffff, 0x99, 0xc       # execute only
  D g88, 0, 0xfffff, 0x9f, 0xc       # conforming
g90: .word 0, 8, 0xec02, 0           # call gate 32, 2 parameters, dpl 3
g98: .word 0, 8, 0xe402, 0           # call gate 16
ga0: .word 0, 0x40, 0xe500, 0        # task gate
  D ga8, 0x22000, 0x17, 0x82, 0      # ldt
gb0: .word 0, 0x28, 0xec00, 0        # call gate to ring 1
gdtend:
.code32
.macro PRINTC c
  push %eax
  mov $\c,%al
  out %al,$0xe9
  pop %eax
.endm
.macro NAME name
  call newline
  mov $9f,%eax
  call puts
  jmp 8f
9: .asciz "\name"
8:
.endm
.macro TRY
  movl $77f,resume
.endm
.macro CATCH
77: movl $0,resume
.endm
.macro AT
  movl $66f,base
  xor %eax,%eax
66:
.endm
.macro USER label
  TRY
  mov %esp,kstack
  pushl $0x23
  pushl $0x45000
  pushl $0x202
  pushl $0x1b
  pushl $\label
  movl $\label,base
  xor %eax,%eax
  iret
  CATCH
  mov $0x10,%eax
  mov %eax,%ds
  mov %eax,%es
.endm
start32:
  mov $0x10,%eax
  mov %eax,%ds
  mov %eax,%es
  mov %eax,%ss
  xor %eax,%eax
  mov %eax,%fs
  mov %eax,%gs
  mov $0x7000,%esp
  cld
  mov $0x20000,%edi
  mov $0x1000,%ecx
  rep stosl
  movl $0x6000,TSSA+4
  movw $0x10,TSSA+8
  movl $0x5800,TSSA+12
  movw $0x31,TSSA+16
  movw $0x68,TSSA+102
  # permission map: ports 0..7f allowed but 60
  movb $1,TSSA+0x68+0xc
  movl $-1,TSSA+0x68+0x10
  movb $0xfd,TSSA+0x68+0x1d     # e9 allowed
  movl $-1,TSSA+0x68+0x20
  mov $0x38,%eax
  ltr %ax
  xor %ebx,%ebx
  mov $stubs,%esi
1: mov %si,IDT(,%ebx,8)
  movw $8,IDT+2(,%ebx,8)
  movw $0x8e00,IDT+4(,%ebx,8)
  mov %esi,%eax
  shr $16,%eax
  mov %ax,IDT+6(,%ebx,8)
  add $16,%esi
  inc %ebx
  cmp $256,%ebx
  jb 1b
  movb $0xee,IDT+0x80*8+5
  movb $0xee,IDT+3*8+5
  movb $0xee,IDT+4*8+5
  movb $0x8f,IDT+0x71*8+5
  lidt idtr
  mov $gate32,%eax
  mov %ax,g90
  shr $16,%eax
  mov %ax,g90+6
  mov $gate16,%eax
  mov %ax,g98
  mov $gate1,%eax
  mov %ax,gb0
  jmp tests
idtr: .word 0x7ff
  .long IDT
newline: PRINTC 10
  ret
puts: push %esi
  mov %eax,%esi
1: lodsb
  test %al,%al
  jz 2f
  out %al,$0xe9
  jmp 1b
2: pop %esi
  ret
hex:
  push %eax
  push %ebx
  push %ecx
  push %edx
  mov %eax,%ebx
  PRINTC 32
  mov $28,%ecx
1: mov %ebx,%edx
  shr %cl,%edx
  jnz 2f
  sub $4,%ecx
  jg 1b
  xor %ecx,%ecx
2: mov %ebx,%eax
  shr %cl,%eax
  and $15,%eax
  cmp $10,%al
  jb 3f
  add $39,%al
3: add $48,%al
  out %al,$0xe9
  sub $4,%ecx
  jns 2b
  pop %edx
  pop %ecx
  pop %ebx
  pop %eax
  ret
.p2align 3
resume: .long 0
base: .long 0
kstack: .long 0x7000
.p2align 4
stubs:
.set v,0
.rept 256
  .p2align 4
  .if v==8 || v==10 || v==11 || v==12 || v==13 || v==14 || v==17
  .else
  push $0
  .endif
  pushl $v
  jmp common
  .set v,v+1
.endr
.p2align 4
common: # vector code eip cs eflags [esp ss [es ds fs gs]]
  push %ds
  push %eax
  push %ebx
  mov $0x10,%ebx
  mov %ebx,%ds
  PRINTC 91
  mov 12(%esp),%eax
  call hex
  mov 16(%esp),%eax
  call hex
  mov 20(%esp),%eax
  test $0x20000,28(%esp)
  jnz 3f
  sub base,%eax
3: call hex
  mov 24(%esp),%eax
  call hex
  mov 28(%esp),%eax
  and $0xfffeffff,%eax
  call hex
  testl $0x20000,28(%esp)
  jnz 1f
  testb $3,24(%esp)
  jz 2f
1: mov 32(%esp),%eax
  call hex
  mov 36(%esp),%eax
  call hex
2: testl $0x20000,28(%esp)
  jz 2f
  mov 40(%esp),%eax
  call hex
  mov 44(%esp),%eax
  call hex
  mov 48(%esp),%eax
  call hex
  mov 52(%esp),%eax
  call hex
2: cmpb $14,12(%esp)
  jne 1f
  mov %cr2,%eax
  call hex
1: cmpb $1,12(%esp)
  jne 1f
  mov %dr6,%eax
  call hex
  orl $0x10000,28(%esp)
  mov $0xffff0ff0,%eax
  mov %eax,%dr6
1: mov %esp,%eax
  call hex
  mov %ds,%eax
  mov 8(%esp),%eax
  movzx %ax,%eax
  call hex
  PRINTC 93
  mov resume,%eax
  test %eax,%eax
  jz 2f
  movl $0,resume
  mov kstack,%esp
  pushl $2
  popf
  mov $0x10,%ebx
  mov %ebx,%ss
  mov %ebx,%ds
  mov %ebx,%es
  jmp *%eax
2: pop %ebx
  pop %eax
  pop %ds
  add $8,%esp
  iret

tests:
  NAME "int80"
  AT
  int $0x80
  NAME "into"
  AT
  mov $0x7f,%al
  add $1,%al
  into
  NAME "bound"
  TRY
  AT
  mov $5,%ecx
  bound %ecx,bounds
  mov $11,%ecx
  bound %ecx,bounds
  CATCH
.ifndef QEMU
  NAME "limits"
  mov $0x58,%eax
  mov %eax,%es
  movl $0x11223344,%es:0xfc
  TRY
  AT
  mov %eax,%es:0xfd
  CATCH
  TRY
  AT
  mov %es:0x100,%al
  CATCH
  mov $0x60,%eax
  mov %eax,%es
  mov %es:0xfc,%eax
  call hex
  TRY
  AT
  mov %eax,%es:0x10
  CATCH
  mov $0x50,%eax
  mov %eax,%es
  mov %es:0x2000,%eax
  TRY
  AT
  mov %es:0xfff,%al
  CATCH
  TRY
  AT
  mov %es:0xfffffffd,%eax
  CATCH
  mov %es:0x1000,%al
  TRY
  AT
  mov %eax,%cs:0
  CATCH
  TRY
  AT
  ljmp $0x80,$1f
1: mov %cs:0,%eax
  CATCH
  ljmp $8,$1f
1:
  NAME "null segment"
  xor %eax,%eax
  mov %eax,%es
  TRY
  AT
  mov %es:0x1000,%eax
  CATCH
  TRY
  AT
  mov %eax,%gs:0x1000
  CATCH
.endif
  NAME "segment loads"
  .irp s,0x10,0x13,0x18,0x38,0x78,0x80,0x88,0x8b,0x100,0xab
  TRY
  AT
  mov $\s,%eax
  mov %eax,%es
  mov %es,%eax
  call hex
  CATCH
  .endr
  mov $0x7000,%esp
  mov %esp,kstack
  NAME "stack segment loads"
  .irp s,0x0,0x13,0x18,0x20,0x30,0x60,0x78,0x88,0x100
  TRY
  AT
  mov $\s,%eax
  mov %eax,%ss
  mov %ss,%eax
  call hex
  CATCH
  .endr
  mov $0x10,%eax
  mov %eax,%ss
  mov $0x7000,%esp
  NAME "far jumps"
  .irp s,0x0,0x10,0x18,0x28,0x78,0x100,0xa8
  TRY
  AT
  ljmp $\s,$0
  CATCH
  .endr
  NAME "far calls"
  TRY
  AT
  lcall $0x88,$1f
1: mov %cs,%eax
  call hex
  pop %eax
  pop %eax
  call hex
  ljmp $8,$1f
1: CATCH
  AT
  lcall $0x90,$0
  lcall $0x98,$0
  NAME "16-bit code"
  AT
  ljmp $0x68,$1f
.code16
1: mov $0xffff,%eax
  push %ax
  pop %bx
  mov %cs,%ax
  ljmpl $8,$1f
.code32
1: call hex
  NAME "ldt"
  movl $0x0000ffff,0x22008
  movl $0x00cf9300,0x2200c
  mov $0xa8,%eax
  lldt %ax
  mov $0xc,%eax
  mov %eax,%fs
  mov %fs:base,%eax
  lar %eax,%ebx
  mov $0xc,%eax
  lar %eax,%eax
  call hex
  TRY
  AT
  mov $0x14,%eax
  mov %eax,%fs
  CATCH
  TRY
  AT
  mov $0x1c,%eax
  mov %eax,%fs
  CATCH
  NAME "user"
  USER u_int80
  USER u_hlt
  USER u_in60
  USER u_in61
  USER u_in16
  USER u_out
  USER u_cli
  USER u_popf
  USER u_int81
  USER u_gate
  USER u_gate16
  USER u_gate1
  USER u_ds
  USER u_conforming
  USER u_lret
  NAME "iret to ring 1"
  TRY
  movl $0,resume
  mov %esp,kstack
  pushl $0x31
  pushl $0x46000
  pushl $0x1202
  pushl $0x29
  pushl $ring1
  movl $ring1,base
  TRY
  iret
  CATCH
  mov $0x10,%eax
  mov %eax,%ds
  mov %eax,%es
  NAME "retf outward"
  mov %esp,kstack
  TRY
  pushl $0x23
  pushl $0x45000
  pushl $1
  pushl $2
  pushl $0x1b
  pushl $u_int80
  movl $u_int80,base
  lret $8
  CATCH
  NAME "iret errors"
  mov %esp,kstack
  .irp s,0x0,0x10,0x100,0x28,0x78
  TRY
  AT
  pushl $2
  pushl $\s
  pushl $0
  iret
  CATCH
  .endr
  TRY
  AT
  pushl $0x10
  pushl $0x4000
  pushl $2
  pushl $0x1b
  pushl $0
  iret
  CATCH
  NAME "bad inner stack"
  movw $0x33,TSSA+8
  movb $0x85,IDT+10*8+5         # #TS by a task gate? no: leave an ordinary gate
  movb $0x8e,IDT+10*8+5
  # ring 3 interrupt to ring 1 gate with a bad ss1
  movw $0x10,TSSA+8
  movw $0x33,TSSA+16
  movw $0x28,IDT+0x72*8+2
  movb $0xee,IDT+0x72*8+5
  USER u_int72
  movw $0x30,TSSA+16
  USER u_int72
  movw $0x79,TSSA+16
  USER u_int72
  movw $0x31,TSSA+16
  NAME "v86"
  mov %esp,kstack
  TRY
  pushl $0x4444
  pushl $0x3333
  pushl $0x2222
  pushl $0x1111
  pushl $0x4000
  pushl $0x1000
  pushl $0x23202
  pushl $0x0
  pushl $v86
  movl $0,base
  iret
  CATCH
  NAME "v86 iopl 0"
  .irp l,v_cli,v_int,v_pushf,v_in,v_iret,v_hlt,v_lar,v_popf
  TRY
  pushl $0x4444
  pushl $0x3333
  pushl $0x2222
  pushl $0x0
  pushl $0x4000
  pushl $0x1000
  pushl $0x20202
  pushl $0x0
  pushl $\l
  iret
  CATCH
  .endr
  NAME "tasks"
  mov $0x10,%eax
  mov %eax,%ds
  mov %eax,%es
  movl $task,TSSB+0x20
  movl $2,TSSB+0x24
  movl $0x6800,TSSB+0x38
  movl $0x10,TSSB+0x48
  movl $8,TSSB+0x4c
  movl $0x10,TSSB+0x50
  movl $0x10,TSSB+0x54
  mov $0xabcd,%ebx
  AT
  lcall $0x40,$0
  mov %ebx,%eax
  call hex
  mov g38+4,%eax
  call hex
  mov g40+4,%eax
  call hex
  lcall $0xa0,$0
  mov TSSB,%eax
  movzx %ax,%eax
  call hex
  str %eax
  call hex
  mov %cr0,%eax
  and $8,%eax
  call hex
  clts
  NAME "task jmp"
  movl $task2,TSSB+0x20
  movl $2,TSSB+0x24
  ljmp $0x40,$0
  call hex
  str %eax
  call hex
  mov g40+4,%eax
  call hex
  NAME "16-bit task"
  movw $task16,TSSC+0x0e
  movw $2,TSSC+0x10
  movw $0x6900,TSSC+0x1a
  movw $0x10,TSSC+0x22
  movw $8,TSSC+0x24
  movw $0x10,TSSC+0x26
  movw $0x10,TSSC+0x28
  lcall $0x48,$0
  mov g48+4,%eax
  call hex
  NAME "interrupt by task gate"
  movw $0x40,IDT+0x73*8+2
  movw $0xe500,IDT+0x73*8+4
  movl $taskint,TSSB+0x20
  movl $2,TSSB+0x24
  int $0x73
  movw $0x40,IDT+0xd*8+2
  movw $0x8500,IDT+0xd*8+4
  movl $taskfault,TSSB+0x20
  movl $2,TSSB+0x24
  movl $0x6800,TSSB+0x38
  TRY
  mov $0x101,%eax
faulting: mov %eax,%es
  CATCH
  movw $8,IDT+0xd*8+2
  movw $0x8e00,IDT+0xd*8+4
  NAME "busy task"
  TRY
  AT
  lcall $0x38,$0
  CATCH
  NAME "paging 32"
  # directory 0x30000, table 0x31000 for 0..4M, 4M pages
  mov $0x30000,%edi
  xor %eax,%eax
  mov $0x800,%ecx
  rep stosl
  movl $0x31007,0x30000
  movl $0x32007,0x30004
  movl $0x00000087,0x30008
  movl $0x00002087,0x3000c       # 4 MiB page with address bit 32.. 
  movl $0x00200087,0x30010       # reserved
  mov $0x31000,%edi
  mov $7,%eax
1: stosl
  add $0x1000,%eax
  cmp $0x400007,%eax
  jb 1b
  movl $0x00060007,0x32000
  movl $0x00061003,0x32004
  movl $0x00062005,0x32008
  movl $0x00063001,0x3200c
  mov $0x30000,%eax
  mov %eax,%cr3
  mov %cr4,%eax
  or $0x10,%eax
  mov %eax,%cr4
  mov %cr0,%eax
  or $0x80000000,%eax
  mov %eax,%cr0
  TRY
  AT
  mov 0x404000,%eax
  CATCH
  TRY
  AT
  mov %eax,0x404ffe
  CATCH
  mov %eax,0x403000            # no WP
  mov %eax,0x402000
  mov 0x32008,%eax
  call hex
  mov %cr0,%eax
  or $0x10000,%eax
  mov %eax,%cr0
  TRY
  AT
  mov %eax,0x403000
  CATCH
  TRY
  AT
  mov 0x1000000,%eax
  CATCH
  mov 0x800000,%eax
  mov %eax,0x800ffc
  mov 0x30008,%eax
  call hex
  mov 0x30004,%eax
  call hex
  USER u_pf1
  USER u_pf2
  USER u_pf3
  USER u_int80
  mov %cr0,%eax
  and $0x7ffeffff,%eax
  mov %eax,%cr0
  NAME "paging pae"
  mov $0x38000,%edi
  xor %eax,%eax
  mov $0x1800,%ecx
  rep stosl
  movl $0x39001,0x38000
  movl $0x3a007,0x39000
  movl $0x00200087,0x39008
  movl $0x3b007,0x39010
  movl $0x00008087,0x39018       # reserved bit of a large page
  mov $0x3a000,%edi
  mov $7,%eax
1: stosl
  movl $0,(%edi)
  add $4,%edi
  add $0x1000,%eax
  cmp $0x200007,%eax
  jb 1b
  movl $0x60007,0x3b000
  movl $0x80000000,0x3b004
  movl $0x61007,0x3b008
  movl $0x00100000,0x3b00c
  mov $0x38000,%eax
  mov %eax,%cr3
  mov %cr4,%eax
  or $0x20,%eax
  mov %eax,%cr4
  mov $0xc0000080,%ecx
  rdmsr
  or $0x800,%eax
  wrmsr
  mov %cr0,%eax
  or $0x80000000,%eax
  mov %eax,%cr0
  TRY
  AT
  mov 0x402000,%eax
  CATCH
  TRY
  movb $0xc3,0x400000
  AT
  call 0x400000
  CATCH
  TRY
  AT
  call *nxptr
  CATCH
.ifndef QEMU
  TRY
  AT
  mov 0x401000,%eax
  CATCH
  TRY
  AT
  mov 0x600000,%eax
  CATCH
.endif
  TRY
  AT
  mov 0x40000000,%eax
  CATCH
  mov %eax,0x200000
  mov 0x39008,%eax
  call hex
  mov %cr0,%eax
  and $0x7fffffff,%eax
  mov %eax,%cr0
  NAME "sysenter"
  mov $0x174,%ecx
  mov $8,%eax
  xor %edx,%edx
  wrmsr
  inc %ecx
  mov $0x6f00,%eax
  wrmsr
  inc %ecx
  mov $senter,%eax
  wrmsr
  movl $0x46000,%ecx
  USER u_sysenter
  NAME "single step over int"
  AT
  pushf
  orl $0x100,(%esp)
  popf
  int $0x80
  nop
  pushf
  andl $~0x100,(%esp)
  popf
  NAME "back to real mode"
  lidt rmidt
  ljmp $0x68,$1f
.code16
1: mov $0x70,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  mov %ax,%fs
  mov %ax,%gs
  mov %cr0,%eax
  and $0xfffffffe,%eax
  mov %eax,%cr0
  ljmp $0,$1f
1: xor %ax,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  mov $0x7c00,%sp
  int $0x7f
  mov $0xf4,%dx
  out %al,%dx
  hlt
.p2align 2
rmidt: .word 0x3ff
  .long 0
v86: nop
  mov %ds,%ax
  mov %cs:v86,%bx
  push %ax
  popf
  sti
  cli
  pushf
  pop %cx
  int $0x80
v_cli: cli
v_int: int $0x80
v_pushf: pushf
v_in: in $0x60,%al
v_iret: iret
v_hlt: hlt
v_lar: lar %ax,%bx
v_popf: popf
.code32
bounds: .long 0,10
nxptr: .long 0x400000
gate32:
  PRINTC 'g'
  mov %cs,%eax
  call hex
  mov %ss,%eax
  call hex
  mov %esp,%eax
  call hex
  mov (%esp),%eax
  sub base,%eax
  call hex
  .irp n,4,8,12,16,20
  mov \n(%esp),%eax
  call hex
  .endr
  testb $3,4(%esp)
  jz 1f
  lret $8
1: lret
gate16:
  PRINTC 'h'
  mov %esp,%eax
  call hex
  .irp n,2,4,6,8,10
  movzwl \n(%esp),%eax
  call hex
  .endr
  testb $3,2(%esp)
  jz 1f
  lretw $4
1: lretw
gate1:
  mov $0x20,%eax
  mov %eax,%ds
  mov %esp,%eax
  mov %cs,%ebx
  mov %ss,%ecx
  lret
ring1: mov $0x30,%eax
  mov %eax,%ds
  in $0x60,%al
  cli
  int $0x80
  hlt
u_int80: int $0x80
  hlt
u_hlt: hlt
u_in60: in $0x60,%al
u_in61: mov $0x61,%dx
  in %dx,%al
  mov $0x7c,%dx
  in %dx,%eax
  inc %edx
  in %dx,%eax
u_in16: mov $0x5f,%dx
  in %dx,%ax
u_out: mov $'o',%al
  mov $0x20,%ecx
  mov %ecx,%ds
  out %al,$0xe9
  out %al,$0x21
  mov $0x1234,%dx
  out %al,%dx
u_cli: cli
u_popf: pushl $0x247ed7
  popf
  pushf
  pop %eax
  int $0x80
u_int81: int $0x81
u_gate: mov $0x23,%eax
  mov %eax,%ds
  pushl $0x1111
  pushl $0x2222
  lcall $0x93,$0
  mov %esp,%eax
  int $0x80
  hlt
u_gate16: pushw $0x1111
  pushw $0x2222
  lcall $0x9b,$0
  hlt
u_gate1: lcall $0xb3,$0
  int $0x80
  hlt
u_ds: mov $0x10,%eax
  mov %eax,%ds
u_conforming: lcall $0x8b,$1f
1: int $0x80
  hlt
u_lret: pushl $8
  pushl $0
  lret
u_int72: int $0x72
u_pf1: mov $0x23,%eax
  mov %eax,%ds
  mov 0x401000,%eax
u_pf2: mov $0x23,%eax
  mov %eax,%ds
  mov %eax,0x402000
u_pf3: mov $0x500000,%eax
  jmp *%eax
u_sysenter:
  mov $0x46000,%ecx
  mov $1f,%edx
  sysenter
1: int $0x80
  hlt
senter:
  PRINTC 'e'
  mov %cs,%eax
  call hex
  mov %ss,%eax
  call hex
  mov %esp,%eax
  call hex
  pushf
  pop %eax
  call hex
  sysexit
task:
  PRINTC 't'
  mov %ebx,%eax
  call hex
  pushf
  pop %eax
  call hex
  str %eax
  call hex
  mov TSSB,%eax
  movzx %ax,%eax
  call hex
  mov g38+4,%eax
  call hex
  mov g40+4,%eax
  call hex
  mov TSSA+0x24,%eax
  call hex
  mov TSSA+0x20,%eax
  sub base,%eax
  call hex
  mov $0x77,%ebx
  iret
  PRINTC 'T'
  iret
task2:
  PRINTC 'j'
  pushf
  pop %eax
  call hex
  str %eax
  call hex
  mov g38+4,%eax
  call hex
  ljmp $0x38,$0
task16:
  PRINTC 'w'
  pushf
  pop %eax
  and $0xffff,%eax
  call hex
  mov %esp,%eax
  movzx %ax,%eax
  call hex
  mov TSSC,%eax
  movzx %ax,%eax
  call hex
  iret
taskint:
  PRINTC 'i'
  pushf
  pop %eax
  call hex
  mov %esp,%eax
  call hex
  iret
taskfault:
  PRINTC 'f'
  pop %eax
  call hex
  mov TSSA+0x20,%eax
  sub $faulting,%eax
  call hex
  mov TSSA+0x28,%eax
  call hex
  movl $0x10,TSSA+0x28
  mov resume,%eax
  mov %eax,TSSA+0x20
  iret
