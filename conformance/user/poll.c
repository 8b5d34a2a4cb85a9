/* Waiting: poll, select and epoll over pipes, events, timers and signals, with time-outs and interruptions. */
#include "check.h"
#include "alarm.h"
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static char buf[100000];
static volatile int alarms;
static void on_alarm(int sig) { alarms++; }
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  struct sigaction sa = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &sa, 0);
  int p[2], q[2];
  pipe(p);
  pipe(q);
  struct pollfd f[4] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {-1, POLLIN, 9}, {77, POLLIN, 0}};
  T(poll(f, 2, 0));
  printf("%x %x\n", f[0].revents, f[1].revents);
  T(poll(f, 4, 0));
  printf("%x %x %x %x\n", f[0].revents, f[1].revents, f[2].revents, f[3].revents);
  double start = now();
  T(poll(f, 1, 50));
  SHOW(now() - start >= 0.049);
  write(p[1], "x", 1);
  T(poll(f, 1, -1));
  printf("%x\n", f[0].revents);
  read(p[0], buf, 1);
  INTERRUPTED(poll(f, 1, -1));
  SHOW(alarms > 0);
  T(poll(0, 0, 10));
  T(poll((struct pollfd *)8, 1, 0));
  close(p[1]);
  T(poll(f, 1, -1));
  printf("%x\n", f[0].revents);
  close(p[0]);
  pipe(p);
  close(p[0]);
  f[0].fd = p[1];
  f[0].events = POLLOUT;
  T(poll(f, 1, 0));
  printf("%x\n", f[0].revents);
  close(p[1]);

  fd_set r, w;
  FD_ZERO(&r);
  FD_ZERO(&w);
  FD_SET(q[0], &r);
  FD_SET(q[1], &w);
  struct timeval tv = {0, 20000};
  T(select(q[1] + 1, &r, &w, 0, &tv));
  SHOW(FD_ISSET(q[0], &r));
  SHOW(FD_ISSET(q[1], &w));
  FD_SET(q[0], &r);
  tv.tv_usec = 20000;
  T(select(q[0] + 1, &r, 0, 0, &tv));
  SHOW(FD_ISSET(q[0], &r));
  FD_ZERO(&r);
  FD_SET(70, &r);
  T(select(71, &r, 0, 0, 0));
  T(select(-1, 0, 0, 0, 0));
  FD_ZERO(&r);
  FD_SET(q[0], &r);
  INTERRUPTED(select(q[0] + 1, &r, 0, 0, 0));
  SHOW(FD_ISSET(q[0], &r));
  struct timespec ts = {0, -1};
  T(pselect(0, 0, 0, 0, &ts, 0));

  int ep = T(epoll_create1(EPOLL_CLOEXEC));
  struct epoll_event ev = {EPOLLIN, {.u64 = 0x1122334455667788}}, out[4];
  T(epoll_ctl(ep, EPOLL_CTL_ADD, q[0], &ev));
  T(epoll_ctl(ep, EPOLL_CTL_ADD, q[0], &ev));
  T(epoll_ctl(ep, EPOLL_CTL_DEL, q[1], &ev));
  T(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev));
  T(epoll_ctl(ep, EPOLL_CTL_ADD, 77, &ev));
  T(epoll_ctl(q[0], EPOLL_CTL_ADD, q[1], &ev));
  int file = open("/dev/null", O_RDONLY);
  int reg = open("reg", O_CREAT | O_RDWR, 0600);
  T(epoll_ctl(ep, EPOLL_CTL_ADD, reg, &ev));
  T(epoll_wait(ep, out, 4, 0));
  T(epoll_wait(ep, out, 0, 0));
  write(q[1], "abc", 3);
  T(epoll_wait(ep, out, 4, -1));
  printf("%x %lx\n", out[0].events, out[0].data.u64);
  T(epoll_wait(ep, out, 4, -1));
  ev.events = EPOLLIN | EPOLLET;
  T(epoll_ctl(ep, EPOLL_CTL_MOD, q[0], &ev));
  T(epoll_wait(ep, out, 4, 0));
  T(epoll_wait(ep, out, 4, 0));
  write(q[1], "d", 1);
  read(q[0], buf, 100);
  T(epoll_wait(ep, out, 4, 10));
  ev.events = EPOLLIN | EPOLLONESHOT;
  T(epoll_ctl(ep, EPOLL_CTL_MOD, q[0], &ev));
  write(q[1], "d", 1);
  T(epoll_wait(ep, out, 4, 0));
  T(epoll_wait(ep, out, 4, 0));
  ev.events = EPOLLOUT;
  T(epoll_ctl(ep, EPOLL_CTL_ADD, q[1], &ev));
  T(epoll_wait(ep, out, 4, 0));
  printf("%x\n", out[0].events);
  T(epoll_ctl(ep, EPOLL_CTL_DEL, q[1], 0));
  INTERRUPTED(epoll_wait(ep, out, 4, -1));
  int inner = epoll_create1(0);
  ev.events = EPOLLIN;
  T(epoll_ctl(inner, EPOLL_CTL_ADD, ep, &ev));
  T(epoll_ctl(ep, EPOLL_CTL_ADD, inner, &ev));
  T(epoll_ctl(ep, EPOLL_CTL_MOD, q[0], &ev));
  T(epoll_wait(inner, out, 4, 0));

  int t = T(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
  struct itimerspec its = {{0, 10000000}, {100, 0}};
  T(timerfd_settime(t, 0, &its, 0));
  uint64_t n = 0;
  T(read(t, &n, 8));
  its.it_value = its.it_interval;
  T(timerfd_settime(t, 0, &its, 0));
  f[0].fd = t;
  f[0].events = POLLIN;
  T(poll(f, 1, -1));
  T(read(t, &n, 8));
  SHOW(n >= 1);
  usleep(60000);
  T(read(t, &n, 8));
  SHOW(n >= 3);
  T(timerfd_gettime(t, &its));
  SHOW(its.it_interval.tv_nsec);
  SHOW(its.it_value.tv_nsec > 0 && its.it_value.tv_nsec <= 10000000);
  its.it_value.tv_nsec = 0;
  T(timerfd_settime(t, 0, &its, 0));
  T(poll(f, 1, 30));
  T(timerfd_create(77, 0));
  T(timerfd_settime(q[0], 0, &its, 0));

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, 0);
  int s = OK(signalfd(-1, &set, SFD_NONBLOCK));
  struct signalfd_siginfo info;
  T(read(s, &info, sizeof info));
  raise(SIGUSR1);
  f[0].fd = s;
  T(poll(f, 1, 100));
  T(read(s, &info, sizeof info));
  SHOW(info.ssi_signo);
  SHOW(info.ssi_pid == getpid());
  T(read(s, &info, 8));

  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  sigprocmask(SIG_BLOCK, &set, 0);
  alarms = 0;
  alarm_every(10);
  usleep(30000);
  no_alarm();
  SHOW(alarms);
  sigemptyset(&set);
  T(ppoll(0, 0, 0, &set));
  SHOW(alarms);

  /* A handler interrupts a read; with SA_RESTART the read goes on. */
  sigprocmask(SIG_SETMASK, &set, 0);
  read(q[0], buf, 100);
  INTERRUPTED(read(q[0], buf, 1));
  int spare = dup(q[1]);
  fcntl(q[1], F_SETFL, O_NONBLOCK);
  while (write(q[1], buf, 4096) > 0) {}
  fcntl(q[1], F_SETFL, 0);
  INTERRUPTED(write(q[1], buf, 4096));
  return 0;
}
