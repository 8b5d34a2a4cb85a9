.code16
.globl _start
_start:
  cli
  xor %ax,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  mov $0x7c00,%sp
  # page tables at 0x10000: clear 0x10000..0x18000
  mov $0x1000,%ax
  mov %ax,%es
  xor %di,%di
  xor %ax,%ax
  mov $0x4000,%cx
  rep stosw
  movl $0x11007,%es:0x0000
  movl $0x12007,%es:0x1000
  movl $0x00000083,%es:0x2000     # supervisor, 2 MiB at 0
  movl $0x00000087,%es:0x2008     # the same for users at 2 MiB
  movl $0x00013007,%es:0x2010     # test pages at 4 MiB
  movl $0x00080007,%es:0x3000     # 0: user rw
  movl $0x00081003,%es:0x3008     # 1: supervisor rw
  movl $0x00082005,%es:0x3010     # 2: user ro
  movl $0x00083001,%es:0x3018     # 3: supervisor ro
  movl $0x00084007,%es:0x3020     # 4: user rw nx
  movl $0x80000000,%es:0x3024
  movl $0x00085007,%es:0x3028     # 5: reserved bit
  movl $0x00080000,%es:0x302c
  movl $0x00000000,%es:0x3030     # 6: absent
  movl $0x00087107,%es:0x3038     # 7: global
  xor %ax,%ax
  mov %ax,%es
  lgdt gdtr
  mov $0x10000,%eax
  mov %eax,%cr3
  mov $0x620,%eax                  # PAE, OSFXSR, OSXMMEXCPT
  mov %eax,%cr4
  mov $0xc0000080,%ecx
  rdmsr
  or $0x901,%eax                   # LME, SCE, NXE
  wrmsr
  mov %cr0,%eax
  or $0x80010001,%eax              # PG, WP, PE
  and $0x9fffffff,%eax
  mov %eax,%cr0
  ljmp $8,$start64
.p2align 3
gdtr: .word gdtend-gdt-1
  .long gdt
.p2align 3
gdt:
  .quad 0
  .quad 0x00af9b000000ffff  # 08 kernel code 64
  .quad 0x00cf93000000ffff  # 10 kernel data
  .quad 0x00cffb000000ffff  # 18 user code 32
  .quad 0x00cff3000000ffff  # 20 user data
  .quad 0x00affb000000ffff  # 28 user code 64
  .quad 0x0000890000000000 + (0x67) + ((TSSA & 0xffffff) << 16) # 30 tss
  .quad 0
  .quad 0x00cf13000000ffff  # 40 absent data
  .quad 0x00af9f000000ffff  # 48 conforming code 64
  .quad 0x00cf9a000000ffff  # 50 kernel code 32, not accessed
  .quad 0x0000820000000000 + 0xff + (0x20000<<16) # 58 ldt
  .quad 0
  .quad 0  # 68 call gate, filled in
  .quad 0
  .quad 0x00cff1000000ffff  # 78 user read-only data
gdtend:
.set TSSA, 0x21000

.code64
.macro PRINTC c
  push %rax
  mov $\c,%al
  out %al,$0xe9
  pop %rax
.endm
.macro NAME name
  call newline
  lea 9f(%rip),%rax
  call puts
  jmp 8f
9: .asciz "\name"
8: 
.endm
.macro TRY
  lea 77f(%rip),%rax
  mov %rax,resume
.endm
.macro CATCH
77:
.endm
.macro GATE vec, addr, type, ist
  mov $\vec,%edi
  lea \addr(%rip),%rax
  mov $\type,%edx
  mov $\ist,%ecx
  call setgate
.endm
start64:
  mov $0x10,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  xor %ax,%ax
  mov %ax,%fs
  mov %ax,%gs
  mov $0x70000,%rsp
  # TSS
  mov $TSSA,%edi
  xor %eax,%eax
  mov $26,%ecx
  rep stosl
  movq $0x60000,TSSA+4
  movq $0x68000,TSSA+36
  movw $0x68,TSSA+102
  mov $0x30,%ax
  ltr %ax
  # IDT
  xor %ebx,%ebx
  lea stubs(%rip),%rsi
1: mov %ebx,%edi
  mov %rsi,%rax
  mov $0x8e,%edx
  xor %ecx,%ecx
  call setgate
  add $16,%rsi
  inc %ebx
  cmp $256,%ebx
  jb 1b
  movb $0xee,0x20000+0x80*16+5
  movb $0xee,0x20000+3*16+5
  movb $1,0x20000+0x70*16+4
  movb $0x8f,0x20000+0x71*16+5
  lidt idtr
  jmp tests
idtr: .word 0xfff
  .quad 0x20000
setgate: # edi vector, rax address, dl type, cl ist
  shl $4,%edi
  add $0x20000,%edi
  mov %ax,(%rdi)
  movw $8,2(%rdi)
  mov %cl,4(%rdi)
  mov %dl,5(%rdi)
  push %rax
  shr $16,%rax
  mov %ax,6(%rdi)
  shr $16,%rax
  mov %eax,8(%rdi)
  movl $0,12(%rdi)
  pop %rax
  ret
newline:
  PRINTC 10
  ret
puts: 
  push %rsi
  push %rax
  mov %rax,%rsi
1: lodsb
  test %al,%al
  jz 2f
  out %al,$0xe9
  jmp 1b
2: pop %rax
  pop %rsi
  ret
hex: # rax
  push %rax
  push %rbx
  push %rcx
  push %rdx
  mov %rax,%rbx
  PRINTC 32
  # number of significant nibbles
  mov $60,%ecx
1: mov %rbx,%rdx
  shr %cl,%rdx
  jnz 2f
  sub $4,%ecx
  jg 1b
  xor %ecx,%ecx
2: mov %rbx,%rax
  shr %cl,%rax
  and $15,%eax
  cmp $10,%al
  jb 3f
  add $39,%al
3: add $48,%al
  out %al,$0xe9
  sub $4,%ecx
  jns 2b
  pop %rdx
  pop %rcx
  pop %rbx
  pop %rax
  ret
.p2align 3
resume: .quad 0
base: .quad 0
.p2align 4
stubs:
.set v,0
.rept 256
  .p2align 4
  .if v==8 || v==10 || v==11 || v==12 || v==13 || v==14 || v==17
  .else
  push $0
  .endif
  pushq $v
  jmp common
  .set v,v+1
.endr
  .p2align 4
common: # vector, code, rip, cs, rflags, rsp, ss
  push %rax
  push %rbx
  PRINTC 91
  mov 16(%rsp),%rax
  call hex
  mov 24(%rsp),%rax
  call hex
  mov 32(%rsp),%rax
  call relative
  call hex
  mov 40(%rsp),%rax
  call hex
  mov 48(%rsp),%rax
  and $0xfffffffffffeffff,%rax
  call hex
  mov 56(%rsp),%rax
  call hex
  mov 64(%rsp),%rax
  call hex
  cmpb $14,16(%rsp)
  jne 1f
  mov %cr2,%rax
  call hex
1: cmpb $1,16(%rsp)
  jne 1f
  mov %dr6,%rax
  call hex
  orl $0x10000,48(%rsp)
  mov $0xffff0ff0,%eax
  mov %rax,%dr6
1: lea 24(%rsp),%rax
  and $0xfffff,%eax
  call hex
  PRINTC 93
  mov resume,%rax
  test %rax,%rax
  jz 2f
  mov %rax,32(%rsp)
  movq $8,40(%rsp)
  movq $2,48(%rsp)
  mov kstack,%rax
  mov %rax,56(%rsp)
  movq $0x10,64(%rsp)
  movq $0,resume
2: pop %rbx
  pop %rax
  add $16,%rsp
  iretq
kstack: .quad 0x6ff00
relative: # an address within the instruction under test, less its label
  push %rbx
  mov base,%rbx
  test %rbx,%rbx
  jz 1f
  sub %rbx,%rax
1: pop %rbx
  ret
.macro AT
  lea 66f(%rip),%rax
  mov %rax,base
  xor %eax,%eax
66:
.endm
# runs code at a label in ring 3, user alias
.macro USER label
  TRY
  pushq $0x23
  pushq $0x250000
  pushq $0x202
  pushq $0x2b
  lea \label(%rip),%rax
  mov %rax,base
  add $0x200000,%rax
  addq $0x200000,base
  push %rax
  xor %eax,%eax
  iretq
  CATCH
  mov $0x10,%eax
  mov %eax,%ds
  mov %eax,%es
.endm

tests:
  mov $0x6ff00,%rsp
  NAME "de"
  TRY
  AT
  xor %ecx,%ecx
  xor %edx,%edx
  div %ecx
  CATCH
  NAME "ud"
  TRY
  AT
  ud2
  CATCH
  NAME "int3"
  AT
  int3
  NAME "int80"
  AT
  int $0x80
  NAME "int1"
  TRY
  AT
  .byte 0xf1
  CATCH
  movq $0,resume
  NAME "ist"
  AT
  int $0x70
  NAME "trapgate"
  sti
  AT
  int $0x71
  cli
  NAME "noncanonical"
  TRY
  AT
  mov $0x8000000000000000,%rbx
  mov (%rbx),%eax
  CATCH
  NAME "noncanonical write"
  TRY
  AT
  mov $0x0000800000000000,%rbx
  mov %eax,(%rbx)
  CATCH
  NAME "noncanonical jump"
  TRY
  AT
  mov $0x0000800000000000,%rbx
  jmp *%rbx
  CATCH
.ifndef QEMU
  NAME "noncanonical stack"
  TRY
  AT
  mov $0x8000000000000000,%rbp
  mov (%rbp),%eax
  CATCH
  TRY
  AT
  mov $0x8000000000000000,%rbp
  mov %ds:(%rbp),%eax
  CATCH
  movb $1,0x20000+12*16+4
  TRY
  AT
  mov $0x8000000000000000,%rsp
  push %rax
  CATCH
.endif
  NAME "pf absent read"
  TRY
  AT
  mov 0x406123,%eax
  CATCH
  NAME "pf absent write"
  TRY
  AT
  mov %eax,0x406123
  CATCH
  NAME "pf ro write"
  TRY
  AT
  mov %eax,0x402004
  CATCH
  NAME "pf supervisor ro write"
  TRY
  AT
  mov %eax,0x403004
  CATCH
  NAME "ro write without WP"
  mov %cr0,%rax
  and $0xfffffffffffeffff,%rax
  mov %rax,%cr0
  TRY
  AT
  mov %eax,0x402004
  mov %eax,0x403004
  CATCH
  mov %cr0,%rax
  or $0x10000,%rax
  mov %rax,%cr0
  NAME "pf reserved"
  TRY
  AT
  mov 0x405000,%eax
  CATCH
  NAME "pf nx"
  TRY
  movb $0xc3,0x404000
  AT
  mov $0x404000,%ebx
  call *%rbx
  CATCH
  NAME "pf far away"
  TRY
  AT
  mov $0x7fffffffe000,%rbx
  mov 8(%rbx),%eax
  CATCH
  NAME "accessed, dirty"
  mov $0x13000,%ebx
  mov (%rbx),%rax
  call hex
  mov 0x400000,%cl
  mov (%rbx),%rax
  call hex
  mov %cl,0x400000
  mov (%rbx),%rax
  call hex
  mov 0x12000,%rax
  call hex
  mov 0x12008,%rax
  call hex
  mov 0x12010,%rax
  call hex
  mov 0x10000,%rax
  call hex
  mov 0x11000,%rax
  call hex
  NAME "split page store"
  TRY
  AT
  mov %rax,0x405ffc-0x4000
  CATCH
  TRY
  AT
  movq $-1,0x400ffc
  mov $0x1234567812345678,%rax
  mov %rax,0x402ffc-0x2000
  CATCH
  mov 0x400ff8,%rax
  call hex
  mov 0x401000,%rax
  call hex

  NAME "bad segment"
  TRY
  AT
  mov $0x70,%eax
  mov %eax,%ds
  CATCH
  NAME "absent segment"
  TRY
  AT
  mov $0x40,%eax
  mov %eax,%es
  CATCH
  NAME "beyond gdt"
  TRY
  AT
  mov $0x1f0,%eax
  mov %eax,%fs
  CATCH
  NAME "code to ss"
  TRY
  AT
  mov $8,%eax
  mov %eax,%ss
  CATCH
  NAME "null to ss"
  TRY
  AT
  xor %eax,%eax
  mov %eax,%ss
  CATCH
  mov %ss,%eax
  call hex
  mov $0x10,%eax
  mov %eax,%ss
  NAME "lldt"
  TRY
  AT
  mov $0x58,%eax
  lldt %ax
  sldt %eax
  call hex
  mov $0x10,%eax
  lldt %ax
  CATCH
  NAME "ltr busy"
  TRY
  AT
  mov $0x30,%eax
  ltr %ax
  CATCH
  NAME "lar lsl"
  .irp s,0x0,0x8,0x10,0x1b,0x23,0x2b,0x30,0x40,0x48,0x50,0x58,0x68,0x70,0x7b,0x1f0
  mov $\s,%ecx
  mov $0x5555,%eax
  lar %ecx,%eax
  pushfq
  call hex
  mov $0x5555,%eax
  lsl %ecx,%eax
  pushfq
  call hex
  pop %rax
  and $0x40,%eax
  pop %rbx
  and $0x40,%ebx
  add %ebx,%ebx
  or %ebx,%eax
  verr %cx
  setz %bl
  shl $2,%bl
  verw %cx
  setz %bh
  or %bh,%bl
  or %bl,%al
  movzx %ax,%eax
  call hex
  .endr
  NAME "accessed bit of 50"
  mov gdt+0x50,%rax
  call hex

.ifndef QEMU
  NAME "cr0 pg without pe"
  TRY
  AT
  mov $0x80000000,%eax
  mov %rax,%cr0
  CATCH
  NAME "cr0 high"
  TRY
  AT
  mov $0x180000011,%rax
  mov %rax,%cr0
  CATCH
  NAME "cr4 reserved"
  TRY
  AT
  mov %cr4,%rax
  bts $15,%eax
  mov %rax,%cr4
  CATCH
  NAME "cr4 without pae"
  TRY
  AT
  mov %cr4,%rax
  btr $5,%eax
  mov %rax,%cr4
  CATCH
.endif
  NAME "cr1"
  TRY
  AT
  .byte 0x0f,0x20,0xc8
  CATCH
  NAME "dr4"
  mov %dr4,%rax
  call hex
  mov %cr4,%rax
  or $8,%eax
  mov %rax,%cr4
  TRY
  AT
  mov %dr4,%rax
  CATCH
  mov %cr4,%rax
  and $~8,%eax
  mov %rax,%cr4
  NAME "crs"
  mov %cr0,%rax
  call hex
  mov %cr4,%rax
  call hex
  mov %cr3,%rax
  call hex
  smsw %rax
  and $0xffff,%eax
  call hex
  mov %dr7,%rax
  call hex
  mov $0xc0000080,%ecx
  rdmsr
  call hex

  NAME "swapgs and bases"
  mov $0xc0000101,%ecx
  mov $0x11112222,%eax
  mov $0x5555,%edx
  wrmsr
  mov $0xc0000102,%ecx
  mov $0x33334444,%eax
  mov $0x6666,%edx
  wrmsr
  swapgs
  rdmsr
  shl $32,%rdx
  or %rdx,%rax
  call hex
  mov $0xc0000101,%ecx
  rdmsr
  shl $32,%rdx
  or %rdx,%rax
  call hex
  mov %cr4,%rax
  or $0x10000,%rax
  mov %rax,%cr4
  rdgsbase %rax
  call hex
  mov $0x123456789a,%rax
  wrfsbase %rax
  rdfsbase %rbx
  mov %rbx,%rax
  call hex
  rdfsbase %ebx
  mov %rbx,%rax
  call hex
  mov $0x400000,%eax
  wrfsbase %rax
  mov $0x77,%ecx
  mov %ecx,%fs:8
  mov 0x400008,%eax
  call hex
.ifndef QEMU
  TRY
  AT
  mov $0x123456789abcdef0,%rax
  wrfsbase %rax
  CATCH
.endif
  NAME "fs selector"
  mov $0x20,%eax
  mov %eax,%fs
  rdfsbase %rax
  call hex
  xor %eax,%eax
  mov %eax,%fs
  rdfsbase %rax
  call hex

  NAME "single step"
  AT
  pushfq
  orq $0x100,(%rsp)
  popfq
  nop
  xor %ebx,%ebx
  pushfq
  andq $~0x100,(%rsp)
  popfq
  nop
  NAME "step over load of ss"
  AT
  mov $0x10,%ecx
  pushfq
  orq $0x100,(%rsp)
  popfq
  mov %ecx,%ss
  nop
  pushfq
  andq $~0x100,(%rsp)
  popfq
  NAME "step rep"
  AT
  mov $0x400000,%edi
  mov $3,%ecx
  pushfq
  orq $0x100,(%rsp)
  popfq
  rep stosb
  pushfq
  andq $~0x100,(%rsp)
  popfq
  NAME "data breakpoint"
  mov $0x400010,%eax
  mov %rax,%dr0
  mov $0x000d0402,%eax   # write, 4 bytes, global
  mov %rax,%dr7
  AT
  mov %eax,0x400010
  nop
  mov 0x400010,%eax
  movb $1,0x400013
  nop
  movb $1,0x400014
  NAME "read breakpoint"
  mov $0x000f0402,%eax
  mov %rax,%dr7
  AT
  mov 0x400010,%eax
  nop
  NAME "io breakpoint"
  mov %cr4,%rax
  or $8,%rax
  mov %rax,%cr4
  mov $0x80,%eax
  mov %rax,%dr0
  mov $0x00020402,%eax
  mov %rax,%dr7
  AT
  out %al,$0x80
  nop
  in $0x81,%al
  NAME "code breakpoint"
  lea bp1(%rip),%rax
  mov %rax,%dr1
  mov $0x00000408,%eax
  mov %rax,%dr7
  AT
  nop
bp1: nop
  mov $0x400,%eax
  mov %rax,%dr7

  NAME "call gate, same ring"
  lea gatetarget(%rip),%rax
  mov %ax,gdt+0x68
  movw $8,gdt+0x6a
  movw $0xec00,gdt+0x6c
  shr $16,%rax
  mov %ax,gdt+0x6e
  shr $16,%rax
  mov %eax,gdt+0x70
  AT
  lcall *gateptr
  NAME "user: call gate"
  USER u_gate
  NAME "user: int80"
  USER u_int80
  NAME "user: int 81"
  USER u_int81
  NAME "user: hlt"
  USER u_hlt
  NAME "user: cli"
  USER u_cli
  NAME "user: in"
  USER u_in
  NAME "user: supervisor page"
  USER u_super
  NAME "user: ro page"
  USER u_ro
  NAME "user: kernel code"
  USER u_kernel
  NAME "user: absent"
  USER u_absent
  NAME "user: popf"
  USER u_popf
  NAME "user: far to conforming"
  USER u_conforming
  NAME "user: segments"
  USER u_segments
  NAME "user: syscall"
  mov $0xc0000081,%ecx
  xor %eax,%eax
  mov $0x00180008,%edx
  wrmsr
  mov $0xc0000082,%ecx
  lea syscall_entry(%rip),%rax
  xor %edx,%edx
  wrmsr
  mov $0xc0000083,%ecx
  lea syscall_entry32(%rip),%rax
  xor %edx,%edx
  wrmsr
  mov $0xc0000084,%ecx
  mov $0x4700,%eax
  xor %edx,%edx
  wrmsr
  USER u_syscall
  NAME "user: compatibility mode"
  USER u_compat
  NAME "user: sysenter"
  mov $0x174,%ecx
  mov $8,%eax
  xor %edx,%edx
  wrmsr
  mov $0x175,%ecx
  mov $0x5f000,%eax
  wrmsr
  mov $0x176,%ecx
  lea sysenter_entry(%rip),%rax
  wrmsr
  USER u_sysenter
  NAME "iret to bad cs"
  TRY
  AT
  pushq $0x10
  pushq $0x70000
  pushq $2
  pushq $0x10
  pushq $0
  iretq
  CATCH
  NAME "iret to null cs"
  TRY
  AT
  pushq $0x10
  pushq $0x70000
  pushq $2
  pushq $0
  pushq $0
  iretq
  CATCH
  NAME "iret to bad ss"
  TRY
  AT
  pushq $0x10
  pushq $0x70000
  pushq $2
  pushq $0x2b
  pushq $0
  iretq
  CATCH
  NAME "retf"
  AT
  pushq $8
  lea 1f(%rip),%rax
  push %rax
  lretq
1: mov %rsp,%rax
  call hex
  NAME "smep"
  mov %cr4,%rax
  or $0x100000,%rax
  mov %rax,%cr4
  TRY
  AT
  movb $0xc3,0x400000
  mov $0x400000,%ebx
  call *%rbx
  CATCH
  NAME "smap"
  mov %cr4,%rax
  or $0x200000,%rax
  mov %rax,%cr4
  TRY
  AT
  mov 0x400000,%eax
  CATCH
  stac
  mov 0x400000,%al
  clac
  TRY
  AT
  mov 0x400000,%eax
  CATCH
  mov %cr4,%rax
  and $~0x300000,%rax
  mov %rax,%cr4
  NAME "pku"
  mov %cr4,%rax
  or $0x400000,%rax
  mov %rax,%cr4
  xor %ecx,%ecx
  rdpkru
  call hex
  movl $0x50000000,0x13004   # key 10
  mov $0x400000,%eax
  invlpg (%rax)
  mov 0x400000,%eax
  xor %edx,%edx
  mov $0x00200000,%eax       # write disable of key 10
  wrpkru
  mov 0x400000,%ebx
  TRY
  AT
  mov %eax,0x400000
  CATCH
  xor %ecx,%ecx
  xor %edx,%edx
  mov $0x00100000,%eax
  wrpkru
  TRY
  AT
  mov 0x400000,%ebx
  CATCH
  xor %eax,%eax
  xor %ecx,%ecx
  xor %edx,%edx
  wrpkru
  mov %cr4,%rax
  and $~0x400000,%rax
  mov %rax,%cr4
  movl $0,0x13004
  mov $0x400000,%eax
  invlpg (%rax)
  NAME "umip"
  mov %cr4,%rax
  or $0x800,%rax
  mov %rax,%cr4
  USER u_sgdt
  mov %cr4,%rax
  and $~0x800,%rax
  mov %rax,%cr4
  NAME "lea after sgdt"
  sgdt 0x400000
  movzwl 0x400000,%eax
  call hex
  mov 0x400002,%rax
  sub $gdt,%rax
  call hex
  NAME "xsetbv"
  mov %cr4,%rax
  or $0x40000,%rax
  mov %rax,%cr4
  xor %ecx,%ecx
  xor %edx,%edx
  mov $7,%eax
  xsetbv
  xgetbv
  call hex
  TRY
  AT
  xor %ecx,%ecx
  mov $6,%eax
  xsetbv
  CATCH
  TRY
  AT
  mov $1,%ecx
  mov $7,%eax
  xsetbv
  CATCH
  NAME "invalidation"
  mov 0x400000,%eax
  movl $0x00081007,0x13000
  mov $0x400000,%eax
  invlpg (%rax)
  movl $0x5a5a,0x401000
  mov 0x400000,%eax
  call hex
  movl $0x00080007,0x13000
  mov %cr3,%rax
  mov %rax,%cr3
  movl $0x1111,0x400000
  mov 0x401000,%eax
  call hex
  NAME "double fault"
  movb $0,0x20000+13*16+5
  movb $0,0x20000+11*16+5
  TRY
  AT
  mov $0x70,%eax
  mov %eax,%ds
  CATCH
  movb $0x8e,0x20000+13*16+5
  movb $0x8e,0x20000+11*16+5
  NAME "int limit"
  lidt idtr2
  TRY
  AT
  int $0x90
  CATCH
  lidt idtr
  NAME "done"
  call newline
  mov $0xf4,%dx
  xor %eax,%eax
  out %al,%dx
  hlt
idtr2: .word 0x8ff
  .quad 0x20000
gateptr: .long 0
  .word 0x68
gatetarget:
  PRINTC 'g'
  mov %cs,%eax
  call hex
  mov %ss,%eax
  call hex
  mov %rsp,%rax
  call hex
  mov (%rsp),%rax
  call relative
  call hex
  mov 8(%rsp),%rax
  call hex
  cmpw $0x2b,8(%rsp)
  jne 1f
  mov 16(%rsp),%rax
  call hex
  mov 24(%rsp),%rax
  call hex
1: lretq
gateptr3: .long 0
  .word 0x6b
.macro UHEX
  int $0x80
.endm
u_gate:
  lcall *gateptr3+0x200000
  mov %rsp,%rax
  int $0x80
  hlt
u_int80:
  nop
  int $0x80
  hlt
u_int81: int $0x81
  hlt
u_hlt: hlt
u_cli: cli
  hlt
u_in: in $0x60,%al
  hlt
u_super: mov 0x401000,%eax
u_ro: mov %eax,0x402000
u_kernel: mov $0x8000,%eax
  jmp *%rax
u_absent: mov %eax,0x406000
u_popf:
  pushq $0x7ed7
  popfq
  pushq $2
  nop
  int $0x80
  hlt
u_conforming:
  lea 1f(%rip),%rax
  pushq $0x4b
  push %rax
  lretq
1: hlt
u_segments:
  mov $0x23,%eax
  mov %eax,%ds
  mov $0x10,%eax
  mov %eax,%es
u_syscall:
  mov $0x250000,%rsp
  pushq $0xad7
  popfq
  syscall
  mov %rcx,%rbx
  int $0x80
  hlt
syscall_entry:
  PRINTC 's'
  mov %rcx,%rax
  call relative
  call hex
  mov %r11,%rax
  call hex
  pushfq
  pop %rax
  call hex
  mov %cs,%eax
  call hex
  mov %ss,%eax
  call hex
  mov %rsp,%rax
  call hex
  sysretq
syscall_entry32:
  PRINTC 'c'
  mov %rcx,%rax
  call relative
  call hex
  mov %r11,%rax
  and $0xff00,%eax
  call hex
  sysretl
u_compat:
  pushq $0x1b
  lea 1f(%rip),%rax
  push %rax
  lretq
.code32
1: mov $0x20,%eax
  mov %eax,%ss
  mov %eax,%ds
  mov $0x250000,%esp
  push %eax
  pop %ebx
  inc %eax
  int $0x80
  mov %esp,%eax
  call 2f
2: pop %ecx
  int $0x80
  syscall
  int $0x80
  ljmp $0x2b,$0x200000+3f
.code64
3: mov %cs,%eax
  int $0x80
  hlt
u_sysenter:
  mov $0x240000,%ecx
  lea 1f(%rip),%rdx
  sysenter
1: int $0x80
  hlt
sysenter_entry:
  PRINTC 'e'
  mov %cs,%eax
  call hex
  mov %ss,%eax
  call hex
  mov %rsp,%rax
  call hex
  pushfq
  pop %rax
  call hex
  # sysexit needs user segments at 8+16.. : 0x18/0x20 (32 bit), 0x28/0x30 (64 bit)
  sysexitq
u_sgdt: sgdt 0x240000
  hlt
