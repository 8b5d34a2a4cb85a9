/* Code that the kernel replaces: by read, by mapping a file over it, by writing to a mapped file, by moving it. */
#include "check.h"
#include <sys/mman.h>
#include <sys/uio.h>

typedef int fn(int);
/* addi a0, a0, n; ret */
static void code(uint32_t *out, int n) {
  out[0] = (uint32_t)n << 20 | 0x00050513;
  out[1] = 0x00008067;
}
/* Long enough for every tier of a translator. */
static int run(fn *f) {
  int sum = 0;
  for (int i = 0; i < 20000; i++) sum = f(sum) & 0xffffff;
  return sum;
}
static void clear(void *at) { __builtin___clear_cache(at, (char *)at + 4096); }

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  uint32_t next[2];
  char *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code((uint32_t *)page, 1);
  clear(page);
  SHOW(run((fn *)page));
  int p[2];
  pipe(p);
  code(next, 2);
  write(p[1], next, 8);
  T(read(p[0], page, 8));
  clear(page);
  SHOW(run((fn *)page));
  code(next, 3);
  int fd = open("code", O_RDWR | O_CREAT | O_TRUNC, 0700);
  write(fd, next, 8);
  T(pread(fd, page, 8, 0));
  clear(page);
  SHOW(run((fn *)page));
  struct iovec v[2] = {{page, 4}, {page + 4, 4}};
  code(next, 4);
  pwrite(fd, next, 8, 0);
  T(preadv(fd, v, 2, 0));
  clear(page);
  SHOW(run((fn *)page));

  ftruncate(fd, 4096);
  code(next, 5);
  pwrite(fd, next, 8, 0);
  SHOW(mmap(page, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == page);
  SHOW(run((fn *)page));
  SHOW(mmap(page, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == page);
  SHOW(run((fn *)page));
  code(next, 6);
  T(pwrite(fd, next, 8, 0));
  clear(page);
  SHOW(run((fn *)page));
  char *other = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  code(next, 7);
  T(pwrite(fd, next, 8, 0));
  SHOW(run((fn *)page));
  munmap(other, 4096);

  char *two = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code((uint32_t *)two, 8);
  code((uint32_t *)(two + 4096), 9);
  clear(two);
  clear(two + 4096);
  SHOW(run((fn *)two));
  SHOW(run((fn *)(two + 4096)));
  SHOW(mremap(two + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, two) == two);
  SHOW(run((fn *)two));
  T(madvise(two, 4096, MADV_DONTNEED));
  SHOW(*(int *)two);
  code((uint32_t *)two, 10);
  clear(two);
  SHOW(run((fn *)two));
  T(mprotect(two, 4096, PROT_READ));
  T(mprotect(two, 4096, PROT_READ | PROT_EXEC));
  SHOW(run((fn *)two));
  return 0;
}
