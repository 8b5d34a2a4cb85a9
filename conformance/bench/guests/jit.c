/* jit.c - a guest that generates code without end.
 *
 * usage: jit [pages [ms]]
 * Writes functions into fresh pages, four a page, calls each often enough that a translator finds it worth while, and
 * checks its results.  Pages come from a ring of 64 MiB; memory that comes round again is unmapped and mapped anew.
 * Ten times on the way a fixed function of this program is timed, right after the generated code and again when it has
 * run for that long (200 ms):
 *   jit pages pages-per-second first-ns settled-ns checksum
 * where the last line's settled time against the best of all lines shows whether speed came back.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

typedef uint32_t u32; typedef uint64_t u64;
typedef u64 (*fn)(u64 x, u64 n);
enum { PAGE = 4096, CHUNK = 256, CHUNKS = 64, FUNCTIONS = 4, LOOPS = 1500 };

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }

/* RISC-V Unprivileged ISA, "RV32/64G Instruction Set Listings". */
static u32 r(u32 funct7, u32 rs2, u32 rs1, u32 f3, u32 rd) { return funct7 << 25 | rs2 << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x33; }
static u32 i(u32 imm, u32 rs1, u32 f3, u32 rd) { return (imm & 0xfff) << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x13; }
enum { A0 = 10, A1 = 11, T0 = 5 };

/* do { x += x << s; x ^= k; x ^= x >> 7; } while (--n); return x; */
static void emit(u32 *p, u32 s, u32 k) {
    *p++ = i(s, A0, 1, T0);              /* slli t0, a0, s */
    *p++ = r(0, T0, A0, 0, A0);          /* add a0, a0, t0 */
    *p++ = i(k, A0, 4, A0);              /* xori a0, a0, k */
    *p++ = i(7, A0, 5, T0);              /* srli t0, a0, 7 */
    *p++ = r(0, T0, A0, 4, A0);          /* xor a0, a0, t0 */
    *p++ = i(-1, A1, 0, A1);             /* addi a1, a1, -1 */
    *p++ = 0xfe0594e3;                   /* bnez a1, -24 */
    *p++ = 0x00008067;                   /* ret */
}
static u64 expected(u32 s, u32 k, u64 x, u64 n) { while (n--) { x += x << s; x ^= k; x ^= x >> 7; } return x; }

static __attribute__((noinline)) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static double hot(void) { u32 (*volatile f)(u32) = fib; double t = now(); if (f(24) != 46368) exit(1); return now() - t; }
static double settle = 200e6;
static double least(void) { double end = now() + settle, best = 1e18; do { double t = hot(); if (t < best) best = t; } while (now() < end); return best; }

int main(int argc, char **argv) {
    long pages = argc > 1 ? atol(argv[1]) : 100000, part = pages / 10 ? pages / 10 : 1;
    if (argc > 2) settle = atof(argv[2]) * 1e6;
    char *ring = mmap(0, (size_t)PAGE * CHUNK * CHUNKS, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring == MAP_FAILED) { perror("mmap"); return 1; }
    u64 sum = 0; double first = hot(), settled = least(), start;
    printf("jit 0 0 %.0f %.0f 00000000\n", first, settled); fflush(stdout);
    start = now();
    for (long done = 0; done < pages; ) {
        char *chunk = ring + (size_t)(done / CHUNK % CHUNKS) * CHUNK * PAGE, *page = chunk + done % CHUNK * PAGE;
        if (done % CHUNK == 0 && (munmap(chunk, CHUNK * PAGE) || mmap(chunk, CHUNK * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != chunk)) { perror("mmap"); return 1; }
        for (int f = 0; f < FUNCTIONS; f++) emit((u32 *)(page + f * 1024), 1 + (done + f) % 31, (done * 4 + f) & 0x7ff);
        __builtin___clear_cache(page, page + PAGE);
        for (int f = 0; f < FUNCTIONS; f++) {
            u64 x = ((fn)(void *)(page + f * 1024))(done + 1, LOOPS);
            sum = sum * 31 + x;
            if (done % 64 == 0 && x != expected(1 + (done + f) % 31, (done * 4 + f) & 0x7ff, done + 1, LOOPS)) { printf("wrong at page %ld\n", done); return 1; }
        }
        if (++done % part == 0) {
            double t = now() - start; first = hot(); settled = least();
            printf("jit %ld %.0f %.0f %.0f %08x\n", done, part * 1e9 / t, first, settled, (u32)(sum ^ sum >> 32)); fflush(stdout);
            start = now();
        }
    }
    return 0;
}
