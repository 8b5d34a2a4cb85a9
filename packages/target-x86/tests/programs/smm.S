# Moves SMBASE from 30000h to 40000h by a first SMI, then counts in a second one.
.code16
.globl _start
_start:
  cli
  xor %ax,%ax
  mov %ax,%ds
  mov %ax,%ss
  mov $0x7c00,%sp
  mov $0x3800,%ax           # the handler at 38000h
  mov %ax,%es
  mov $handler,%si
  xor %di,%di
  mov $(end-handler),%cx
  cld
  rep movsb
  mov $0x4800,%ax           # and at 48000h
  mov %ax,%es
  mov $handler,%si
  xor %di,%di
  mov $(end-handler),%cx
  rep movsb
  xor %ax,%ax
  mov %ax,%es
  mov $0x11223344,%ebx
  mov $0x100,%dx
  mov $0xa5a5,%cx
  out %al,$0xb2
  mov %ebx,%eax
  call hex
  out %al,$0xb2
  mov %ebx,%eax
  call hex
  mov %cs,%ax
  movzwl %ax,%eax
  call hex
  pushf
  pop %ax
  movzwl %ax,%eax
  call hex
  mov $0xf4,%dx
  out %al,%dx
  hlt
hex: mov $8,%cx
1: rol $4,%eax
  push %ax
  and $15,%al
  cmp $10,%al
  jb 2f
  add $39,%al
2: add $48,%al
  out %al,$0xe9
  pop %ax
  loop 1b
  mov $32,%al
  out %al,$0xe9
  ret
handler:                    # CS.base is SMBASE, the segments are flat
  mov $'s',%al
  out %al,$0xe9
  mov %cs:0xfefc,%eax       # revision
  cmp $0x20064,%eax
  jne 3f
  addl $1,%cs:0xfff8-3*8    # saved RBX
  movl $0x40000,%cs:0xff00
  rsm
3: addl $1,%cs:0xffdc       # saved EBX
  movl $0x40000,%cs:0xfef8
  rsm
end:
