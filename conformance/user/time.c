/* Clocks, sleeping and timers. */
#include "check.h"
#include "alarm.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <time.h>

static volatile int count, value, overruns;
static timer_t timer;
static void on_signal(int sig, siginfo_t *info, void *context) {
  count++;
  value = info->si_value.sival_int;
  overruns += timer_getoverrun(timer);
}
static double at(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) return -1;
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void spin(double seconds) {
  double end = at(CLOCK_MONOTONIC) + seconds;
  while (at(CLOCK_MONOTONIC) < end) {}
}
/* Until so many signals came; 10 s end what never comes. */
static void spin_until(int signals) {
  double end = at(CLOCK_MONOTONIC) + 10;
  while (count < signals && at(CLOCK_MONOTONIC) < end) {}
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  struct timespec t, rest = {7, 7};
  T(clock_gettime(CLOCK_REALTIME, &t));
  SHOW(t.tv_sec > 1600000000);
  T(clock_gettime(CLOCK_MONOTONIC, &t));
  T(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t));
  T(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t));
  T(clock_gettime(CLOCK_BOOTTIME, &t));
  T(clock_gettime(CLOCK_MONOTONIC_RAW, &t));
  T(clock_gettime(99, &t));
  T(syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
  T(clock_getres(CLOCK_MONOTONIC, &t));
  SHOW(t.tv_nsec >= 0 && t.tv_nsec <= 10000000);
  T(clock_getres(CLOCK_MONOTONIC, 0));
  double m = at(CLOCK_MONOTONIC);
  SHOW(at(CLOCK_MONOTONIC) >= m);
  t = (struct timespec){0, 30000000};
  T(nanosleep(&t, 0));
  SHOW(at(CLOCK_MONOTONIC) - m >= 0.03);
  t.tv_nsec = 1000000000;
  T(nanosleep(&t, 0));
  t = (struct timespec){-1, 0};
  T(nanosleep(&t, 0));
  clock_gettime(CLOCK_MONOTONIC, &t);
  t.tv_nsec += 20000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  T(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0));
  T(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0));
  T(clock_nanosleep(99, 0, &t, 0));
  struct timeval tv;
  T(gettimeofday(&tv, 0));
  SHOW(tv.tv_sec - time(0) <= 0);
  struct tms tms;
  SHOW(times(&tms) > 0);

  struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGALRM, &sa, 0);
  sigaction(SIGVTALRM, &sa, 0);
  sigaction(SIGPROF, &sa, 0);
  sigaction(SIGUSR1, &sa, 0);
  t = (struct timespec){100, 0};
  INTERRUPTED(nanosleep(&t, &rest));
  SHOW(count > 0);
  SHOW(rest.tv_sec > 50 && rest.tv_sec < 100);
  count = 0;
  struct itimerval iv = {{0, 0}, {0, 20000}}, old;
  T(setitimer(ITIMER_REAL, &iv, 0));
  spin_until(1);
  SHOW(count);
  T(getitimer(ITIMER_REAL, &old));
  SHOW(old.it_value.tv_sec + old.it_value.tv_usec);
  count = 0;
  iv.it_interval.tv_usec = 10000;
  iv.it_value.tv_usec = 10000;
  T(setitimer(ITIMER_REAL, &iv, 0));
  spin_until(3);
  SHOW(count >= 3);
  iv.it_value.tv_usec = 0;
  T(setitimer(ITIMER_REAL, &iv, &old));
  SHOW(old.it_interval.tv_usec);
  count = 0;
  iv.it_interval.tv_usec = 0;
  iv.it_value.tv_usec = 20000;
  T(setitimer(ITIMER_VIRTUAL, &iv, 0));
  spin_until(1);
  SHOW(count);
  count = 0;
  T(setitimer(ITIMER_PROF, &iv, 0));
  spin_until(1);
  SHOW(count);
  T(setitimer(9, &iv, 0));
  iv.it_value.tv_usec = 1000000;
  T(setitimer(ITIMER_REAL, &iv, 0));
  T(alarm(100));
  SHOW(alarm(0) > 50);

  count = 0;
  struct sigevent se = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
  T(timer_create(CLOCK_MONOTONIC, &se, &timer));
  struct itimerspec its = {{0, 10000000}, {0, 10000000}}, left;
  T(timer_settime(timer, 0, &its, 0));
  spin_until(3);
  SHOW(count >= 3);
  SHOW(value);
  T(timer_gettime(timer, &left));
  SHOW(left.it_interval.tv_nsec);
  SHOW(left.it_value.tv_nsec > 0);
  its = (struct itimerspec){{0, 0}, {0, 0}};
  T(timer_settime(timer, 0, &its, &left));
  count = 0;
  spin(0.03);
  SHOW(count);
  T(timer_delete(timer));
  T(syscall(SYS_timer_delete, 12345));
  T(timer_create(99, &se, &timer));
  se.sigev_signo = 99;
  T(timer_create(CLOCK_REALTIME, &se, &timer));
  se.sigev_notify = SIGEV_NONE;
  T(timer_create(CLOCK_REALTIME, &se, &timer));
  its = (struct itimerspec){{0, 0}, {0, 1000000000}};
  T(timer_settime(timer, 0, &its, 0));
  its = (struct itimerspec){{0, 0}, {100, 0}};
  T(timer_settime(timer, 0, &its, 0));
  T(timer_gettime(timer, &left));
  SHOW(left.it_value.tv_sec > 50);
  struct rusage ru;
  T(getrusage(RUSAGE_SELF, &ru));
  SHOW(ru.ru_utime.tv_sec + ru.ru_utime.tv_usec > 0);
  T(getrusage(RUSAGE_CHILDREN, &ru));
  T(getrusage(99, &ru));
  return 0;
}
