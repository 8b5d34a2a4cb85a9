/*
 * What port and memory-mapped accesses, exceptions, calls between rings and interrupts cost on a PC, without an
 * operating system: a multiboot program in 32 bits. Prints "name picoseconds" lines on the first serial port, one set
 * per round, then "done". The clock is the time stamp counter, whose rate the third channel of the timer tells.
 */
#include <stdint.h>

#ifndef ROUNDS
/* Of 20,000 each: most of them, and so their median, are of code that has been hot for a while. */
#define ROUNDS 15
#endif

typedef uint32_t u32;
typedef uint64_t u64;
typedef uint8_t u8;
#define INSN(...) __asm__ volatile(__VA_ARGS__)
#define REG32(address) (*(volatile u32 *)(address))

static inline void outb(uint16_t port, u8 v) { INSN("outb %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outw(uint16_t port, uint16_t v) { INSN("outw %0, %1" ::"a"(v), "Nd"(port)); }
static inline void outl(uint16_t port, u32 v) { INSN("outl %0, %1" ::"a"(v), "Nd"(port)); }
static inline u8 inb(uint16_t port) { u8 v; INSN("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u32 inl(uint16_t port) { u32 v; INSN("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }
static inline u64 tsc(void) { u64 v; INSN("rdtsc" : "=A"(v)); return v; }
static inline void wrmsr(u32 n, u32 low) { INSN("wrmsr" ::"c"(n), "a"(low), "d"(0)); }

/* Interrupts still to take; the first entry of the page table that faults fill. */
volatile u32 left;
u32 pages[1024] __attribute__((aligned(4096)));
static u32 directory[1024] __attribute__((aligned(4096)));
static volatile u32 sink;
/* What the emulator's calls between rings come back to. */
u32 kernel_esp;

__asm__(
    ".section .multiboot, \"a\"\n .balign 4\n .long 0x1badb002, 0, -0x1badb002\n .text\n"
    ".globl _start\n_start: cli\n cld\n movl $stack + 65536, %esp\n lgdt gdt_pointer\n"
    " ljmp $8, $1f\n1: movw $16, %ax\n movw %ax, %ds\n movw %ax, %es\n movw %ax, %ss\n"
    " xorl %eax, %eax\n movw %ax, %fs\n movw %ax, %gs\n call main\n2: hlt\n jmp 2b\n"
    ".bss\n .balign 16\nstack: .space 65536\nuser_stack: .space 65536\n.text\n"
    /* An interrupt that only returns. */
    "just_return: iret\n"
    /* Interrupt 0x81: back from ring 3 to where run_user was called. */
    "leave_user: movl kernel_esp, %esp\n movw $16, %ax\n movw %ax, %ds\n movw %ax, %es\n popal\n ret\n"
    /* Ring 3 at the address in eax. */
    ".globl run_user\nrun_user: movl 4(%esp), %eax\n pushal\n movl %esp, kernel_esp\n movw $0x23, %cx\n movw %cx, %ds\n movw %cx, %es\n"
    " pushl $0x23\n pushl $user_stack + 65536\n pushl $2\n pushl $0x1b\n pushl %eax\n iret\n"
    "sysenter_entry: sysexit\n"
    ".globl user_int\nuser_int: movl $20000, %ebx\n1: int $0x80\n decl %ebx\n jnz 1b\n int $0x81\n"
    ".globl user_sysenter\nuser_sysenter: movl $20000, %ebx\n1: movl %esp, %ecx\n movl $2f, %edx\n sysenter\n2: decl %ebx\n jnz 1b\n int $0x81\n"
    /* A page that is not there: maps it. */
    "page_fault: pushl %eax\n pushl %ecx\n movl %cr2, %eax\n shrl $12, %eax\n andl $1023, %eax\n"
    " movl $0x200003, pages(, %eax, 4)\n popl %ecx\n popl %eax\n addl $4, %esp\n iret\n"
    /* Interrupts count down; timers are armed anew. */
    "self_ipi: decl left\n movl $0, 0xfee000b0\n iret\n"
    "apic_timer: decl left\n jz 1f\n movl $1000, 0xfee00380\n1: movl $0, 0xfee000b0\n iret\n"
    "pit: pushl %eax\n movb $0x20, %al\n outb %al, $0x20\n decl left\n jz 1f\n movb $2, %al\n outb %al, $0x40\n movb $0, %al\n outb %al, $0x40\n"
    "1: popl %eax\n iret\n");
extern char just_return[], leave_user[], sysenter_entry[], user_int[], user_sysenter[], page_fault[], self_ipi[],
    apic_timer[], pit[], stack[];
void run_user(const void *code);

static u32 tss[26];
static u64 gdt[6] = {0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00cffa000000ffff, 0x00cff2000000ffff, 0};
struct pointer { uint16_t limit; const void *base; } __attribute__((packed));
const struct pointer gdt_pointer = {sizeof gdt - 1, gdt};
static struct { uint16_t low, selector, type, high; } idt[256];

static void gate(int vector, const void *handler, int ring)
{
  u32 at = (u32)handler;
  idt[vector].low = at;
  idt[vector].selector = 8;
  idt[vector].type = 0x8e00 | ring << 13;
  idt[vector].high = at >> 16;
}

static void put(char c)
{
  while (!(inb(0x3fd) & 0x20))
    ;
  outb(0x3f8, c);
}

static void number(u64 v)
{
  char digits[24];
  int n = 0;
  do
    digits[n++] = '0' + v % 10;
  while (v /= 10);
  while (n) put(digits[--n]);
}

static void text(const char *s)
{
  while (*s) put(*s++);
}

/* Ticks of the time stamp counter in 65535 periods of 1193182 Hz, which are 54,924,563 ns. */
static u64 rate;
#define RATE_PS 54924563000ull

static void calibrate(void)
{
  rate = ~0ull;
  for (int i = 0; i < 3; i++) {
    outb(0x61, 1);
    outb(0x43, 0xb0);
    outb(0x42, 0xff);
    outb(0x42, 0xff);
    u64 from = tsc();
    while (!(inb(0x61) & 0x20))
      ;
    u64 ticks = tsc() - from;
    if (ticks < rate) rate = ticks;
  }
}

static void row(const char *name, u64 ticks, u32 count)
{
  text(name);
  put(' ');
  number(ticks * (RATE_PS / count) / rate);
  put('\n');
}

#define MEASURE(name, count, statement)          \
  do {                                           \
    u64 begin = tsc();                           \
    for (u32 i = 0; i < (count); i++) statement; \
    row(name, tsc() - begin, count);             \
  } while (0)
#define N 20000
#define INTERRUPTS 5000

/* Enables interrupts until enough were taken. */
static void interrupts(const char *name, u64 begin)
{
  INSN("sti");
  while (left)
    ;
  INSN("cli");
  row(name, tsc() - begin, INTERRUPTS);
}

static void prepare(void)
{
  tss[1] = (u32)stack + 32768;
  tss[2] = 16;
  u32 base = (u32)tss;
  gdt[5] = (u64)(base >> 24) << 56 | 0x0000890000000000ull | (u64)(base & 0xffffff) << 16 | (sizeof tss - 1);
  INSN("ltr %w0" ::"r"(0x28));
  gate(0x0e, page_fault, 0);
  gate(0x20, pit, 0);
  gate(0x30, just_return, 0);
  gate(0x40, self_ipi, 0);
  gate(0x41, apic_timer, 0);
  gate(0x80, just_return, 3);
  gate(0x81, leave_user, 3);
  struct pointer pointer = {sizeof idt - 1, idt};
  INSN("lidt %0" ::"m"(pointer));
  /* Interrupt controllers at 0x20 and 0x28, all lines masked. */
  outb(0x20, 0x11), outb(0x21, 0x20), outb(0x21, 4), outb(0x21, 1), outb(0x21, 0xff);
  outb(0xa0, 0x11), outb(0xa1, 0x28), outb(0xa1, 2), outb(0xa1, 1), outb(0xa1, 0xff);
  /* Everything where it is, in pages of 4 MiB that ring 3 may use; the GiB at 1 GiB begins with an empty table. */
  for (u32 i = 0; i < 1024; i++) directory[i] = i << 22 | 0x87;
  directory[256] = (u32)pages | 7;
  u32 cr4;
  INSN("movl %%cr4, %0" : "=r"(cr4));
  INSN("movl %0, %%cr4" ::"r"(cr4 | 0x10));
  INSN("movl %0, %%cr3" ::"r"(directory));
  u32 cr0;
  INSN("movl %%cr0, %0" : "=r"(cr0));
  INSN("movl %0, %%cr0" ::"r"((cr0 | 0x80000000u) & ~0x60000000u));
  wrmsr(0x174, 8);
  wrmsr(0x175, (u32)stack + 16384);
  wrmsr(0x176, (u32)sysenter_entry);
}

static void faults(void)
{
  u64 ticks = 0;
  for (int i = 0; i < 20; i++) {
    for (int page = 0; page < 1024; page++) pages[page] = 0;
    INSN("movl %0, %%cr3" ::"r"(directory) : "memory");
    u64 begin = tsc();
    for (u32 page = 0; page < 1024; page++) sink = REG32(0x40000000 + page * 4096);
    ticks += tsc() - begin;
  }
  row("page-fault", ticks, 20 * 1024);
}

static void ring3(const char *name, const void *code)
{
  u64 begin = tsc();
  run_user(code);
  row(name, tsc() - begin, N);
}

int main(void)
{
  prepare();
  calibrate();
  u32 features, unused_;
  INSN("cpuid" : "=a"(unused_), "=d"(features) : "0"(1) : "ebx", "ecx");
  int apic = features >> 9 & 1;
  int hpet = (REG32(0xfed00000) >> 16) == 0x8086;
  if (hpet) REG32(0xfed00010) |= 1;
  if (apic) {
    wrmsr(0x1b, 0xfee00900);
    REG32(0xfee000f0) = 0x1ff;
    REG32(0xfee00350) = 0x700;
    REG32(0xfee003e0) = 11;
  }
  outl(0xcf8, 0x80000000);
  for (int round = 0; round < ROUNDS; round++) {
    MEASURE("port-read", N, sink = inb(0x3fd));
    MEASURE("port-write", N, outb(0x80, i));
    MEASURE("port-read-32", N, sink = inl(0xcfc));
    MEASURE("vga-write", N, *(volatile u8 *)0xb8000 = i);
    if (hpet) {
      MEASURE("hpet-read", N, sink = REG32(0xfed000f0));
      MEASURE("hpet-write", N, REG32(0xfed00020) = 0);
    }
    if (apic) {
      MEASURE("ioapic-read", N, sink = REG32(0xfec00010));
      MEASURE("ioapic-write", N, REG32(0xfec00000) = 0);
      MEASURE("lapic-read", N, sink = REG32(0xfee00020));
      MEASURE("lapic-write", N, REG32(0xfee00080) = 0);
    }
    MEASURE("int-iret", N, INSN("int $0x30"));
    ring3("user-int", user_int);
    ring3("user-sysenter", user_sysenter);
    faults();
    MEASURE("invlpg", N, INSN("invlpg 0x40000000" ::: "memory"));
    MEASURE("cr3-write", N, INSN("movl %0, %%cr3" ::"r"(directory) : "memory"));
    MEASURE("cpuid", N, INSN("cpuid" : "=a"(unused_) : "0"(0) : "ebx", "ecx", "edx"));
    MEASURE("rdtsc", N, sink = (u32)tsc());
    if (apic) {
      left = INTERRUPTS;
      INSN("sti");
      u64 begin = tsc();
      while (left) {
        u32 before = left;
        REG32(0xfee00300) = 0x44040;
        while (left == before)
          ;
      }
      row("self-ipi", tsc() - begin, INTERRUPTS);
      INSN("cli");
      left = INTERRUPTS;
      REG32(0xfee00320) = 0x41;
      begin = tsc();
      REG32(0xfee00380) = 1000;
      interrupts("apic-timer", begin);
    }
    left = INTERRUPTS;
    outb(0x21, 0xfe);
    u64 begin = tsc();
    outb(0x43, 0x30);
    outb(0x40, 2);
    outb(0x40, 0);
    interrupts("pit", begin);
    outb(0x21, 0xff);
  }
  text("done\n");
  /* ACPI's S5, where SeaBIOS has put the registers. */
  outw(0x604, 0x2000);
  for (;;) INSN("hlt");
}
