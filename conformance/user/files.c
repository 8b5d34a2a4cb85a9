/* Files, directories and links: contents, errors, what stat tells. Runs in an empty directory. */
#include "check.h"
#include <dirent.h>
#include <limits.h>
#include <sys/statfs.h>
#include <sys/uio.h>

static char buf[8192];

static void show_stat(const char *what, struct stat *s) {
  printf("%s: mode %o nlink %ld size %ld rdev %lx blocks>0 %d\n", what, s->st_mode, (long)s->st_nlink,
         S_ISDIR(s->st_mode) ? 0L : (long)s->st_size, (long)s->st_rdev, s->st_blocks > 0);
}
static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static void list(const char *path) {
  DIR *d = opendir(path);
  char *names[100];
  int n = 0;
  struct dirent *e;
  while ((e = readdir(d)) && n < 100) {
    struct stat s;
    fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW);
    char line[400];
    sprintf(line, "%s type %d ino %s", e->d_name, e->d_type, s.st_ino == e->d_ino || !strcmp(e->d_name, "..") ? "same" : "other");
    names[n++] = strdup(line);
  }
  closedir(d);
  qsort(names, n, sizeof *names, by_name);
  printf("%s:\n", path);
  for (int i = 0; i < n; i++) printf("  %s\n", names[i]);
}

static void contents(void) {
  int fd = T(open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
  T(open("a", O_RDWR | O_CREAT | O_EXCL, 0640));
  T(write(fd, "0123456789", 10));
  T(lseek(fd, 0, SEEK_CUR));
  T(lseek(fd, -3, SEEK_END));
  memset(buf, 0, 20);
  T(read(fd, buf, 20));
  puts(buf);
  T(read(fd, buf, 20));
  T(pread(fd, buf, 4, 2));
  T(pread(fd, buf, 4, -1));
  T(pwrite(fd, "abc", 3, 20));
  T(lseek(fd, 0, SEEK_CUR));
  T(lseek(fd, 0, SEEK_END));
  T(pread(fd, buf, 100, 0));
  for (int i = 0; i < 23; i++) printf("%02x", (unsigned char)buf[i]);
  puts("");
  T(lseek(fd, -1, SEEK_SET));
  T(lseek(fd, 0, 77));
  T(lseek(fd, 5, SEEK_DATA));
  T(lseek(fd, 50, SEEK_DATA));
  T(ftruncate(fd, 5));
  T(ftruncate(fd, -1));
  T(lseek(fd, 0, SEEK_END));
  struct iovec v[3] = {{"xx", 2}, {"", 0}, {"yyyy", 4}};
  T(writev(fd, v, 3));
  T(writev(fd, v, -1));
  T(writev(fd, v, 2000));
  char one[3] = "", two[20] = "";
  struct iovec r[2] = {{one, 2}, {two, 15}};
  T(lseek(fd, 3, SEEK_SET));
  T(readv(fd, r, 2));
  printf("%s|%s\n", one, two);
  T(preadv(fd, r, 2, 0));
  printf("%s|%s\n", one, two);
  T(pwritev(fd, v, 1, 1));
  T(preadv2(fd, r, 2, 1, 0));
  T(lseek(fd, 0, SEEK_END));
  T(fallocate(fd, 0, 0, 100));
  T(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 200));
  T(fallocate(fd, 0, 0, 0));
  T(lseek(fd, 0, SEEK_END));
  T(fsync(fd));
  T(fdatasync(fd));
  T(read(fd, (void *)8, 10));
  T(pread(fd, (void *)8, 10, 0));
  T(write(fd, (void *)8, 10));
  T(close(fd));
  T(close(fd));
  T(read(fd, buf, 1));
  T(write(-1, buf, 1));
  fd = T(open("a", O_WRONLY | O_APPEND));
  T(write(fd, "end", 3));
  T(pwrite(fd, "END", 3, 0));
  T(lseek(fd, 0, SEEK_CUR));
  T(read(fd, buf, 1));
  T(close(fd));
  fd = T(open("a", O_RDONLY));
  T(write(fd, buf, 1));
  T(read(fd, buf, sizeof buf));
  T(ftruncate(fd, 1));
  T(close(fd));
  T(truncate("a", 3));
  T(truncate("none", 3));
  fd = T(open("a", O_WRONLY | O_TRUNC));
  T(lseek(fd, 0, SEEK_END));
  T(close(fd));
}

static void names(void) {
  struct stat s;
  T(mkdir("d", 0777));
  T(mkdir("d", 0777));
  T(mkdir("none/d", 0777));
  T(mkdir("a/d", 0777));
  T(open("d", O_RDWR));
  T(open("a/b", O_RDONLY));
  T(open("a/", O_RDONLY));
  T(open("", O_RDONLY));
  T(open("none", O_RDONLY));
  T(open("a", O_RDONLY | O_DIRECTORY));
  T(open("d/new/", O_RDWR | O_CREAT, 0600));
  memset(buf, 'x', 300);
  buf[300] = 0;
  T(open(buf, O_RDONLY));
  memset(buf, '/', 5000);
  buf[5000] = 0;
  T(open(buf, O_RDONLY));
  T(open((char *)8, O_RDONLY));
  T(symlink("a", "l"));
  T(symlink("l", "l"));
  T(symlink("", "e"));
  T(symlink("loop2", "loop1"));
  T(symlink("loop1", "loop2"));
  T(symlink("none", "dangling"));
  T(open("loop1", O_RDONLY));
  T(open("l", O_RDONLY | O_NOFOLLOW));
  T(open("dangling", O_RDONLY));
  T(open("dangling", O_RDONLY | O_CREAT | O_EXCL, 0600));
  T(readlink("l", buf, 100));
  T(readlink("dangling", buf, 2));
  T(readlink("a", buf, 100));
  T(readlink("l", buf, 0));
  T(link("a", "a2"));
  T(link("a", "a2"));
  T(link("d", "d2"));
  T(link("l", "l2"));
  T(linkat(AT_FDCWD, "l", AT_FDCWD, "a3", AT_SYMLINK_FOLLOW));
  T(linkat(AT_FDCWD, "a", AT_FDCWD, "a4", 1));
  T(stat("a2", &s));
  show_stat("a2", &s);
  T(lstat("l2", &s));
  show_stat("l2", &s);
  T(stat("none", &s));
  T(stat("a/none", &s));
  T(stat("dangling", &s));
  T(stat("", &s));
  T(fstatat(AT_FDCWD, "", &s, AT_EMPTY_PATH));
  T(fstatat(AT_FDCWD, "a", &s, 0x80000000));
  T(fstatat(77, "a", &s, 0));
  T(fstatat(77, "/", &s, 0));
  T(syscall(SYS_newfstatat, AT_FDCWD, "a", 8, 0));
  T(rename("a2", "d/a2"));
  T(rename("a3", "d"));
  T(rename("d", "a3"));
  T(rename("none", "b"));
  T(rename("d", "d/sub"));
  T(mkdir("d/sub", 0700));
  T(mkdir("empty", 0700));
  T(rename("empty", "d"));
  T(rename("d/sub", "empty"));
  T(renameat2(AT_FDCWD, "a3", AT_FDCWD, "a", RENAME_NOREPLACE));
  T(rename("a", "a3"));
  list(".");
  list("d");
  T(unlink("d"));
  T(unlink("none"));
  T(rmdir("d"));
  T(rmdir("a"));
  T(rmdir("none"));
  T(rmdir("empty/."));
  T(rmdir("empty"));
  T(unlinkat(AT_FDCWD, "a3", 99));
  T(unlink("a3"));
  T(access("a", F_OK));
  T(access("a", R_OK | W_OK));
  T(access("none", F_OK));
  T(access("a", 8));
  T(access("dangling", F_OK));
  T(faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  T(mknod("fifo", S_IFIFO | 0600, 0) == 0 || errno == EOPNOTSUPP ? 0 : -1);
  T(mknod("reg", S_IFREG | 0600, 0));
  T(mknod("dev", S_IFDIR, 0));
}

static void attributes(void) {
  struct stat s;
  T(chmod("a", 0751));
  T(stat("a", &s));
  printf("%o\n", s.st_mode);
  T(chmod("none", 0751));
  int fd = T(open("a", O_RDWR));
  T(fchmod(fd, 0644));
  T(fchown(fd, -1, -1));
  T(fchownat(AT_FDCWD, "a", -1, -1, 0));
  T(fchownat(AT_FDCWD, "none", -1, -1, 0));
  struct timespec t[2] = {{1000000000, 250000000}, {1000000001, 500000000}};
  T(futimens(fd, t));
  T(fstat(fd, &s));
  show_stat("a", &s);
  SHOW(s.st_atim.tv_sec);
  SHOW(s.st_mtim.tv_nsec);
  t[0].tv_nsec = UTIME_OMIT;
  t[1].tv_sec = 1;
  T(utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
  T(utimensat(AT_FDCWD, "l", t, 0));
  T(stat("a", &s));
  SHOW(s.st_atim.tv_sec);
  SHOW(s.st_mtim.tv_sec);
  t[1].tv_nsec = 2000000000;
  T(utimensat(AT_FDCWD, "a", t, 0));
  t[1].tv_nsec = UTIME_NOW;
  T(utimensat(AT_FDCWD, "a", t, 0));
  T(stat("a", &s));
  SHOW(s.st_mtim.tv_sec > 1600000000);
  T(utimensat(AT_FDCWD, "none", 0, 0));
  T(close(fd));
  printf("umask %o\n", umask(027));
  fd = T(open("masked", O_CREAT | O_WRONLY, 0777));
  T(fstat(fd, &s));
  printf("%o\n", s.st_mode);
  T(mkdir("masked-d", 0777));
  T(stat("masked-d", &s));
  printf("%o\n", s.st_mode);
  printf("umask %o\n", umask(022));
  struct statx x;
  T(statx(AT_FDCWD, "a", 0, STATX_BASIC_STATS, &x));
  printf("%o %ld %ld %x\n", x.stx_mode, (long)x.stx_size, (long)x.stx_nlink, x.stx_mask & STATX_BASIC_STATS);
  T(statx(AT_FDCWD, "none", 0, STATX_BASIC_STATS, &x));
  T(statx(fd, "", AT_EMPTY_PATH, STATX_SIZE, &x));
  T(stat("/dev/null", &s));
  show_stat("null", &s);
  struct statfs f;
  T(statfs(".", &f));
  SHOW(f.f_namelen);
  T(statfs("none", &f));
  T(fstatfs(fd, &f));
  T(getxattr("a", "user.x", buf, 10) == -1 && (errno == EOPNOTSUPP || errno == ENODATA) ? 0 : 1);
  T(close(fd));
}

static void directories(void) {
  T(mkdir("dir", 0755));
  T(mkdir("dir/sub", 0755));
  int fd = T(open("dir", O_RDONLY | O_DIRECTORY));
  T(openat(fd, "f1", O_CREAT | O_WRONLY, 0600));
  T(openat(fd, "none", O_RDONLY));
  T(mkdirat(fd, "other", 0700));
  T(symlinkat("f1", fd, "link"));
  T(readlinkat(fd, "link", buf, 10));
  T(faccessat(fd, "link", R_OK, 0));
  T(read(fd, buf, 10));
  T(syscall(SYS_getdents64, fd, buf, 10));
  long n = syscall(SYS_getdents64, fd, buf, sizeof buf);
  int count = 0;
  long off = 0;
  for (long at = 0; at < n; count++) {
    unsigned short reclen = *(unsigned short *)(buf + at + 16);
    if (count == 2) off = *(long *)(buf + at + 8);
    at += reclen;
  }
  SHOW(count);
  T(syscall(SYS_getdents64, fd, buf, sizeof buf));
  lseek(fd, off, SEEK_SET);
  n = syscall(SYS_getdents64, fd, buf, sizeof buf);
  int rest = 0;
  for (long at = 0; at < n; rest++) at += *(unsigned short *)(buf + at + 16);
  SHOW(rest);
  T(lseek(fd, 0, SEEK_SET));
  SHOW(syscall(SYS_getdents64, fd, buf, sizeof buf) > 0);
  T(fchdir(fd));
  T(chdir("sub"));
  getcwd(buf, sizeof buf);
  puts(strrchr(buf, '/'));
  T(syscall(SYS_getcwd, buf, 3));
  T(chdir("../f1"));
  T(chdir("none"));
  T(chdir("../.."));
  T(unlinkat(fd, "other", 0));
  T(unlinkat(fd, "other", AT_REMOVEDIR));
  T(close(fd));
  int path = T(open("dir/link", O_PATH | O_NOFOLLOW));
  T(readlinkat(path, "", buf, 10));
  T(read(path, buf, 1));
  T(fchmod(path, 0600));
  T(close(path));
  fd = T(open(".", O_TMPFILE | O_RDWR, 0600));
  T(write(fd, "x", 1));
  T(open(".", O_TMPFILE | O_RDONLY, 0600));
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 1 << 16);
  contents();
  names();
  attributes();
  directories();
  return 0;
}
