# Virtual-8086 mode with CR4.VME: VIF for IF, interrupts redirected to the program's own handlers, IRET, what still reaches the monitor.
.code16
.globl _start
_start:
  cli
  xor %ax,%ax
  mov %ax,%ds
  mov %ax,%ss
  mov $0x7c00,%sp
  movw $own,(0x21*4)        # the program's own handlers
  movw $0,(0x21*4+2)
  movw $own,(0x23*4)
  movw $0,(0x23*4+2)
  lgdt gdtr
  lidt idtr
  mov %cr0,%eax
  or $1,%al
  mov %eax,%cr0
  ljmp $8,$1f
.code32
1:mov $16,%ax
  mov %ax,%ds
  mov %ax,%es
  mov %ax,%ss
  mov $0x7000,%esp
  # the task state: stack of ring 0, redirection bits behind 68h, then an I/O map that allows all of the first 256 ports
  mov $tss,%edi
  xor %eax,%eax
  mov $(0x68+32+32+1)/4+1,%ecx
  cld
  rep stosl
  movl $0x7000,tss+4
  movw $16,tss+8
  movw $0x88,tss+0x66
  movb $0xff,tss+0x88+32
  movb $0x04,tss+0x68+4     # interrupt 22h goes to the monitor
  mov $0x18,%ax
  ltr %ax
  mov %cr4,%eax
  or $1,%al
  mov %eax,%cr4
  mov $0,%ebx               # IOPL 0 first, then 3
again:
  mov $0x7000,%esp
  pushl $0
  pushl $0
  pushl $0
  pushl $0
  pushl $0                  # SS
  pushl $0x6000             # ESP
  mov $0x20002,%eax
  or %ebx,%eax
  pushl %eax
  pushl $0                  # CS
  pushl $program
  iretl
.code16
program:
  call flags                # IF as it is seen
  sti
  call flags
  int $0x21                 # redirected: what was pushed, what is left
  call flags
  int $0x22                 # to the monitor
  cli
  call flags
  int $0x23
  call flags
  pushw $0x202
  popfw
  call flags
  pushw $0x102              # TF: refused where VIF is IF
  popfw
  nop
  pushl $0x2
  popfl                     # 32 bits: refused
  hlt                       # refused always: the monitor goes on
flags:
  pushfw
  pop %ax
  call hex
  ret
own:
  push %bp
  mov %sp,%bp
  mov 6(%bp),%ax
  pop %bp
  call hex                  # what was pushed
  call flags                # what is left
  iret
hex:
  mov $4,%cx
1:rol $4,%ax
  push %ax
  and $15,%al
  cmp $10,%al
  jb 2f
  add $39,%al
2:add $48,%al
  out %al,$0xe9
  pop %ax
  loop 1b
  mov $32,%al
  out %al,$0xe9
  ret
.code32
gp:                         # error code, EIP, CS, EFLAGS: the instruction is left out
  push %eax
  mov $'G',%al
  out %al,$0xe9
  mov 8(%esp),%eax
  cmpb $0xf4,%cs:(%eax)
  je next
  cmpb $0xcd,%cs:(%eax)
  jne 1f
  incl 8(%esp)
1:cmpb $0x66,%cs:(%eax)
  jne 2f
  incl 8(%esp)
  addl $2,20(%esp)
2:cmpb $0x9d,%cs:(%eax)
  jne 3f
  addl $2,20(%esp)
3:incl 8(%esp)
  mov 16(%esp),%eax         # VIF, VM as the monitor sees them
  shr $16,%eax
  and $0xa,%al
  add $48,%al
  cmp $57,%al
  jbe 4f
  add $39,%al
4:out %al,$0xe9
  mov $32,%al
  out %al,$0xe9
  pop %eax
  add $4,%esp
  iretl
int22:
  push %eax
  mov $'M',%al
  out %al,$0xe9
  mov $32,%al
  out %al,$0xe9
  pop %eax
  iretl
db:
  push %eax
  mov $'T',%al
  out %al,$0xe9
  mov $32,%al
  out %al,$0xe9
  pop %eax
  andl $~0x100,8(%esp)
  iretl
next:
  mov $10,%al
  out %al,$0xe9
  test %ebx,%ebx
  jnz 9f
  mov $0x3000,%ebx
  jmp again
9:mov $0xf4,%dx
  out %al,%dx
  hlt
  .balign 8
gdt:
  .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
  .word 0x68+32+32, tss, 0x8900, 0
gdtr: .word gdtr-gdt-1
  .long gdt
  .balign 8
idt:
  .quad 0
  .word db, 8, 0x8e00, 0
  .rept 11
  .quad 0
  .endr
  .word gp, 8, 0x8e00, 0
  .rept 0x22-14
  .quad 0
  .endr
  .word int22, 8, 0xee00, 0
idtr: .word 0x23*8-1
  .long idt
  .balign 16
tss:
