/* T(call) prints the call, its result, and the name of its error. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define T(call)                                                                                                        \
  ({                                                                                                                   \
    errno = 0;                                                                                                         \
    long result_ = (long)(call);                                                                                       \
    if (result_ == -1) printf("%s: %s\n", #call, strerrorname_np(errno) ? strerrorname_np(errno) : "?");               \
    else printf("%s = %ld\n", #call, result_);                                                                         \
    result_;                                                                                                           \
  })
/* The same for results that differ from run to run: only whether it worked. */
#define OK(call)                                                                                                       \
  ({                                                                                                                   \
    errno = 0;                                                                                                         \
    long result_ = (long)(call);                                                                                       \
    if (result_ == -1) printf("%s: %s\n", #call, strerrorname_np(errno) ? strerrorname_np(errno) : "?");               \
    else printf("%s: ok\n", #call);                                                                                    \
    result_;                                                                                                           \
  })
#define SHOW(value) printf("%s: %ld\n", #value, (long)(value))
