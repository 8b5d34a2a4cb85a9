/*
 * Runs single x86 instructions on the processor that executes this program, in user mode, and reports the state after
 * each: a child process is stepped by ptrace.
 *
 * In: u8 image[SIZE] of the memory at BASE, then cases { u32 length, u32 mode (32 or 64), u8 code[16], u64 r[18], u8 x[832] }
 * repeated; r is rax rbx rcx rdx rsi rdi rsp rbp r8..r15 rip rflags, x the XSAVE area up to the high halves of the YMM
 * registers. Out, per case: { i32 vector (-1: none, -2: not to be used), u32 count, u64 r[18], u8 x[832],
 * count * { u32 offset, u32 byte } }: bytes of the memory that changed.
 *
 * cc -O1 -o x86-step x86-step.c
 */
#define _GNU_SOURCE
#include <elf.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE 0x100000
#define SIZE 0x10000
#define CODE 0x5000
#define AREA 832
/* Iterations of a repeated string instruction. */
#define STEPS 200

struct in { uint32_t length, mode; uint8_t code[16]; uint64_t r[18]; uint8_t x[AREA]; };
struct out { int32_t vector; uint32_t count; uint64_t r[18]; uint8_t x[AREA]; };

static uint8_t image[SIZE], *memory, initial[16384];
static size_t initial_size;
static struct user_regs_struct initial_regs;
static pid_t child;

static int all(int fd, void *buffer, size_t size, int writing) {
  for (uint8_t *at = buffer; size > 0;) {
    ssize_t n = writing ? write(fd, at, size) : read(fd, at, size);
    if (n <= 0) return 0;
    at += n;
    size -= n;
  }
  return 1;
}

static void start(void) {
  int status;
  child = fork();
  if (child < 0) exit(1);
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    for (;;) pause();
  }
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL);
  struct iovec v = { initial, sizeof initial };
  if (ptrace(PTRACE_GETREGS, child, 0, &initial_regs) != 0) exit(1);
  if (ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &v) != 0) exit(1);
  initial_size = v.iov_len;
}

static unsigned long long *slots(struct user_regs_struct *u, unsigned long long *out[18]) {
  unsigned long long *all_slots[18] = { &u->rax, &u->rbx, &u->rcx, &u->rdx, &u->rsi, &u->rdi, &u->rsp, &u->rbp, &u->r8,
    &u->r9, &u->r10, &u->r11, &u->r12, &u->r13, &u->r14, &u->r15, &u->rip, &u->eflags };
  memcpy(out, all_slots, sizeof all_slots);
  return 0;
}

static int vector_of(int signal, const siginfo_t *info, int x87) {
  switch (signal) {
  case SIGILL: return 6;
  case SIGFPE: return info->si_code == FPE_INTDIV ? 0 : x87 ? 16 : 19;
  case SIGSEGV: return info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR ? 14 : 13;
  case SIGBUS: return info->si_code == BUS_ADRALN ? 17 : 12;
  default: return -2;
  }
}

static int step(const struct in *c, struct user_regs_struct *after) {
  for (int n = 0; n < STEPS; n++) {
    int status;
    siginfo_t info;
    if (ptrace(PTRACE_SINGLESTEP, child, 0, 0) != 0) exit(1);
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
      start();
      return -2;
    }
    int signal = WSTOPSIG(status);
    ptrace(PTRACE_GETSIGINFO, child, 0, &info);
    ptrace(PTRACE_GETREGS, child, 0, after);
    if (signal != SIGTRAP) return vector_of(signal, &info, (c->code[0] & 0xf8) == 0xd8);
    if (info.si_code == SI_KERNEL) return 3;
    if (after->rip != BASE + CODE) return -1;
  }
  return -2;
}

int main(void) {
  int fd = memfd_create("memory", 0);
  if (fd < 0 || ftruncate(fd, SIZE) != 0) return 1;
  memory = mmap((void *)BASE, SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  if (memory != (void *)BASE || !all(0, image, SIZE, 0)) return 1;
  start();
  struct in c;
  while (all(0, &c, sizeof c, 0)) {
    struct user_regs_struct u = initial_regs;
    unsigned long long *at[18];
    uint8_t area[sizeof initial];
    static uint32_t changes[2 * SIZE];
    struct out out = { 0 };
    memcpy(memory, image, SIZE);
    memcpy(memory + CODE, c.code, c.length);
    slots(&u, at);
    for (int n = 0; n < 18; n++) *at[n] = c.r[n];
    u.eflags |= 0x200;
    u.orig_rax = -1;
    if (c.mode == 32) u.cs = 0x23, u.ds = u.es = u.ss = 0x2b;
    memcpy(area, initial, initial_size);
    memcpy(area, c.x, AREA);
    struct iovec v = { area, initial_size };
    if (ptrace(PTRACE_SETREGS, child, 0, &u) != 0 || ptrace(PTRACE_SETREGSET, child, NT_X86_XSTATE, &v) != 0) return 1;
    struct user_regs_struct after = u;
    out.vector = step(&c, &after);
    struct iovec w = { area, sizeof area };
    memset(area, 0, sizeof area);
    if (ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &w) != 0) return 1;
    slots(&after, at);
    for (int n = 0; n < 18; n++) out.r[n] = *at[n];
    memcpy(out.x, area, AREA);
    for (uint32_t n = 0; n < SIZE; n++)
      if (memory[n] != image[n] && (n < CODE || n >= CODE + 16))
        changes[2 * out.count] = n, changes[2 * out.count++ + 1] = memory[n];
    if (!all(1, &out, sizeof out, 1) || !all(1, changes, out.count * 8, 1)) return 1;
  }
  return 0;
}
