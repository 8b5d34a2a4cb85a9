/* portio.c - port accesses from a program, which the kernel lets through: one line for each kind, as bench.c prints. */
#include <stdio.h>
#include <sys/io.h>
#include <time.h>

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }

enum { N = 20000, ROUNDS = 15 };
static unsigned sum;

static void read8(void) { for (int i = 0; i < N; i++) sum += inb(0x3fd); }
static void write8(void) { for (int i = 0; i < N; i++) outb(i, 0x80); }
static void read32(void) { for (int i = 0; i < N; i++) sum += inl(0xcfc); }

int main(void) {
    static const struct { const char *name; void (*run)(void); } kinds[] = {{"inb", read8}, {"outb", write8}, {"inl", read32}};
    if (iopl(3)) { perror("iopl"); return 1; }
    for (int k = 0; k < 3; k++) {
        double best = 1e18;
        for (int i = 0; i < ROUNDS; i++) {
            double start = now();
            kinds[k].run();
            double time = now() - start;
            if (time < best) best = time;
        }
        printf("%s %.0f %d %08x\n", kinds[k].name, best, ROUNDS, 0);
    }
    return 0;
}
