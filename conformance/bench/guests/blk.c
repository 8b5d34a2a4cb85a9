/* blk.c - rates of a block device, past the page cache.
 *
 * usage: blk read|random|write DEVICE BLOCK-BYTES COUNT
 * Reads or writes COUNT blocks one after the other (random: aligned places all over the device) and prints
 *   blk MiB-per-second operations-per-second
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "usage: blk read|random|write DEVICE BLOCK-BYTES COUNT\n"); return 2; }
    int write_ = !strcmp(argv[1], "write"), random_ = !strcmp(argv[1], "random");
    long bytes = atol(argv[3]), count = atol(argv[4]);
    int f = open(argv[2], (write_ ? O_WRONLY : O_RDONLY) | O_DIRECT);
    if (f < 0) { perror(argv[2]); return 1; }
    void *buffer;
    if (posix_memalign(&buffer, 4096, bytes)) return 1;
    memset(buffer, 1, bytes);
    off_t blocks = lseek(f, 0, SEEK_END) / bytes;
    unsigned seed = 1;
    double start = now();
    for (long i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        off_t at = (random_ ? (seed >> 8) % blocks : i % blocks) * bytes;
        long n = write_ ? pwrite(f, buffer, bytes, at) : pread(f, buffer, bytes, at);
        if (n != bytes) { perror("transfer"); return 1; }
    }
    double seconds = now() - start;
    printf("blk %.2f %.0f\n", bytes * count / seconds / 1048576, count / seconds);
    return 0;
}
