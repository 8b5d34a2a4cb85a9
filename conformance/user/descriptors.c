/* Descriptors: duplicates, flags, pipes, pairs, events, copies. */
#include "check.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <signal.h>
#include <termios.h>

static char buf[200000];

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  signal(SIGPIPE, SIG_IGN);
  int a = T(open("a", O_RDWR | O_CREAT, 0600));
  T(write(a, "hello world", 11));
  int b = T(dup(a));
  T(lseek(b, 0, SEEK_CUR));
  T(lseek(b, 2, SEEK_SET));
  T(read(a, buf, 3));
  T(dup2(a, 20));
  T(dup2(a, a));
  T(dup3(a, a, 0));
  T(dup3(a, 21, O_CLOEXEC));
  T(dup3(a, 22, 1));
  T(dup2(99, 23));
  T(dup2(a, -1));
  T(dup2(a, 10000000));
  T(fcntl(21, F_GETFD));
  T(fcntl(20, F_GETFD));
  T(fcntl(20, F_SETFD, FD_CLOEXEC));
  T(fcntl(20, F_GETFD));
  T(fcntl(a, F_DUPFD, 30));
  T(fcntl(a, F_DUPFD, 30));
  T(fcntl(a, F_DUPFD_CLOEXEC, 5));
  T(fcntl(a, F_DUPFD, -1));
  T(fcntl(a, F_DUPFD, 1 << 30));
  SHOW(fcntl(a, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  T(fcntl(a, F_SETFL, O_APPEND | O_NONBLOCK));
  SHOW(fcntl(b, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
  T(fcntl(a, F_SETFL, 0));
  T(fcntl(a, 12345));
  T(fcntl(98, F_GETFL));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
  T(fcntl(a, F_SETLK, &lock));
  T(fcntl(a, F_GETLK, &lock));
  SHOW(lock.l_type);
  lock.l_type = 9;
  T(fcntl(a, F_SETLK, &lock));
  T(flock(a, LOCK_EX | LOCK_NB));
  T(flock(a, LOCK_UN));
  T(flock(a, 77));
  T(flock(97, LOCK_SH));
  T(close(20));
  T(open("a", O_RDONLY));

  int p[2];
  T(pipe2(p, O_CLOEXEC));
  T(fcntl(p[0], F_GETFD));
  T(write(p[0], "x", 1));
  T(read(p[1], buf, 1));
  T(lseek(p[0], 0, SEEK_SET));
  T(pread(p[0], buf, 1, 0));
  T(write(p[1], "pipes", 5));
  int n;
  T(ioctl(p[0], FIONREAD, &n));
  SHOW(n);
  T(read(p[0], buf, 2));
  T(read(p[0], buf, 100));
  T(fcntl(p[0], F_SETFL, O_NONBLOCK));
  T(read(p[0], buf, 1));
  T(fcntl(p[1], F_SETFL, O_NONBLOCK));
  T(write(p[1], buf, 65536));
  T(write(p[1], buf, 1));
  T(read(p[0], buf, 4096));
  T(write(p[1], buf, 4097));
  T(write(p[1], buf, 100));
  T(fcntl(p[1], F_GETPIPE_SZ));
  T(close(p[1]));
  long total = 0, got;
  while ((got = read(p[0], buf, 10000)) > 0) total += got;
  SHOW(total);
  T(got);
  T(close(p[0]));
  T(pipe(p));
  T(close(p[0]));
  T(write(p[1], "x", 1));
  T(close(p[1]));
  T(syscall(SYS_pipe2, 8, 0));

  T(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
  T(write(p[0], "to", 2));
  T(send(p[1], "fro", 3, 0));
  T(read(p[1], buf, 10));
  T(recv(p[0], buf, 10, 0));
  T(recv(p[0], buf, 10, MSG_DONTWAIT));
  T(close(p[1]));
  T(read(p[0], buf, 10));
  T(send(p[0], "x", 1, MSG_NOSIGNAL));
  T(close(p[0]));

  int e = OK(eventfd(3, EFD_NONBLOCK));
  uint64_t v = 4;
  T(write(e, &v, 8));
  T(read(e, &v, 8));
  SHOW(v);
  T(read(e, &v, 8));
  T(read(e, &v, 4));
  v = ~0ull;
  T(write(e, &v, 8));
  v = ~0ull - 1;
  T(write(e, &v, 8));
  v = 1;
  T(write(e, &v, 8));
  int s = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
  T(read(s, &v, 8));
  SHOW(v);
  T(read(s, &v, 8));
  T(read(s, &v, 8));
  T(eventfd(0, 77));

  int m = OK(memfd_create("mem", MFD_CLOEXEC));
  T(write(m, "memory file", 11));
  T(lseek(m, 0, SEEK_SET));
  T(sendfile(m, a, 0, 5));
  off_t off = 6;
  T(sendfile(m, a, &off, 100));
  SHOW(off);
  T(pread(m, buf, 100, 0));
  buf[11] = 0;
  puts(buf);
  T(sendfile(m, 96, 0, 5));
  loff_t in = 0, out = 20;
  int c = OK(open("c", O_RDWR | O_CREAT | O_TRUNC, 0600));
  T(copy_file_range(a, &in, c, &out, 5, 0));
  SHOW(in);
  SHOW(out);
  T(lseek(c, 0, SEEK_END));
  T(ftruncate(m, 100));
  T(lseek(m, 0, SEEK_END));
  T(pipe(p));
  in = 0;
  T(splice(a, &in, p[1], 0, 5, 0));
  T(read(p[0], buf, 100));
  T(close_range(p[0], p[1], 0));
  T(read(p[0], buf, 1));
  T(close_range(9, 3, 0));
  struct termios t;
  struct winsize w;
  T(tcgetattr(a, &t));
  T(ioctl(a, TIOCGWINSZ, &w));
  T(ioctl(95, FIONREAD, &n));
  T(ioctl(a, FIONREAD, &n));
  T(isatty(a));
  n = 1;
  T(ioctl(a, FIONBIO, &n));
  SHOW((fcntl(a, F_GETFL) & O_NONBLOCK) != 0);
  T(ioctl(a, FIOCLEX));
  T(fcntl(a, F_GETFD));
  int z = OK(open("/dev/zero", O_RDWR));
  buf[0] = 1;
  T(read(z, buf, 10));
  SHOW(buf[0]);
  int nul = OK(open("/dev/null", O_RDWR));
  T(write(nul, buf, 200000));
  T(read(nul, buf, 10));
  int full = OK(open("/dev/full", O_RDWR));
  T(write(full, buf, 10));
  T(read(full, buf, 10));
  int rnd = OK(open("/dev/urandom", O_RDONLY));
  T(read(rnd, buf, 100));
  for (int i = 3; i < 64; i++) close(i);
  struct rlimit r = {10, 20};
  T(setrlimit(RLIMIT_NOFILE, &r));
  for (int i = 3; i < 10; i++) open("a", O_RDONLY);
  T(open("a", O_RDONLY));
  T(dup(1));
  T(pipe(p));
  T(getrlimit(RLIMIT_NOFILE, &r));
  SHOW(r.rlim_max);
  r.rlim_cur = 30;
  T(setrlimit(RLIMIT_NOFILE, &r));
  T(socket(AF_UNIX, 77, 0) == -1 ? 0 : 1);
  return 0;
}
