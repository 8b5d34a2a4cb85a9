/** Bare-metal programs through the command line: the extensions of RV32 at work together, and harts that interrupt each other. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assemble } from "@mimus/target-riscv";
import { afterAll, expect, it } from "vitest";
import { runMimus } from "../lib/mimus.ts";

const folder = mkdtempSync(join(tmpdir(), "mimus-rv32-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(xlen: 32 | 64, source: string, ...args: string[]): { status: number; stdout: string; stderr: string } {
  const path = join(folder, `program-${xlen}.bin`);
  writeFileSync(path, assemble(source, { xlen, origin: 0x8000_0000n }).bytes);
  return runMimus([`system-riscv${xlen}`, "-M", "virt", "-m", "16", "-nographic", "-bios", path, ...args], {
    timeoutMs: 60_000,
  });
}

/** Ends the machine with exit status a0, after the checks have printed a letter each. */
const COMMON = `
.macro SAY letter
  li t0, 0x10000000
  li t1, \\letter
  sb t1, 0(t0)
.endm
# Ends with status n unless the registers agree.
.macro SAME a, b, n
  beq \\a, \\b, same\\@
  li a0, \\n
  j finish
same\\@:
.endm
.macro IS register, value, n
  li t6, \\value
  SAME \\register, t6, \\n
.endm
  j main
finish:
  beqz a0, 1f
  slli a0, a0, 16
  li t0, 0x3333
  or a0, a0, t0
  j 2f
1:
  li a0, 0x5555
2:
  li t0, 0x100000
  sw a0, 0(t0)
  j .
`;

const RV32 = `${COMMON}
main:
  la t0, trap
  csrw mtvec, t0
  la sp, stack

  # M
  li a0, -7
  li a1, 3
  mul a2, a0, a1
  IS a2, -21, 1
  mulh a2, a0, a1
  IS a2, -1, 1
  mulhu a2, a0, a1
  IS a2, 2, 1
  mulhsu a2, a0, a1
  IS a2, -1, 1
  div a2, a0, a1
  IS a2, -2, 1
  rem a2, a0, a1
  IS a2, -1, 1
  div a2, a0, zero
  IS a2, -1, 1
  li a0, 0x80000000
  li a1, -1
  div a2, a0, a1
  IS a2, 0x80000000, 1
  rem a2, a0, a1
  IS a2, 0, 1
  SAY 'M'

  # C: short ones, and long ones on odd halfwords
  c.li a0, 5
  c.addi a0, 3
  addi a1, a0, 100
  c.slli a0, 4
  c.mv a2, a0
  c.add a2, a0
  c.addi16sp sp, -32
  c.swsp a2, 8(sp)
  c.lwsp a3, 8(sp)
  c.addi16sp sp, 32
  IS a1, 108, 2
  IS a3, 256, 2
  c.li a0, 1
  c.jal short
  IS a0, 12, 2
  SAY 'C'

  # A
  la s0, word
  lr.w a0, (s0)
  addi a0, a0, 1
  sc.w a1, a0, (s0)
  IS a1, 0, 3
  sc.w a1, a0, (s0)
  IS a1, 1, 3
  li a0, -1
  amoadd.w a1, a0, (s0)
  IS a1, 42, 3
  amomaxu.w a1, a0, (s0)
  IS a1, 41, 3
  lw a1, 0(s0)
  IS a1, -1, 3
  SAY 'A'

  # F and D
  li t0, 0x2000
  csrs mstatus, t0
  li a0, 1
  li a1, 3
  fcvt.s.w fa0, a0
  fcvt.s.w fa1, a1
  fdiv.s fa2, fa0, fa1
  fmv.x.w a2, fa2
  IS a2, 0x3eaaaaab, 4
  frflags a2
  IS a2, 1, 4
  fcvt.d.w fa0, a0
  fcvt.d.w fa1, a1
  fdiv.d fa2, fa0, fa1
  la s0, double
  fsd fa2, 0(s0)
  lw a2, 0(s0)
  IS a2, 0x55555555, 4
  lw a2, 4(s0)
  IS a2, 0x3fd55555, 4
  fld fa3, 0(s0)
  fmadd.d fa3, fa3, fa1, fa1
  fcvt.w.d a2, fa3, rtz
  IS a2, 4, 4
  fsflags zero
  fdiv.d fa2, fa0, fa4
  fcvt.wu.d a2, fa2
  IS a2, -1, 4
  frflags a2
  IS a2, 0x18, 4
  SAY 'F'

  # Sv32: program and devices where they are, and a window at 0x40000000 whose pages come by page fault
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li s0, 0x80100000
  li t0, 0x80000000 >> 2 | 0xcf
  li t1, 0x80000000 >> 20 & 0xffc
  add t1, t1, s0
  sw t0, 0(t1)
  li t0, 0x10000000 >> 2 | 0xc7
  li t1, 0x10000000 >> 20 & 0xffc
  add t1, t1, s0
  sw t0, 0(t1)
  li t0, 0x80101000 >> 2 | 1
  li t1, 0x40000000 >> 20 & 0xffc
  add t1, t1, s0
  sw t0, 0(t1)
  srli t0, s0, 12
  li t1, 1 << 31
  or t0, t0, t1
  csrw satp, t0
  sfence.vma
  li t0, 0x1800
  csrc mstatus, t0
  li t0, 0x0800
  csrs mstatus, t0
  la t0, paged
  csrw mepc, t0
  mret
paged:
  li s1, 0x40000ffc
  lw a0, 0(s1)          # faults, comes back read-only
  IS a0, 0x5eed, 5
  li a0, 0x1234
  sw a0, 0(s1)          # faults, becomes writable
  lw a1, 0(s1)
  SAME a0, a1, 5
  la s1, unpaged
  ecall
unpaged:
  li t0, 0x80102ffc
  lw a1, 0(t0)
  IS a1, 0x1234, 5
  la t0, faults
  lw t0, 0(t0)
  IS t0, 2, 5
  SAY 'P'

  # Timer: half a millisecond
  li s0, 0x200bff8
  lw a0, 0(s0)
  lw a1, 4(s0)
  li t1, 5000
  add a0, a0, t1
  sltu t1, a0, t1
  add a1, a1, t1
  li s1, 0x2004000
  sw a1, 4(s1)
  sw a0, 0(s1)
  li t0, 1 << 7
  csrw mie, t0
  csrsi mstatus, 8
1:
  la t0, ticks
  lw t0, 0(t0)
  beqz t0, 1b
  csrci mstatus, 8
  lw a2, 0(s0)
  sub a2, a2, a0
  bgez a2, 2f
  li a0, 6
  j finish
2:
  SAY 'T'
  SAY '\\n'
  j end

short:
  addi a0, a0, 11
  c.jr ra

.balign 4
trap:
  csrrw s11, mscratch, s11
  csrr s11, mcause
  bltz s11, tick
  addi s11, s11, -9
  beqz s11, leave
  addi s11, s11, 9 - 13
  beqz s11, load_fault
  addi s11, s11, 13 - 15
  beqz s11, store_fault
  csrr a0, mcause
  addi a0, a0, 100
  j finish
# The page at 0x80102000, first readable, then writable.
load_fault:
  li s10, 0x80102000 >> 2 | 0x43
  j map
store_fault:
  li s10, 0x80102000 >> 2 | 0xc7
map:
  csrr s11, mtval
  li s9, 0x40000ffc
  bne s9, s11, bad
  li s11, 0x80101000
  sw s10, 0(s11)
  sfence.vma s9
  la s11, faults
  lw s10, 0(s11)
  addi s10, s10, 1
  sw s10, 0(s11)
  csrrw s11, mscratch, s11
  mret
bad:
  li a0, 99
  j finish
leave:
  csrw mepc, s1
  li s11, 0x1800
  csrs mstatus, s11
  mret
tick:
  la s11, ticks
  sw s11, 0(s11)
  li s10, -1
  li s11, 0x2004000
  sw s10, 4(s11)
  csrrw s11, mscratch, s11
  mret

end:
  csrr t0, mcause
  IS t0, 0x80000007, 6
  li a0, STATUS
  j finish

.balign 8
word: .word 41
ticks: .word 0
faults: .word 0
.balign 8
double: .dword 0
.zero 256
.balign 16
stack:
.org 0x80102ffc
.word 0x5eed
`;

const BACK_ENDS = ["interp", "wasm", "region"];

it.each(BACK_ENDS)("RV32IMAFDC with Sv32 and the timer: %s", { timeout: 120_000 }, (backend) => {
  const accel = ["-accel", `tcg,backend=${backend}`];
  expect(run(32, `STATUS = 0\n${RV32}`, ...accel)).toEqual({ status: 0, stdout: "MCAFPT\n", stderr: "" });
});

it("the exit status is the guest's", { timeout: 60_000 }, () => {
  expect(run(32, `STATUS = 77\n${RV32}`)).toEqual({ status: 77, stdout: "MCAFPT\n", stderr: "" });
});

/** Hart 0 asks, hart 1 answers, a hundred times; each sleeps until its software interrupt comes. */
const IPI = `${COMMON}
main:
  li s0, 0x2000000
  csrr s1, mhartid
  la s2, count
  li t0, 8
  csrw mie, t0
  la t0, trap
  csrw mtvec, t0
  bnez s1, answer

ask:
  lw s3, 0(s2)
  fence
  li t0, 1
  sw t0, 4(s0)
1:
  wfi
  csrr t0, mip
  andi t0, t0, 8
  beqz t0, 1b
  sw zero, 0(s0)
  fence
  lw s4, 0(s2)
  addi s3, s3, 1
  SAME s3, s4, 1
  li t0, 100
  bltu s3, t0, ask
  # once more, by trap
  csrsi mstatus, 8
  li t0, 1
  sw t0, 0(s0)
  nop
  li a0, 2
  j finish

answer:
  wfi
  csrr t0, mip
  andi t0, t0, 8
  beqz t0, answer
  sw zero, 4(s0)
  fence
  li t0, 1
  amoadd.w zero, t0, (s2)
  fence
  sw t0, 0(s0)
  j answer

.balign 4
trap:
  csrr t0, mcause
  IS t0, 1 << 63 | 3, 3
  SAY 'I'
  SAY '\\n'
  li a0, 0
  j finish
.balign 4
count: .word 0
`;

it.each([
  ["interp", "off"],
  ["wasm", "off"],
  ["interp", "on"],
  ["wasm", "on"],
  ["region", "off"],
])("two harts interrupt each other: %s, aclint=%s", { timeout: 120_000 }, (backend, aclint) => {
  const args = ["-smp", "2", "-M", `virt,aclint=${aclint}`, "-accel", `tcg,backend=${backend}`];
  expect(run(64, IPI, ...args)).toEqual({ status: 0, stdout: "I\n", stderr: "" });
});
