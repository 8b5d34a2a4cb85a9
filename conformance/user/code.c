/* Code that changes: written, copied, remapped, and called again each time. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef long (*fn)(long);
static uint32_t addi(int n) { return 0x00050513 | (uint32_t)n << 20; } /* addi a0, a0, n */
static const uint32_t ret = 0x00008067;
static void put(uint32_t *at, int n) {
  at[0] = addi(n);
  at[1] = ret;
  __builtin___clear_cache((char *)at, (char *)(at + 2));
}
static sigjmp_buf back;
static void fault(int sig) { siglongjmp(back, sig); }

int main(void) {
  long sum = 0;
  uint32_t *page = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 2000; i++) {
    put(page, i % 7);
    sum += ((fn)page)(i);
  }
  printf("rewritten %ld\n", sum);
  /* hot, then changed once */
  put(page, 3);
  for (int i = 0; i < 100000; i++) sum += ((fn)page)(1);
  put(page, 5);
  for (int i = 0; i < 100000; i++) sum += ((fn)page)(1);
  printf("hot %ld\n", sum);
  /* data beside code in one page */
  volatile long *beside = (long *)((char *)page + 2048);
  *beside = 0;
  for (int i = 0; i < 100000; i++) *beside += ((fn)page)(1);
  printf("beside %ld\n", *beside);
  /* across a page border */
  uint32_t *edge = page + 1023;
  for (int i = 0; i < 1000; i++) {
    put(edge, i % 5);
    sum += ((fn)edge)(i);
  }
  printf("edge %ld\n", sum);
  /* another mapping in the same place */
  for (int i = 0; i < 50; i++) {
    munmap(page, 8192);
    uint32_t *again = mmap(page, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (again != page || page[0] != 0) return 1;
    page[0] = addi(i);
    page[1] = ret;
    mprotect(page, 8192, PROT_READ | PROT_EXEC);
    __builtin___clear_cache((char *)page, (char *)(page + 2));
    for (int k = 0; k < 300; k++) sum += ((fn)page)(k);
  }
  printf("remapped %ld\n", sum);
  signal(SIGSEGV, fault);
  signal(SIGILL, fault);
  if (!sigsetjmp(back, 1)) page[0] = 0, puts("written");
  else puts("not writable");
  mprotect(page, 8192, PROT_READ | PROT_WRITE);
  if (!sigsetjmp(back, 1)) printf("%ld\n", ((fn)page)(1));
  else puts("not executable");
  mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
  printf("again %ld\n", ((fn)page)(1));
  memset(page, 0, 64);
  __builtin___clear_cache((char *)page, (char *)page + 64);
  if (!sigsetjmp(back, 1)) printf("%ld\n", ((fn)page)(1));
  else puts("illegal");
  munmap(page, 8192);
  if (!sigsetjmp(back, 1)) printf("%ld\n", ((fn)page)(1));
  else puts("gone");
  return 0;
}
