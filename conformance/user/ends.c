/* Ways for a program to end; argv[1] says which. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int deep(int n) {
  volatile char room[4096];
  room[0] = n;
  return deep(n + 1) + room[0];
}
static unsigned data[16] = {0x00000013};

static void bad_handler(int sig) { (void)sig; }

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "0";
  setvbuf(stdout, 0, _IONBF, 0);
  printf("%s\n", how);
  if (!strcmp(how, "exit7")) exit(7);
  if (!strcmp(how, "exit300")) _exit(300);
  if (!strcmp(how, "return")) return 42;
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "null")) *(volatile int *)0 = 1;
  if (!strcmp(how, "high")) *(volatile int *)0x123456789000 = 1;
  if (!strcmp(how, "jump-data")) ((void (*)(void))data)();
  if (!strcmp(how, "jump-null")) ((void (*)(void))0)();
  if (!strcmp(how, "illegal")) asm volatile(".word 0");
  if (!strcmp(how, "break")) asm volatile("ebreak");
  if (!strcmp(how, "deep")) return deep(0);
  if (!strcmp(how, "term")) raise(SIGTERM);
  if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
  if (!strcmp(how, "rt")) raise(SIGRTMIN + 3);
  if (!strcmp(how, "pipe")) raise(SIGPIPE);
  if (!strcmp(how, "ignored")) {
    raise(SIGCHLD);
    raise(SIGURG);
    raise(SIGWINCH);
    return 5;
  }
  if (!strcmp(how, "bad-stack")) {
    signal(SIGUSR1, bad_handler);
    asm volatile("mv a0, %0\n\tli a1, 10\n\tli a7, 129\n\tli sp, 64\n\tecall" ::"r"((long)getpid()) : "a0", "a1", "a7", "memory");
  }
  if (!strcmp(how, "bad-handler")) {
    signal(SIGSEGV, (void (*)(int))0x5000);
    *(volatile int *)0 = 1;
  }
  if (!strcmp(how, "bad-frame")) asm volatile("li sp, 4096\n\tli a7, 139\n\tecall");
  if (!strcmp(how, "blocked-fault")) {
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, 0);
    *(volatile int *)0 = 1;
  }
  if (!strcmp(how, "ignored-fault")) {
    signal(SIGSEGV, SIG_IGN);
    *(volatile int *)0 = 1;
  }
  if (!strcmp(how, "spin"))
    for (volatile long i = 0;; i++)
      ;
  if (!strcmp(how, "pause")) pause();
  if (!strcmp(how, "catch")) {
    sigset_t set;
    int got;
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, 0);
    sigwait(&set, &got);
    printf("got %d\n", got);
    return 3;
  }
  if (!strcmp(how, "no-call")) {
    errno = 0;
    long r = syscall(4000, 1, 2);
    printf("%ld %d\n", r, errno == ENOSYS);
    return 0;
  }
  if (!strcmp(how, "map-everything")) {
    size_t total = 0;
    int failed = 0;
    for (size_t size = (size_t)1 << 46; size >= 4096;) {
      if (mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED) {
        failed |= errno != ENOMEM;
        size /= 2;
      } else
        total += size;
      if (total > (size_t)1 << 33) break;
    }
    /* and the heap */
    void *at = sbrk((intptr_t)1 << 40);
    printf("only ENOMEM %d, heap %d\n", !failed, at == (void *)-1);
    return total > 1 << 20 ? 0 : 1;
  }
  if (!strcmp(how, "touch-everything")) {
    /* reading costs the host little; unmapped and mapped again it is zero */
    size_t size = (size_t)1 << 30;
    char *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) return 1;
    unsigned long sum = 0;
    for (size_t i = 0; i < size; i += 1 << 20) p[i] = 1, sum += p[i] + p[i + 4096];
    munmap(p, size);
    char *q = mmap(p, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (size_t i = 0; i < size; i += 1 << 20) sum += q[i];
    printf("%lu\n", sum);
    return 0;
  }
  return 0;
}
