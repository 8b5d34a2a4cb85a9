/* Who and where a program is: ids, limits, names, /proc. */
#include "check.h"
#include <linux/capability.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static char buf[8192];
static long slurp(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  long n = read(fd, buf, sizeof buf - 1);
  close(fd);
  buf[n < 0 ? 0 : n] = 0;
  return n;
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  SHOW(getpid() == (int)syscall(SYS_gettid));
  OK(getppid());
  SHOW(getuid());
  SHOW(geteuid());
  SHOW(getgid());
  uid_t r, e, s;
  T(getresuid(&r, &e, &s));
  SHOW(r + e + s);
  T(setuid(getuid()));
  T(setresgid(-1, -1, -1));
  T(getpgid(0) > 0 ? 0 : -1);
  T(getpgid(99999999));
  T(setpgid(0, 0));
  SHOW(getpgid(0) == getpid());
  T(setsid());
  T(getsid(0) > 0 ? 0 : -1);
  struct utsname u;
  T(uname(&u));
  printf("%s %s\n", u.sysname, u.machine);
  T(syscall(SYS_uname, 8));
  struct sysinfo i;
  T(sysinfo(&i));
  SHOW(i.totalram > 0 && i.mem_unit > 0);
  struct rlimit l;
  T(getrlimit(RLIMIT_STACK, &l));
  T(getrlimit(99, &l));
  l = (struct rlimit){10, 5};
  T(setrlimit(RLIMIT_NOFILE, &l));
  T(prlimit(99999999, RLIMIT_NOFILE, 0, &l));
  cpu_set_t cpus;
  SHOW(sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) >= 1);
  T(syscall(SYS_sched_getaffinity, 0, 1, &cpus));
  T(sched_yield());
  T(sched_getscheduler(0));
  T(sched_get_priority_max(SCHED_FIFO));
  T(sched_get_priority_min(SCHED_OTHER));
  T(sched_get_priority_min(99));
  T(prctl(PR_SET_NAME, "a-rather-long-thread-name"));
  T(prctl(PR_GET_NAME, buf));
  puts(buf);
  T(prctl(PR_GET_DUMPABLE));
  T(prctl(9999));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  T(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  T(personality(0xffffffff));
  T(wait4(-1, 0, 0, 0));
  T(waitid(P_ALL, 0, 0, WEXITED));
  T(getgroups(-1, 0));
  T(getpriority(PRIO_PROCESS, 0));
  T(nice(1));
  T(syscall(SYS_getcpu, 0, 0, 0));
  T(getentropy(buf, 32));
  T(getentropy(buf, 300));
  T(syscall(SYS_getrandom, buf, 10, 99));
  T(syscall(SYS_getrandom, 8, 10, 0));
  struct __user_cap_header_struct h = {0x12345678, 0};
  struct __user_cap_data_struct d[2];
  T(syscall(SYS_capget, &h, d));
  printf("%x\n", h.version);
  T(syscall(SYS_capget, &h, d));
  SHOW(readlink("/proc/self/exe", buf, sizeof buf) > 0);
  printf("%s\n", strrchr(realpath("/proc/self/exe", buf), '/'));
  SHOW(readlink("/proc/self/cwd", buf, sizeof buf) > 0);
  slurp("/proc/self/cmdline");
  SHOW(strcmp(buf, argv[0]));
  slurp("/proc/self/comm");
  SHOW(slurp("/proc/self/auxv") % 16);
  SHOW(slurp("/proc/self/maps") > 100);
  SHOW(strstr(buf, " r-xp ") != 0);
  SHOW(slurp("/proc/self/stat") > 50);
  SHOW(atoi(buf) == getpid());
  SHOW(slurp("/proc/cpuinfo") > 10);
  SHOW(slurp("/proc/meminfo") > 10);
  SHOW(slurp("/proc/version") > 10);
  sprintf(buf, "/proc/%d/fd/1", getpid());
  SHOW(access(buf, F_OK));
  int fd = open("f", O_RDWR | O_CREAT, 0600);
  write(fd, "fd", 2);
  sprintf(buf, "/proc/self/fd/%d", fd);
  int again = open(buf, O_RDONLY);
  T(read(again, buf, 10));
  int p[2];
  pipe(p);
  sprintf(buf, "/dev/fd/%d", p[0]);
  again = open(buf, O_RDONLY);
  write(p[1], "pipe", 4);
  T(read(again, buf, 10));
  struct stat st;
  T(stat("/proc/self", &st));
  SHOW(S_ISDIR(st.st_mode));
  T(lstat("/proc/self", &st));
  SHOW(S_ISLNK(st.st_mode));
  T(open("/proc/self/none", O_RDONLY));
  T(open("/proc/self/exe/x", O_RDONLY));
  T(mkdir("/proc/new", 0700) == -1 ? 0 : 1);
  return 0;
}
