/*
 * Runs single RISC-V instructions on whatever executes this program (a processor, or qemu-riscv64) and reports the state
 * after each. A trap instruction fills the code area, so that wherever the instruction goes the next one traps; the
 * signal handler takes the state out of the signal frame and puts the next case's into it.
 *
 * In: { u32 length, u32 instruction, u64 x[32] (x[0] is pc), u64 f[32], u64 fcsr } repeated; out: { u64 signal, u64 x[32],
 * u64 f[32], u64 fcsr, u32 count, count * { u32 offset, u32 byte } } repeated: bytes of the data area that changed.
 *
 * riscv64-linux-gnu-gcc -O1 -static -Wl,--no-relax -o riscv-step riscv-step.c
 * (without relaxation nothing depends on gp, which belongs to the case).
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA ((uint8_t *)0x10000000)
#define CODE ((uint8_t *)0x20000000)
#define SIZE 0x10000
#define AT 0x8000

struct in { uint32_t length, instruction; uint64_t x[32], f[32], fcsr; };
struct out { uint64_t signal, x[32], f[32], fcsr; };

static uint8_t image[SIZE];
static struct in now;
static int running;
static uint64_t thread;

static void all(int fd, void *buffer, size_t size, int writing) {
  for (uint8_t *at = buffer; size > 0;) {
    ssize_t n = writing ? write(fd, at, size) : read(fd, at, size);
    if (n <= 0) _exit(writing || running > 1 ? 1 : 0);
    at += n;
    size -= n;
  }
}

static void trap(int signal, siginfo_t *info, void *context) {
  (void)info;
  __asm__ volatile("mv tp, %0" : : "r"(thread)); /* the C library's; the instruction's case has another */
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  ualarm(0, 0);
  if (running) {
    struct out out;
    static uint32_t changes[2 * SIZE];
    uint32_t count = 0;
    out.signal = signal;
    memcpy(out.x, m->__gregs, sizeof out.x);
    memcpy(out.f, m->__fpregs.__d.__f, sizeof out.f);
    out.fcsr = m->__fpregs.__d.__fcsr;
    for (uint32_t i = 0; i < SIZE; i++)
      if (DATA[i] != image[i]) changes[2 * count] = i, changes[2 * count + 1] = DATA[i], count++;
    all(1, &out, sizeof out, 1);
    all(1, &count, sizeof count, 1);
    all(1, changes, count * 8, 1);
    memcpy(DATA, image, SIZE);
  }
  running = 1;
  for (int i = 0; i < SIZE; i += 2) CODE[i] = 0x02, CODE[i + 1] = 0x90; /* c.ebreak */
  all(0, &now, sizeof now, 0);
  memcpy(CODE + AT, &now.instruction, now.length);
  ualarm(200000, 0); /* an instruction that jumps to itself */
  __builtin___clear_cache((char *)CODE, (char *)CODE + SIZE);
  memcpy(m->__gregs, now.x, sizeof now.x);
  memcpy(m->__fpregs.__d.__f, now.f, sizeof now.f);
  m->__fpregs.__d.__fcsr = now.fcsr;
}

int main(void) {
  __asm__ volatile("mv %0, tp" : "=r"(thread));
  int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (mmap(DATA, SIZE, prot, flags, -1, 0) != DATA || mmap(CODE, SIZE, prot | PROT_EXEC, flags, -1, 0) != CODE) return 2;
  all(0, image, SIZE, 0);
  memcpy(DATA, image, SIZE);
  stack_t stack = { .ss_sp = malloc(1 << 20), .ss_size = 1 << 20 };
  sigaltstack(&stack, 0);
  struct sigaction action = { .sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
  int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGALRM };
  for (unsigned i = 0; i < 6; i++) sigaction(signals[i], &action, 0);
  __asm__ volatile("ebreak");
  return 3;
}
