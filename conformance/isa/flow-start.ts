/** How images of random programs set up what they need of memory and of the system. */
import type { FlowMode } from "./flow-source.ts";

/** Virtual address of the scratch pages below page tables. */
export const WINDOW: number = 0x4000_0000;

/** Page tables at `root`: the image as it is, devices, and a window with the scratch pages: two apart, one that is read-only, none. */
export function paging(xlen: 32 | 64, mode: FlowMode): string {
  const user = mode === "U" ? 0x10 : 0;
  const rwx = 0xcf | user;
  const rw = 0xc7 | user;
  const r = 0x43 | user;
  const pages = [`scratch`, `scratch + 0x2000`, `scratch + 0x1000`];
  const entry = (page: string, bits: number): string => `((${page}) >> 12 << 10) + ${bits}`;
  const leaf = [entry(pages[0]!, rw), entry(pages[1]!, rw), entry(pages[2]!, r)];
  if (xlen === 32)
    return `
.balign 4096
root:
.zero ${4 * (WINDOW >>> 22)}
.word ${entry("leaves", 1)}
.zero ${4 * (0x200 - (WINDOW >>> 22) - 1)}
.word ${entry("0x80000000", rwx)}, ${entry("0x80400000", rwx)}
.balign 4096
leaves:
.word ${leaf.join(", ")}
.balign 4096
`;
  return `
.balign 4096
root:
.dword 0, ${entry("middle", 1)}, ${entry("0x80000000", rwx)}
.balign 4096
middle:
.dword ${entry("leaves", 1)}
.balign 4096
leaves:
.dword ${leaf.join(", ")}
.balign 4096
`;
}

/**
 * Start of a program with signals: what can't be done is skipped by a handler, as by the trap handler; a timer's signal comes now and then and
 * changes nothing. Of the scratch pages two can be written, one read, one nothing. Source: Linux, asm-generic system calls; RISC-V ucontext.
 */
export const SIGNALS: string = `
  la a0, scratch
  li a1, 0x2000
  li a2, 3
  li a7, 226
  ecall
  la a0, scratch + 0x2000
  li a1, 0x1000
  li a2, 1
  li a7, 226
  ecall
  la a0, scratch + 0x3000
  li a1, 0x1000
  li a2, 0
  li a7, 226
  ecall
  la a0, alternate
  li a1, 0
  li a7, 132
  ecall
  la s0, numbers
1: lw a0, (s0)
  beqz a0, 2f
  la a1, action
  li a2, 0
  li a3, 8
  li a7, 134
  ecall
  addi s0, s0, 4
  j 1b
2: la a1, often
  li a0, 0
  li a2, 0
  li a7, 103
  ecall
  j first
.balign 8
numbers: .word 4, 5, 7, 11, 14, 0
action: .dword handler, 0x08000004, 0
alternate: .dword alternate_stack, 0, 0x8000
often: .dword 0, 1000, 0, 1000
never: .dword 0, 0, 0, 0
.balign 4
handler:
  la t6, context
  li t0, 14
  beq a0, t0, 3f
  ld t1, 16(t6)
  add t1, t1, a0
  slli t0, t1, 5
  add t1, t1, t0
  ld t2, 176(a2)
  xor t1, t1, t2
  slli t0, t1, 7
  add t1, t1, t0
  sd t1, 16(t6)
  ld t1, 24(t6)
  addi t1, t1, 1
  sd t1, 24(t6)
  addi t3, t2, 4
  li t0, 11
  bne a0, t0, 4f
  ld t0, 16(a1)
  bne t0, t2, 4f
  ld t3, 48(t6)
4: sd t3, 176(a2)
  ret
3: ld t0, 64(t6)
  addi t0, t0, 1
  sd t0, 64(t6)
  ret
.balign 4
`;
