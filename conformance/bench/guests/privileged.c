/*
 * What traps, CSR accesses, fences, device registers and timer interrupts cost on the "virt" machine, without an
 * operating system. Prints "name picoseconds" lines, one set per round; the clock is mtime, 100 ns a tick.
 */
#include <stdint.h>

#define MSIP ((volatile uint32_t *)0x02000000)
#define MTIMECMP ((volatile uint32_t *)0x02004000)
#define MTIME ((volatile uint32_t *)0x0200bff8)
#define UART ((volatile uint8_t *)0x10000000)
#define TEST ((volatile uint32_t *)0x00100000)

#ifndef ROUNDS
#define ROUNDS 5
#endif
#define INTERRUPTS 5000

typedef unsigned long word;

/* Interrupts still to take. */
volatile word left;
/* Ticks to the next one. */
volatile word ahead;
static volatile word sink;

/* Skips the instruction that trapped; a timer interrupt arms the next one, some ticks ahead, until enough were taken. */
__asm__(
#if __riscv_xlen == 64
    ".macro store a, b\n sd \\a, \\b\n.endm\n.macro fetch a, b\n ld \\a, \\b\n.endm\n"
#else
    ".macro store a, b\n sw \\a, \\b\n.endm\n.macro fetch a, b\n lw \\a, \\b\n.endm\n"
#endif
    ".balign 4\n"
    "handler: addi sp, sp, -32\n store t0, 0(sp)\n store t1, 8(sp)\n"
    " la t0, left\n fetch t1, 0(t0)\n addi t1, t1, -1\n store t1, 0(t0)\n"
    " csrr t0, mcause\n bltz t0, 1f\n"
    " csrr t0, mepc\n addi t0, t0, 4\n csrw mepc, t0\n j 2f\n"
    "1: beqz t1, 3f\n li t0, 0x200bff8\n fetch t1, 0(t0)\n la t0, ahead\n fetch t0, 0(t0)\n add t1, t1, t0\n li t0, 0x2004000\n store t1, 0(t0)\n j 2f\n"
    "3: li t0, 128\n csrc mie, t0\n"
    "2: fetch t0, 0(sp)\n fetch t1, 8(sp)\n addi sp, sp, 32\n mret\n"
    ".section .text.start\n.globl _start\n"
    "_start: la sp, stack + 65536\n call main\n"
    ".bss\n.balign 16\nstack: .space 65536\n.text");
extern char handler[];

static void put(int c) { *UART = c; }

static void number(uint32_t v)
{
  char digits[12];
  int n = 0;
  do
    digits[n++] = '0' + v % 10;
  while (v /= 10);
  while (n) put(digits[--n]);
}

static void row(const char *name, uint32_t ticks, uint32_t count)
{
  while (*name) put(*name++);
  put(' ');
  /* ticks * 100,000 ps / count, in 32 bits. */
  uint32_t whole = ticks / count, rest = ticks % count;
  uint32_t ps = 0;
  for (int i = 0; i < 5; i++) {
    rest *= 10;
    ps = ps * 10 + rest / count;
    rest %= count;
  }
  number(whole * 100000u + ps);
  put('\n');
}

#define MEASURE(name, count, statement)            \
  do {                                             \
    uint32_t begin = *MTIME;                       \
    for (int i = 0; i < (count); i++) statement;   \
    row(name, *MTIME - begin, count);              \
  } while (0)
#define INSN(...) __asm__ volatile(__VA_ARGS__)

/* From one timer interrupt to the next, which is due so many ticks after the last one's handler read the time. */
static void interrupts(const char *name, word ticks)
{
  left = INTERRUPTS;
  ahead = ticks;
  MTIMECMP[1] = 0;
  MTIMECMP[0] = *MTIME + 1;
  uint32_t begin = *MTIME;
  __asm__ volatile("csrs mie, %0\ncsrsi mstatus, 8" ::"r"(128));
  while (left)
    ;
  __asm__ volatile("csrci mstatus, 8");
  row(name, *MTIME - begin, INTERRUPTS);
}

int main(void)
{
  __asm__ volatile("csrw mtvec, %0" ::"r"(handler));
  for (int round = 0; round < ROUNDS; round++) {
    MEASURE("clint-read", 100000, sink = *MTIME);
    MEASURE("clint-write", 100000, *MSIP = 0);
    MEASURE("uart-read", 100000, sink = UART[5]);
    MEASURE("uart-write", 100000, UART[7] = i);
    MEASURE("ecall-mret", 100000, INSN(".option push\n.option norvc\necall\n.option pop" ::: "memory"));
    MEASURE("csr-mscratch", 100000, INSN("csrrs zero, mscratch, zero\ncsrw mscratch, zero"));
    MEASURE("csr-mepc", 100000, INSN("csrrs t0, mepc, zero\ncsrw mepc, t0" ::: "t0"));
    MEASURE("csr-mstatus", 100000, INSN("csrsi mstatus, 2\ncsrci mstatus, 2"));
    MEASURE("csr-mie", 100000, INSN("csrr t0, mie\ncsrw mie, t0" ::: "t0"));
    MEASURE("rdtime", 100000, INSN("rdtime t0" ::: "t0"));
    MEASURE("sfence-vma", 20000, INSN("sfence.vma"));
    MEASURE("fence-i", 200000, INSN("fence.i"));
    interrupts("timer-irq", 1);
    interrupts("timer-irq-1us", 10);
  }
  *TEST = 0x5555;
  for (;;)
    ;
}
