/*
 * Two processors of an x86 at the same time: locked instructions, the order of stores, code that one changes for the other.
 * Prints a line for each check: "ok NAME ..." or "BAD NAME ...". Source of what is forbidden: Intel SDM volume 3A (2023),
 * 8.1 "Locked atomic operations", 8.1.3 "Handling self- and cross-modifying code", 8.2 "Memory ordering".
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROUNDS 1000000
#define SLOTS 50000

static volatile int arrived[2];
static int bad;

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) printf("BAD pin %d\n", cpu), bad = 1;
}

/* Both are here. */
static void meet(int me) {
  int mine = ++arrived[me];
  for (long spins = 0; arrived[!me] < mine; spins++) {
    if (spins % 1000 == 999) sched_yield();
    __asm__ volatile("pause");
  }
}

static void both(void *(*f)(void *)) {
  pthread_t other;
  arrived[0] = arrived[1] = 0;
  if (pthread_create(&other, 0, f, (void *)1) != 0) printf("BAD thread\n"), exit(1);
  f((void *)0);
  pthread_join(other, 0);
}

static void result(const char *name, long count, long wanted) {
  if (count != wanted) bad = 1;
  printf("%s %s %ld %ld\n", count == wanted ? "ok" : "BAD", name, count, wanted);
}

/* ---- locked instructions */

static struct {
  uint64_t q __attribute__((aligned(64)));
  uint32_t l;
  uint16_t w;
  uint8_t b;
  uint64_t within __attribute__((aligned(64)));
  char across[32] __attribute__((aligned(64)));
  uint64_t pair[2] __attribute__((aligned(64)));
  uint32_t lock;
  uint64_t guarded;
  uint32_t xlock;
  uint64_t xguarded;
  uint64_t eight;
  uint64_t adc;
} sums;

static void *count(void *arg) {
  int me = (int)(intptr_t)arg;
  pin(me);
  meet(me);
  for (int i = 0; i < ROUNDS / 5; i++) {
    uint64_t one = 1;
    __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(sums.q));
    __asm__ volatile("lock incl %0" : "+m"(sums.l));
    __asm__ volatile("lock addw $1, %0" : "+m"(sums.w));
    __asm__ volatile("lock subb $-1, %0" : "+m"(sums.b));
    __asm__ volatile("stc; lock adcq $0, %0" : "+m"(sums.adc));
    /* Not aligned, in one word of eight bytes, and across two. */
    __asm__ volatile("lock incl %0" : "+m"(*(uint32_t *)((char *)&sums.within + 2)));
    if (i % 16 == 0) __asm__ volatile("lock incl %0" : "+m"(*(uint32_t *)(sums.across + 14)));
    for (;;) {
      unsigned char was;
      __asm__ volatile("lock btsl $3, %1; setc %0" : "=q"(was), "+m"(sums.lock));
      if (!was) break;
      __asm__ volatile("pause");
    }
    sums.guarded++;
    __asm__ volatile("lock btrl $3, %0" : "+m"(sums.lock));
    for (;;) {
      uint32_t held = 1;
      __asm__ volatile("xchgl %0, %1" : "+r"(held), "+m"(sums.xlock));
      if (!held) break;
      __asm__ volatile("pause");
    }
    sums.xguarded++;
    __asm__ volatile("movl $0, %0" : "+m"(sums.xlock));
    uint64_t old = sums.eight;
    while (!__atomic_compare_exchange_n(&sums.eight, &old, old + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    if (i % 16 == 0) {
      uint64_t lo = sums.pair[0], hi = sums.pair[1];
      unsigned char done;
      do {
        __asm__ volatile("lock cmpxchg16b %1; setz %0"
                         : "=q"(done), "+m"(*(__int128 *)sums.pair), "+a"(lo), "+d"(hi)
                         : "b"(lo + 1), "c"(hi + 2));
      } while (!done);
    }
  }
  return 0;
}

static void counters(void) {
  const long n = 2L * (ROUNDS / 5), few = 2L * ((ROUNDS / 5 + 15) / 16);
  memset(&sums, 0, sizeof sums);
  both(count);
  result("lock-xadd", sums.q, n);
  result("lock-inc", sums.l, n);
  result("lock-add16", sums.w, n & 0xffff);
  result("lock-sub8", sums.b, n & 0xff);
  result("lock-adc", sums.adc, n);
  result("lock-unaligned", *(uint32_t *)((char *)&sums.within + 2), n);
  result("lock-split", *(uint32_t *)(sums.across + 14), few);
  result("bts-spinlock", sums.guarded, n);
  result("xchg-spinlock", sums.xguarded, n);
  result("cmpxchg8", sums.eight, n);
  result("cmpxchg16b-low", sums.pair[0], few);
  result("cmpxchg16b-high", sums.pair[1], 2 * few);
}

/* ---- the order of loads and stores: slots of their own cache lines, gone through by both at once */

struct slot {
  volatile uint32_t x;
  char gap[60];
  volatile uint32_t y;
  char gap2[60];
};
static struct slot *slots;
static uint32_t (*seen)[2][2];
static int form;

enum { MP, SB, SB_MFENCE, SB_LOCK, SB_XCHG, LB, CORR, W2 };

static void *litmus(void *arg) {
  int me = (int)(intptr_t)arg;
  pin(me);
  for (int turn = 0; turn < ROUNDS / SLOTS; turn++) {
    meet(me);
    if (me == 0)
      for (int i = 0; i < SLOTS; i++) slots[i].x = slots[i].y = 0;
    meet(me);
    for (int i = 0; i < SLOTS; i++) {
      struct slot *s = &slots[i];
      uint32_t a = 0, b = 0, one = 1, local = 0;
      volatile uint32_t *mine = me ? &s->y : &s->x, *its = me ? &s->x : &s->y;
      if (i % 64 == turn % 64) for (volatile int wait = 0; wait < (turn * 7 + i) % 40; wait++) {}
      switch (form) {
        case MP:
          if (me == 0) __asm__ volatile("movl $1, %0; movl $1, %1" : "=m"(s->x), "=m"(s->y));
          else __asm__ volatile("movl %2, %0; movl %3, %1" : "=&r"(a), "=&r"(b) : "m"(s->y), "m"(s->x));
          break;
        case SB:
          __asm__ volatile("movl $1, %1; movl %2, %0" : "=&r"(a), "=m"(*mine) : "m"(*its));
          break;
        case SB_MFENCE:
          __asm__ volatile("movl $1, %1; mfence; movl %2, %0" : "=&r"(a), "=m"(*mine) : "m"(*its));
          break;
        case SB_LOCK:
          __asm__ volatile("movl $1, %1; lock orl $0, %3; movl %2, %0"
                           : "=&r"(a), "=m"(*mine) : "m"(*its), "m"(local));
          break;
        case SB_XCHG:
          __asm__ volatile("xchgl %1, %2; movl %3, %0" : "=&r"(a), "+r"(one), "+m"(*mine) : "m"(*its));
          break;
        case LB:
          __asm__ volatile("movl %2, %0; movl $1, %1" : "=&r"(a), "=m"(*mine) : "m"(*its));
          break;
        case CORR:
          if (me == 0) __asm__ volatile("movl $1, %0; movl $1, %1" : "=m"(s->x), "=m"(s->y));
          else {
            uint32_t first;
            __asm__ volatile("movl %3, %2; movl %4, %0; movl %3, %1"
                             : "=&r"(a), "=&r"(b), "=&r"(first) : "m"(s->x), "m"(s->y));
            /* What was seen once does not go away, and what came before y is there after it. */
            if (first == 1) a = 1;
          }
          break;
        default:
          if (me == 0) __asm__ volatile("movl $1, %0; movl $2, %1" : "=m"(s->x), "=m"(s->y));
          else __asm__ volatile("movl $1, %1; movl $2, %0" : "=m"(s->x), "=m"(s->y));
      }
      seen[i][me][0] = a;
      seen[i][me][1] = b;
    }
    meet(me);
    if (me == 0)
      for (int i = 0; i < SLOTS; i++) {
        uint32_t a0 = seen[i][0][0], a1 = seen[i][1][0], b1 = seen[i][1][1];
        int hit = form == MP || form == CORR ? a1 == 1 && b1 == 0
                  : form == LB ? a0 == 1 && a1 == 1
                  : form == W2 ? slots[i].x == 1 && slots[i].y == 1
                               : a0 == 0 && a1 == 0;
        arrived[0] += 0;
        if (hit) sums.q++;
        if (form == MP ? a1 == 0 && b1 == 1 : a0 != a1) sums.l++;
      }
  }
  return 0;
}

static void orders(void) {
  static const char *const names[] = {"mp", "sb", "sb-mfence", "sb-lock", "sb-xchg", "lb", "corr", "2+2w"};
  slots = aligned_alloc(64, SLOTS * sizeof *slots);
  seen = malloc(SLOTS * sizeof *seen);
  memset(slots, 0, SLOTS * sizeof *slots);
  for (form = MP; form <= W2; form++) {
    sums.q = sums.l = 0;
    both(litmus);
    if (form == SB) printf("ok litmus-sb allowed %ld of %d, mixed %u\n", (long)sums.q, ROUNDS, sums.l);
    else {
      char name[32];
      snprintf(name, sizeof name, "litmus-%s", names[form]);
      result(name, sums.q, 0);
    }
    fflush(stdout);
  }
}

/* ---- code that changes */

static unsigned char *code;
static volatile uint32_t version, answer;
#define VERSIONS 3000

static void *change(void *arg) {
  int me = (int)(intptr_t)arg;
  pin(me);
  meet(me);
  for (uint32_t v = 1; v <= VERSIONS; v++) {
    if (me == 0) {
      /* mov $v, %eax; ret: written by a store to the middle of an instruction that the other has run */
      __asm__ volatile("movl %1, %0" : "=m"(*(uint32_t *)(code + 1)) : "r"(v));
      version = v;
      while (answer != v) __asm__ volatile("pause");
    } else {
      uint32_t a = 0, b, c = 0, d;
      while (version != v) __asm__ volatile("pause");
      __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
      uint32_t got = ((uint32_t(*)(void))code)();
      if (got != v) sums.q++;
      answer = v;
    }
  }
  return 0;
}

static void *changeOwn(void *arg) {
  int me = (int)(intptr_t)arg;
  unsigned char *mine = code + 2048 * me;
  pin(me);
  meet(me);
  /* Both change their own code in one page. */
  for (uint32_t v = 1; v <= VERSIONS; v++) {
    *(volatile uint32_t *)(mine + 1) = v;
    __asm__ volatile("" : : : "memory");
    if (((uint32_t(*)(void))mine)() != v) __atomic_add_fetch(&sums.l, 1, __ATOMIC_SEQ_CST);
  }
  return 0;
}

static void changes(void) {
  code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code[0] = code[2048] = 0xb8;
  code[5] = code[2053] = 0xc3;
  sums.q = sums.l = 0;
  both(change);
  result("cross-modifying", sums.q, 0);
  both(changeOwn);
  result("self-modifying", sums.l, 0);
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IOLBF, 0);
  const char *what = argc > 1 ? argv[1] : "";
  if (*what == 0 || strstr(what, "counters")) counters();
  if (*what == 0 || strstr(what, "orders")) orders();
  if (*what == 0 || strstr(what, "code")) changes();
  printf("threads done: %s\n", bad ? "BAD" : "ok");
  return bad;
}
