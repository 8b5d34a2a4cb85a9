/* Pointers that walk off what is mapped, or what may be written, in loops that are hot by then: the place of each fault. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define NOINLINE __attribute__((noinline, optimize("no-tree-loop-distribute-patterns", "no-tree-vectorize")))
static sigjmp_buf back;
static uint8_t *area, *hit;
static void fault(int sig, siginfo_t *info, void *context) {
  hit = info->si_addr;
  siglongjmp(back, sig);
}

static NOINLINE long up(volatile uint8_t *p, long n) { long s = 0; while (n--) s += *p++; return s; }
static NOINLINE long down(volatile uint8_t *p, long n) { long s = 0; while (n--) s += *--p; return s; }
static NOINLINE long copy(volatile uint8_t *to, volatile uint8_t *from, long n) {
  long s = 0;
  while (n--) { uint8_t c = *from++; if (c == 255) break; *to++ = c; s += c; }
  return s;
}
static NOINLINE long words(volatile uint64_t *p, long n) { long s = 0; while (n--) { s += *p; p += 3; } return s; }
static NOINLINE long fields(volatile uint32_t *p, long n) {
  long s = 0;
  while (n--) { s += p[0] + p[5]; p[1] = s; p[-2] = s; p += 8; }
  return s;
}
static NOINLINE long strides(volatile uint8_t *p, long n) { long s = 0; while (n--) { s += *p; p += 1500; } return s; }
static NOINLINE long jumps(volatile uint8_t *p, long n) {
  long s = 0;
  for (long step = 1; n--; step = step * 5 % 4093) {
    s += *p;
    long by = (s & 1) ? step : -step;
    p += by;
    s += p[0] & 1;
    p -= by;
  }
  return s;
}

#define TRY(what, call)                                                                                                \
  do {                                                                                                                 \
    hit = area;                                                                                                        \
    int sig = sigsetjmp(back, 1);                                                                                      \
    if (sig == 0) printf("%s: %ld\n", what, (long)(call));                                                             \
    else printf("%s: signal %d at %ld\n", what, sig, (long)(hit - area));                                              \
  } while (0)

int main(void) {
  struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  /* pages: 0 hole, 1-8 writable, 9 read-only, 10 hole, 11-12 writable, 13 hole */
  area = mmap(0, 14 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(area + 4096, 9 * 4096, PROT_READ | PROT_WRITE);
  mprotect(area + 11 * 4096, 2 * 4096, PROT_READ | PROT_WRITE);
  for (int i = 4096; i < 10 * 4096; i++) area[i] = i * 7 % 251;
  mprotect(area + 9 * 4096, 4096, PROT_READ);
  long s = 0;
  for (int round = 0; round < 3000; round++) {
    uint8_t *p = area + 8192 + round % 512;
    s += up(p, 60) + down(p + 100, 60) + copy(p + 600, p, 50) + words((uint64_t *)((uintptr_t)p & ~7), 20);
    s += fields((uint32_t *)(((uintptr_t)p & ~7) + 64), 8) + jumps(p + 4096, 20) + strides(p, 12);
  }
  printf("warm %ld\n", s);
  for (int from = 1; from < 4096; from += 173) {
    TRY("up", up(area + 10 * 4096 - from, 5000));
    TRY("down", down(area + 4096 + from, 5000));
    TRY("copy over the read-only page", copy(area + 9 * 4096 - from, area + 4096, 5000));
    TRY("copy from the hole", copy(area + 11 * 4096, area + 10 * 4096 - from, 5000));
    TRY("words", words((uint64_t *)(area + 10 * 4096 - (from & ~7) - 8), 500));
    TRY("fields", fields((uint32_t *)(area + 9 * 4096 - (from & ~3) - 4), 500));
    TRY("fields at the start", fields((uint32_t *)(area + 11 * 4096 + (from & 4)), 3));
    TRY("strides", strides(area + 4096 + from, 500));
    TRY("jumps", jumps(area + 4096 + from, 400));
  }
  /* while one of them runs, the rest of the memory goes */
  mprotect(area + 5 * 4096, 4096, PROT_NONE);
  TRY("a page that went", up(area + 4 * 4096 + 100, 5000));
  mprotect(area + 5 * 4096, 4096, PROT_READ | PROT_WRITE);
  TRY("and came back", up(area + 4 * 4096 + 100, 5000));
  return 0;
}
