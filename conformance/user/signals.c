/* Handlers, frames, masks, alternate stacks and restarts: what a program can see of signals. Addresses are not printed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "alarm.h"

static sigjmp_buf back;
static volatile sig_atomic_t count;
static volatile int last_code;
static void *volatile last_addr;
static char *page;

static void install(int sig, void (*fn)(int, siginfo_t *, void *), int flags) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = fn;
  sa.sa_flags = flags | SA_SIGINFO;
  sigaction(sig, &sa, 0);
}

static void fault(int sig, siginfo_t *info, void *context) {
  last_code = info->si_code;
  last_addr = info->si_addr;
  ucontext_t *uc = context;
  printf("fault %d code %d addr-page %d pc %d\n", sig, info->si_code, (char *)info->si_addr >= page && (char *)info->si_addr < page + 8192 ? (int)((char *)info->si_addr - page) : -1,
         uc->uc_mcontext.__gregs[REG_PC] != 0);
  siglongjmp(back, 1);
}

static void skip(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  printf("skip %d code %d at-pc %d a1 %ld\n", sig, info->si_code, info->si_addr == (void *)uc->uc_mcontext.__gregs[REG_PC], uc->uc_mcontext.__gregs[REG_A0 + 1]);
  uc->uc_mcontext.__gregs[REG_A0 + 1] = 77;
  uc->uc_mcontext.__gregs[REG_PC] += 4;
}

static void regs(int sig, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  unsigned long long f8;
  memcpy(&f8, &uc->uc_mcontext.__fpregs.__d.__f[18], 8);
  printf("regs %d code %d s2 %lx f18 %llx fcsr %x flags %ld link %p\n", sig, info->si_code, (long)uc->uc_mcontext.__gregs[18], f8,
         uc->uc_mcontext.__fpregs.__d.__fcsr, (long)uc->__uc_flags, (void *)uc->uc_link);
  /* changes are seen after the return */
  uc->uc_mcontext.__gregs[18] = 0x1234;
  double d = 2.5;
  memcpy(&uc->uc_mcontext.__fpregs.__d.__f[18], &d, 8);
  uc->uc_mcontext.__fpregs.__d.__fcsr = 0x61;
  /* and what the handler itself does to the registers is not */
  asm volatile("fmv.d.x fs2, zero\n\tli s2, 0\n\tfscsr zero" ::: "s2", "fs2");
}

static void nested(int sig, siginfo_t *info, void *context) {
  sigset_t now;
  sigprocmask(SIG_BLOCK, 0, &now);
  printf("nested %d blocked:", sig);
  for (int i = 1; i < 65; i++)
    if (sigismember(&now, i)) printf(" %d", i);
  printf("\n");
  if (count++ == 0) raise(SIGUSR2);
  (void)info;
  (void)context;
}

static void counter(int sig, siginfo_t *info, void *context) {
  count++;
  last_code = info->si_code;
  (void)sig;
  (void)context;
}

static char alt[65536] __attribute__((aligned(16)));
static void on_alt(int sig, siginfo_t *info, void *context) {
  char here;
  ucontext_t *uc = context;
  stack_t ss;
  sigaltstack(0, &ss);
  printf("alt %d inside %d flags %d saved %d size %zu\n", sig, &here >= alt && &here < alt + sizeof alt, ss.ss_flags, uc->uc_stack.ss_flags, uc->uc_stack.ss_size);
  errno = 0;
  int r = sigaltstack(&ss, 0);
  printf("change %d %d\n", r, errno);
  (void)info;
}

static void overflow(int sig, siginfo_t *info, void *context) {
  printf("overflow %d\n", sig);
  siglongjmp(back, 1);
  (void)context;
}
static int deep(int n) {
  volatile char room[4096];
  room[0] = n;
  return deep(n + 1) + room[0];
}

static void queued(int sig, siginfo_t *info, void *context) {
  printf("queued %d code %d value %d self %d\n", sig, info->si_code, info->si_code == SI_QUEUE ? info->si_value.sival_int : 0, info->si_pid == getpid());
  (void)context;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  page = mmap(0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  install(SIGSEGV, fault, 0);
  install(SIGBUS, fault, 0);
  if (!sigsetjmp(back, 1)) page[17] = 1;
  if (!sigsetjmp(back, 1)) page[4096 + 33] = 1;
  if (!sigsetjmp(back, 1)) printf("%d\n", *(volatile int *)(page + 4094));
  if (!sigsetjmp(back, 1)) ((void (*)(void))page)();
  if (!sigsetjmp(back, 1)) *(volatile long *)0x7fffffffffffULL = 1;
  install(SIGILL, skip, 0);
  install(SIGTRAP, skip, 0);
  register long a1 asm("a1") = 5;
  asm volatile(".word 0xffffffff" : "+r"(a1));
  printf("a1 %ld\n", a1);
  register long b1 asm("a1") = 6;
  asm volatile(".word 0x00100073" : "+r"(b1));
  printf("b1 %ld\n", b1);

  install(SIGUSR1, regs, 0);
  long s2;
  double f18;
  int fcsr;
  asm volatile("li s2, 0x5555\n\tli t0, 0x3ff8000000000000\n\tfmv.d.x fs2, t0\n\tli t0, 3\n\tfscsr t0\n\t"
               "mv a0, %3\n\tli a1, 10\n\tli a7, 129\n\tecall\n\t"
               "mv %0, s2\n\tfmv.d %1, fs2\n\tfrcsr %2"
               : "=&r"(s2), "=&f"(f18), "=&r"(fcsr)
               : "r"((long)getpid())
               : "s2", "fs2", "t0", "a0", "a1", "a7", "memory");
  printf("after s2 %lx f18 %g fcsr %x\n", s2, f18, fcsr);
  asm volatile("fscsr zero");

  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = nested;
  sa.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR2, &sa, 0);
  sigaction(SIGHUP, &sa, 0);
  count = 0;
  raise(SIGHUP);
  sa.sa_flags |= SA_NODEFER | SA_RESETHAND;
  sigaction(SIGUSR2, &sa, 0);
  raise(SIGUSR2);
  sigaction(SIGUSR2, 0, &sa);
  printf("reset %d\n", sa.sa_handler == SIG_DFL);

  stack_t ss = {.ss_sp = alt, .ss_size = sizeof alt};
  printf("set alt %d\n", sigaltstack(&ss, 0));
  install(SIGUSR1, on_alt, SA_ONSTACK);
  raise(SIGUSR1);
  install(SIGSEGV, overflow, SA_ONSTACK);
  if (!sigsetjmp(back, 1)) deep(0);
  ss.ss_size = 100;
  errno = 0;
  int r = sigaltstack(&ss, 0);
  printf("small %d %d\n", r, errno);

  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, 0);
  install(SIGUSR1, queued, 0);
  install(SIGRTMIN, queued, 0);
  union sigval v;
  for (int i = 0; i < 3; i++) {
    v.sival_int = 10 + i;
    sigqueue(getpid(), SIGRTMIN, v);
    kill(getpid(), SIGUSR1);
  }
  sigpending(&old);
  printf("pending %d %d\n", sigismember(&old, SIGUSR1), sigismember(&old, SIGRTMIN));
  siginfo_t info;
  struct timespec zero = {0, 0};
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGRTMIN);
  r = sigtimedwait(&one, &info, &zero);
  printf("timedwait %d value %d code %d\n", r == SIGRTMIN, info.si_value.sival_int, info.si_code);
  sigprocmask(SIG_UNBLOCK, &set, 0);
  sigaddset(&one, SIGUSR2);
  errno = 0;
  r = sigtimedwait(&one, &info, &zero);
  printf("nothing %d %d\n", r, errno == EAGAIN);

  /* a timer in a hot loop */
  install(SIGALRM, counter, 0);
  count = 0;
  struct itimerval timer = {{0, 0}, {0, 30000}};
  setitimer(ITIMER_REAL, &timer, 0);
  volatile unsigned long spin = 0;
  while (!count) spin++;
  printf("alarm %d code %d\n", (int)count, last_code);

  /* restarts */
  int fds[2];
  char byte = 'x';
  if (pipe(fds)) return 1;
  install(SIGALRM, counter, SA_RESTART);
  count = 0;
  alarm_every(20);
  errno = 0;
  struct timespec nap = {100, 0}, left = {900, 9};
  r = nanosleep(&nap, &left);
  no_alarm();
  printf("nanosleep %d %d count %d left %d\n", r, errno == EINTR, count > 0, left.tv_sec < 100);
  install(SIGALRM, counter, 0);
  alarm_every(20);
  errno = 0;
  r = read(fds[0], &byte, 1);
  no_alarm();
  printf("read %d %d\n", r, errno == EINTR);
  sigset_t none;
  sigemptyset(&none);
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGALRM);
  sigprocmask(SIG_BLOCK, &block, 0);
  setitimer(ITIMER_REAL, &timer, 0);
  count = 0;
  errno = 0;
  r = sigsuspend(&none);
  sigprocmask(SIG_BLOCK, 0, &old);
  printf("suspend %d %d count %d blocked-again %d\n", r, errno == EINTR, (int)count, sigismember(&old, SIGALRM));
  signal(SIGPIPE, SIG_IGN);
  close(fds[0]);
  errno = 0;
  r = write(fds[1], &byte, 1);
  printf("pipe %d %d\n", r, errno == EPIPE);
  printf("bad %d", sigaction(SIGKILL, &sa, 0));
  printf(" %d\n", errno == EINVAL);
  abort();
}
