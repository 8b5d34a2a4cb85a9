/* parallel.c - integer work, split among processes.
 *
 * usage: parallel PROCESSES UNITS
 * Starts PROCESSES processes, each of which does UNITS / PROCESSES units of work, and prints, as bench.c does,
 *   parallel nanoseconds UNITS checksum
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 1 << 14 };

/* Fills an array, sorts it, and folds it. */
static uint32_t unit(uint32_t seed) {
    static uint32_t words[WORDS];
    uint32_t x = seed * 2654435761u | 1, sum = 0;
    for (int i = 0; i < WORDS; i++) { x ^= x << 13; x ^= x >> 17; x ^= x << 5; words[i] = x; }
    for (int gap = WORDS / 2; gap > 0; gap /= 2)
        for (int i = gap; i < WORDS; i++) {
            uint32_t v = words[i];
            int j = i;
            for (; j >= gap && words[j - gap] > v; j -= gap) words[j] = words[j - gap];
            words[j] = v;
        }
    for (int i = 0; i < WORDS; i++) sum = (sum << 5 | sum >> 27) ^ words[i];
    return sum;
}

int main(int argc, char **argv) {
    int processes = argc > 1 ? atoi(argv[1]) : 1, units = argc > 2 ? atoi(argv[2]) : 100;
    uint32_t *sums = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (processes < 1 || processes > 64 || sums == MAP_FAILED) return 2;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int p = 0; p < processes; p++)
        if (fork() == 0) {
            uint32_t sum = 0;
            for (int u = p; u < units; u += processes) sum += unit(u);
            sums[p] = sum;
            _exit(0);
        }
    uint32_t sum = 0;
    for (int p = 0; p < processes; p++) wait(0);
    for (int p = 0; p < processes; p++) sum += sums[p];
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("parallel %.0f %d %08x\n", (to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec), units, sum);
    return 0;
}
