/* bench.c - small self-calibrating CPU kernels for comparing emulators.
 *
 * MIT-style: do what you like with this file; no warranty.
 *
 * usage: bench [-w ms] [-t ms] [-c 1] [-m 1] [kernel ...] (no kernel: all CPU kernels)
 * Every kernel is a function of no argument that does one fixed "unit" of
 * work and returns a checksum.  One untimed unit, and more until -w has
 * passed, warm caches and translators; then the unit is repeated until at
 * least -t has passed, of real time or with -c 1 of processor time, and
 *   name ns-per-unit units checksum
 * is printed; with -m 1 the line "start" and a pause before the
 * window too: somebody outside may look at a clock.  The checksum of one unit is the same on every ISA, endianness
 * and word size (floating point kernels print a truncated value).
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifndef __EMSCRIPTEN__
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#endif

#define NOINLINE __attribute__((noinline))
typedef uint8_t u8; typedef uint16_t u16; typedef uint32_t u32; typedef uint64_t u64;

static clockid_t clk = CLOCK_MONOTONIC;
static double now(void) {
    struct timespec t; clock_gettime(clk, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}
static u32 rs = 1;
static inline u32 rnd(void) { rs ^= rs << 13; rs ^= rs >> 17; rs ^= rs << 5; return rs; }

/* ---- records: struct assignment, pointers, short strings, calls -------- */
struct rec { struct rec *next; int kind; int val; char name[32]; };
static struct rec ra, rb; static int garr[50], garr2[50][50]; static char gc1, gc2; static int gi;
static NOINLINE int p7(int a, int b) { return a + 2 + b; }
static NOINLINE int samech(char a, char b) { char c = a; if (c != b) return 0; gc1 = c; return 1; }
static NOINLINE int strfn(const char *a, const char *b) {
    int i = 2; char c = 'A';
    while (i <= 2) if (!samech(a[i], b[i + 1])) { c = 'A'; i++; }
    if (c >= 'W' && c < 'Z') i = 7;
    if (c == 'R') return 1;
    if (strcmp(a, b) > 0) { i += 7; gi = i; return 1; }
    return 0;
}
static NOINLINE void p8(int *a, int (*b)[50], int i, int v) {
    int l = i + 5; a[l] = v; a[l + 1] = a[l]; a[l + 30] = l;
    for (int k = l; k <= l + 1; k++) b[l][k] = l;
    b[l][l - 1]++; b[l + 20 < 50 ? l + 20 : 49][l] = a[l]; gi = 5;
}
static NOINLINE void p1(struct rec *p) {
    struct rec *n = p->next; *n = *p; p->val = 5; n->val = p->val; n->next = p->next;
    if (n->kind == 0) { n->val = p7(6, n->val); n->kind = 2; } else *p = *n;
}
static u32 k_records(void) {
    u32 s = 0; char s1[32], s2[32]; memset(garr, 0, sizeof garr); memset(garr2, 0, sizeof garr2);
    ra.next = &rb; ra.kind = 0; ra.val = 40; strcpy(ra.name, "RECORD PROGRAM, SOME STRING"); strcpy(s1, "RECORD PROGRAM, 1'ST STRING");
    for (int i = 0; i < 100000; i++) {
        int x = 2, y = 3, z = 0; gc2 = 'B';
        strcpy(s2, "RECORD PROGRAM, 2'ND STRING");
        int e = !strfn(s1, s2);
        while (x < y) { z = 5 * x - y; z += p7(x, y); x++; }
        p8(garr, garr2, x, z); ra.kind = i & 1; ra.next = &rb; p1(&ra);
        for (char c = 'A'; c <= gc2; c++) if (e == samech(c, 'C')) { strcpy(s2, "RECORD PROGRAM, 3'RD STRING"); y = i; gi = i; }
        y *= x; x = y / (z | 1); y = 7 * (y - z) - x; s += (u32)y + garr[8] + rb.val;
    }
    return s;
}
/* ---- mix: linked list + int matrix + state machine + crc --------------- */
static u16 crc16(u16 c, u16 d) { for (int i = 0; i < 16; i++) { int x = (c ^ d) & 1; c >>= 1; d >>= 1; if (x) c ^= 0xa001; } return c; }
struct ln { struct ln *n; short *d; };
static NOINLINE struct ln *lsort(struct ln *l, int by) {     /* bottom-up merge sort */
    int k = 1;
    for (;;) {
        struct ln *p = l, *t = 0; int merges = 0; l = 0;
        while (p) {
            merges++; struct ln *q = p; int ps = 0, qs = k; for (int i = 0; i < k && q; i++) { ps++; q = q->n; }
            while (ps > 0 || (qs > 0 && q)) {
                struct ln *e;
                if (!ps) { e = q; q = q->n; qs--; } else if (!qs || !q) { e = p; p = p->n; ps--; }
                else if (p->d[by] <= q->d[by]) { e = p; p = p->n; ps--; } else { e = q; q = q->n; qs--; }
                if (t) t->n = e; else l = e;
                t = e;
            }
            p = q;
        }
        t->n = 0; if (merges <= 1) return l; k *= 2;
    }
}
static NOINLINE int fsm(const char *s, u32 *cnt) {
    int st = 0; for (; *s; s++) { char c = *s;
        switch (st) {
        case 0: if (c >= '0' && c <= '9') st = 1; else if (c == '+' || c == '-') st = 2; else if (c == '.') st = 3; else st = 7; break;
        case 1: if (c == '.') st = 3; else if (c == 'e') st = 4; else if (c == ',') st = 0; else if (c < '0' || c > '9') st = 7; break;
        case 2: if (c >= '0' && c <= '9') st = 1; else if (c == '.') st = 3; else st = 7; break;
        case 3: if (c == 'e') st = 4; else if (c == ',') st = 0; else if (c < '0' || c > '9') st = 7; break;
        case 4: if (c == '+' || c == '-') st = 5; else st = 7; break;
        case 5: if (c >= '0' && c <= '9') st = 6; else st = 7; break;
        case 6: if (c == ',') st = 0; else if (c < '0' || c > '9') st = 7; break;
        default: if (c == ',') st = 0; break;
        }
        cnt[st]++; }
    return st;
}
static u32 k_mix(void) {
    static struct ln nodes[200]; static short dat[200][2]; static short A[24][24], B[24][24]; static int C[24][24];
    static const char txt[] = "5012,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^";
    u32 cnt[8] = {0}; u16 crc = 0; rs = 12345;
    for (int rep = 0; rep < 60; rep++) {
        for (int i = 0; i < 200; i++) { dat[i][0] = rnd() & 0x7fff; dat[i][1] = i; nodes[i].d = dat[i]; nodes[i].n = i < 199 ? &nodes[i + 1] : 0; }
        struct ln *l = lsort(nodes, 0); for (struct ln *p = l; p; p = p->n) crc = crc16(crc, p->d[0]);
        l = lsort(l, 1); crc = crc16(crc, l->d[0]);
        for (int i = 0; i < 24; i++) for (int j = 0; j < 24; j++) { A[i][j] = rnd() & 255; B[i][j] = (rnd() & 255) - 100; }
        for (int i = 0; i < 24; i++) for (int j = 0; j < 24; j++) { int s = 0; for (int k = 0; k < 24; k++) s += A[i][k] * B[k][j]; C[i][j] = s; }
        for (int i = 0; i < 24; i++) for (int j = 0; j < 24; j++) crc = crc16(crc, C[i][j] >> 2);
        for (int i = 0; i < 20; i++) crc = crc16(crc, fsm(txt, cnt));
    }
    for (int i = 0; i < 8; i++) crc = crc16(crc, cnt[i]);
    return crc;
}
/* ---- sha256 ------------------------------------------------------------ */
static u32 K256[64];
static u32 ror(u32 x, int n) { return x >> n | x << (32 - n); }
static void sha_k(void) {           /* fractional parts of cube roots of primes, computed by integer search */
    int n = 0; for (u32 p = 2; n < 64; p++) {
        int pr = 1; for (u32 d = 2; d * d <= p; d++) if (p % d == 0) { pr = 0; break; }
        if (!pr) continue;
        u64 lo = 0, hi = (u64)8 << 32;  /* cube root in 32.32, x^3 <= p */
        while (hi - lo > 1) {           /* 32.32 fixed point, limbs a.b */
            u64 m = (lo + hi) / 2, x = m >> 32, y = m & 0xffffffffu;
            u64 sq = x * x, sm = 2 * x * y, sl = y * y;
            u64 f = (sl >> 32) + (sm & 0xffffffffu), i = sq + (sm >> 32) + (f >> 32); f &= 0xffffffffu;
            u64 c = i * y + x * f + ((y * f) >> 32);
            if (i * x + (c >> 32) < p) lo = m; else hi = m;
        }
        K256[n++] = (u32)lo;
    }
}
static NOINLINE void sha_block(u32 *h, const u8 *p) {
    u32 w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], hh = h[7];
    for (int i = 0; i < 16; i++) w[i] = (u32)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) w[i] = w[i - 16] + w[i - 7] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (int i = 0; i < 64; i++) {
        u32 t1 = hh + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K256[i] + w[i];
        u32 t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        hh = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += hh;
}
static u32 k_sha256(void) {
    static u8 buf[65536]; u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    if (!K256[0]) { sha_k(); for (int i = 0; i < 65536; i++) buf[i] = i * 7; }
    for (int r = 0; r < 16; r++) for (int i = 0; i < 65536; i += 64) sha_block(h, buf + i);
    return h[0] ^ h[7];
}
/* ---- floating point ---------------------------------------------------- */
static u32 k_matmul(void) {
    enum { N = 128 }; static double a[N][N], b[N][N], c[N][N];
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { a[i][j] = (i + j) % 17 * 0.5; b[i][j] = (i * 3 + j) % 13 * 0.25; }
    for (int r = 0; r < 4; r++)
        for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { double s = 0; for (int k = 0; k < N; k++) s += a[i][k] * b[k][j]; c[i][j] = s; }
    return (u32)(c[3][5] + c[100][77]);
}
static NOINLINE double sqrt_nr(double x) { return __builtin_sqrt(x); }
static u32 k_nbody(void) {
    double p[5][3] = {{0,0,0},{4.84,-1.16,-.10},{8.34,4.12,-.40},{12.89,-15.11,-.22},{15.37,-25.9,.179}};
    double v[5][3] = {{0,0,0},{.606,2.81,-.02},{-1.01,1.82,.008},{1.08,.868,-.01},{.979,.594,-.034}};
    double m[5] = {39.47,.0376,.0112,.0017,.002};
    for (int s = 0; s < 20000; s++) {
        for (int i = 0; i < 5; i++) for (int j = i + 1; j < 5; j++) {
            double dx = p[i][0] - p[j][0], dy = p[i][1] - p[j][1], dz = p[i][2] - p[j][2];
            double d2 = dx * dx + dy * dy + dz * dz, mag = 0.001 / (d2 * sqrt_nr(d2));
            v[i][0] -= dx * m[j] * mag; v[i][1] -= dy * m[j] * mag; v[i][2] -= dz * m[j] * mag;
            v[j][0] += dx * m[i] * mag; v[j][1] += dy * m[i] * mag; v[j][2] += dz * m[i] * mag;
        }
        for (int i = 0; i < 5; i++) for (int k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
    }
    return (u32)(int)(p[1][0] * 100);
}
static u32 k_mandel(void) {
    u32 t = 0; enum { N = 128 };
    for (int y = 0; y < N; y++) for (int x = 0; x < N; x++) {
        double cr = x * 3.0 / N - 2.25, ci = y * 2.5 / N - 1.25, zr = 0, zi = 0; int n = 0;
        while (n < 200) { double r2 = zr * zr, i2 = zi * zi; if (r2 + i2 > 4) break; zi = 2 * zr * zi + ci; zr = r2 - i2 + cr; n++; }
        t += n;
    }
    return t;
}
/* ---- memory ------------------------------------------------------------ */
static NOINLINE void qs(u32 *a, int lo, int hi) {
    while (lo < hi) {
        u32 p = a[(lo + hi) >> 1]; int i = lo, j = hi;
        while (i <= j) { while (a[i] < p) i++; while (a[j] > p) j--; if (i <= j) { u32 t = a[i]; a[i] = a[j]; a[j] = t; i++; j--; } }
        if (j - lo < hi - i) { qs(a, lo, j); lo = i; } else { qs(a, i, hi); hi = j; }
    }
}
static u32 k_qsort(void) {
    enum { N = 1 << 18 }; static u32 *a; if (!a) a = malloc(N * 4);
    rs = 99; for (int i = 0; i < N; i++) a[i] = rnd();
    qs(a, 0, N - 1); u32 s = 0; for (int i = 0; i < N; i += 1000) s = s * 31 + a[i]; return s;
}
static u32 k_hash64m(void) {       /* open addressing table of 64 MiB, random probes */
    enum { SZ = 1 << 23, M = SZ - 1 }; static u32 (*t)[2]; u32 hit = 0;
    if (!t) { t = calloc(SZ, 8); rs = 7; for (int i = 0; i < SZ / 2; i++) { u32 k = rnd() | 1, h = (k * 2654435761u) >> 9; while (t[h & M][0] && t[h & M][0] != k) h++; t[h & M][0] = k; t[h & M][1] = i; } }
    rs = 7; u32 r2 = 77;
    for (int i = 0; i < 200000; i++) { r2 = r2 * 1664525 + 1013904223; u32 k = (i & 1) ? (rnd() | 1) : (r2 | 1), h = (k * 2654435761u) >> 9;
        while (t[h & M][0] && t[h & M][0] != k) h++;
        if (t[h & M][0] == k) hit += t[h & M][1]; }
    return hit;
}
static u32 k_memcpy(void) {        /* libc memcpy, 64 KiB and 31..287 byte blocks */
    static u8 a[131072], b[131072]; static int init; if (!init) { init = 1; for (int i = 0; i < 131072; i++) a[i] = i * 11; }
    u32 s = 0; for (int r = 0; r < 500; r++) { memcpy(b + (r & 15), a + (r & 7), 65536); __asm__ volatile("" ::: "memory"); s += b[r * 3]; }
    for (int r = 0; r < 200000; r++) { int n = 31 + (r & 255); memcpy(b + (r & 1023), a + (r * 7 & 4095), n); __asm__ volatile("" ::: "memory"); s += b[r & 1023]; }
    return s;
}
static u32 k_strlen(void) {        /* libc strlen / strchr / memcmp */
    static char a[8192]; static int init; if (!init) { init = 1; for (int i = 0; i < 8191; i++) a[i] = 'a' + i % 25; }
    u32 s = 0; for (int r = 0; r < 3000; r++) { const char *p = a + (r & 2047); __asm__ volatile("" : "+r"(p)::"memory"); s += strlen(p); s += strchr(p + 4000, 'y') - p; }
    for (int r = 0; r < 60000; r++) { const char *p = a + 8191 - (r & 63); __asm__ volatile("" : "+r"(p)::"memory"); s += strlen(p); }
    return s;
}
__attribute__((optimize("no-tree-loop-distribute-patterns","no-tree-vectorize"))) static NOINLINE u32 bytes_(u8 *d, const u8 *p, int n) { u32 s = 0; for (int i = 0; i < n; i++) { u8 c = p[i]; if (!c) break; d[i] = c; s = s * 31 + c; } return s; }
static u32 k_bytes(void) {         /* naive byte loop: copy + rolling hash */
    static u8 a[8192], b[8192]; for (int i = 0; i < 8191; i++) a[i] = 1 + i % 200;
    u32 s = 0; for (int r = 0; r < 500; r++) s += bytes_(b, a + (r & 255), 8191); return s;
}
/* ---- control flow ------------------------------------------------------ */
static NOINLINE u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
static u32 k_fib(void) { u32 (*volatile f)(u32) = fib; return f(30); }
typedef u32 (*opfn)(u32, u32);
static u32 f0(u32 a, u32 b) { return a + b; } static u32 f1(u32 a, u32 b) { return a ^ b; } static u32 f2(u32 a, u32 b) { return a - b; } static u32 f3(u32 a, u32 b) { return (a << 1) + b; }
static u32 f4(u32 a, u32 b) { return a * b; } static u32 f5(u32 a, u32 b) { return a | b; } static u32 f6(u32 a, u32 b) { return (a >> 3) + b; } static u32 f7(u32 a, u32 b) { return ~a + b; }
static u32 k_icall(void) {         /* function pointers, random target */
    static opfn volatile tab[8] = {f0, f1, f2, f3, f4, f5, f6, f7}; rs = 5; u32 a = 1;
    for (int i = 0; i < 1000000; i++) { u32 r = rnd(); a = tab[r & 7](a, r); } return a;
}
static NOINLINE u32 vm(const u8 *code) {  /* stack machine, threaded with computed goto */
    static const void *L[] = {&&push, &&add, &&sub, &&mul, &&xor_, &&dup, &&swap, &&jnz, &&ld, &&st, &&halt, &&shr};
    u32 stk[32], *sp = stk, mem[16] = {0}, t; const u8 *pc = code;
#define NX goto *L[*pc++]
    NX;
push: *sp++ = *pc++; NX;
add: sp--; sp[-1] += sp[0]; NX;
sub: sp--; sp[-1] -= sp[0]; NX;
mul: sp--; sp[-1] *= sp[0]; NX;
xor_: sp--; sp[-1] ^= sp[0]; NX;
dup: sp[0] = sp[-1]; sp++; NX;
swap: t = sp[-1]; sp[-1] = sp[-2]; sp[-2] = t; NX;
jnz: t = *--sp; pc += t ? (int8_t)*pc : 1; NX;
ld: *sp++ = mem[*pc++ & 15]; NX;
st: mem[*pc++ & 15] = *--sp; NX;
shr: sp[-1] >>= *pc++ & 31; NX;
halt: return mem[1];
}
static u32 k_interp(void) {
    static const u8 prog[] = { 0,250, 0,200, 3, 9,0, 0,7, 9,1,               /* m0=50000 m1=7 */
        /*11*/ 8,1, 0,33, 3, 8,0, 1, 5, 11,7, 4, 9,1, 8,1, 0,17, 1, 9,2, 8,2, 8,1, 6, 2, 9,3, 8,1, 8,3, 4, 9,1,
        8,0, 0,1, 2, 5, 9,0, 7, (u8)(-45), 10 };
    return vm(prog);
}
static NOINLINE u32 sw(const u8 *s, int n) { /* dense switch, unpredictable */
    u32 a = 1; for (int i = 0; i < n; i++) switch (s[i] & 15) {
    case 0: a += 3; break; case 1: a ^= a << 3; break; case 2: a -= 7; break; case 3: a = a * 5 + 1; break; case 4: a |= 1; break; case 5: a = (a >> 1) + i; break;
    case 6: a += a >> 4; break; case 7: a = ~a; break; case 8: a ^= 0x55; break; case 9: a -= a >> 2; break; case 10: a += i; break; case 11: a *= 9; break;
    case 12: a ^= i; break; case 13: a = (a << 7) | (a >> 25); break; case 14: a += 11; break; default: a -= i; } return a;
}
static u32 k_switch(void) { static u8 s[65536]; rs = 3; for (int i = 0; i < 65536; i++) s[i] = rnd() >> 8; u32 a = 0; for (int r = 0; r < 10; r++) a += sw(s, 65536); return a; }
static u32 k_div(void) {           /* 32 and 64 bit divide */
    rs = 11; u64 a = 0; for (int i = 0; i < 200000; i++) { u32 x = rnd(), y = (rnd() & 0xffff) | 1; u64 z = (u64)x << 20 | y; a += z / y; a ^= x % y; } return (u32)a ^ (u32)(a >> 32);
}
static u32 k_u64(void) {           /* 64 bit arithmetic: xorshift*, rotate, mul */
    u64 x = 88172645463325252ull, s = 0; for (int i = 0; i < 1000000; i++) { x ^= x >> 12; x ^= x << 25; x ^= x >> 27; u64 r = x * 2685821657736338717ull; s += r >> 33 | r << 31; } return (u32)s ^ (u32)(s >> 32);
}
/* ---- lz: hash-chain LZ77 over synthetic text --------------------------- */
static u32 k_lz(void) {
    enum { N = 1 << 17 }; static u8 in[N + 8]; static int head[1 << 13], prev[N]; static int init;
    if (!init) { init = 1; static const char *w[] = {"the ","quick ","brown ","emulator ","of ","guest ","code ","translates ","blocks ","into ","host ","and\n","a "}; rs = 42; int n = 0; while (n < N) { const char *p = w[(rnd() >> 4) % 13]; while (*p && n < N) in[n++] = *p++; if (!(rnd() & 7)) in[n < N ? n++ : N - 1] = 'a' + (rnd() & 15); } }
    for (int i = 0; i < 1 << 13; i++) head[i] = -1;
    u32 out = 1, i = 0;
    while (i < N - 8) {
        u32 h = ((in[i] << 16 | in[i + 1] << 8 | in[i + 2]) * 2654435761u) >> 19; int c = head[h], best = 0, tries = 8;
        while (c >= 0 && tries-- && (int)i - c < 32768) { int l = 0, mx = N - i < 258 ? N - i : 258; while (l < mx && in[c + l] == in[i + l]) l++; if (l > best) best = l; c = prev[c]; }
        prev[i] = head[h]; head[h] = i; out = out * 33 + best; i += best >= 3 ? best : 1;
    }
    return out;
}
#ifndef __EMSCRIPTEN__
/* ---- OS-bound kernels (not part of "all") ------------------------------ */
static u32 k_syscall(void) { for (int i = 0; i < 20000; i++) syscall(SYS_getppid); return 20000; }
static u32 k_fault(void) { enum { S = 4 << 20 }; u32 s = 0; for (int r = 0; r < 2; r++) { u8 *p = mmap(0, S, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); for (int i = 0; i < S; i += 4096) p[i] = 1; munmap(p, S); s++; } return s; }
static u32 k_fork(void) { for (int i = 0; i < 20; i++) { pid_t c = fork(); if (!c) _exit(0); waitpid(c, 0, 0); } return 20; }
static u32 k_pipe(void) { int a[2], b[2]; char c = 1; if (pipe(a) || pipe(b)) return 0; pid_t p = fork(); if (!p) { close(a[1]); while (read(a[0], &c, 1) == 1) if (write(b[1], &c, 1) != 1) break; _exit(0); } close(a[0]); for (int i = 0; i < 1000; i++) { if (write(a[1], &c, 1) != 1) break; if (read(b[0], &c, 1) != 1) break; } close(a[1]); close(b[0]); close(b[1]); waitpid(p, 0, 0); return 1000; }
static u32 k_sleep(void) { struct timespec t = {0, 1000}; for (int i = 0; i < 200; i++) nanosleep(&t, 0); return 200; }
#endif

static const struct { const char *n; u32 (*f)(void); int os; } ks[] = {
    {"records", k_records}, {"mix", k_mix}, {"sha256", k_sha256}, {"u64", k_u64}, {"div", k_div}, {"matmul", k_matmul}, {"nbody", k_nbody}, {"mandel", k_mandel},
    {"qsort", k_qsort}, {"hash64m", k_hash64m}, {"memcpy", k_memcpy}, {"strlen", k_strlen}, {"bytes", k_bytes}, {"fib", k_fib}, {"icall", k_icall}, {"interp", k_interp}, {"switch", k_switch}, {"lz", k_lz},
#ifndef __EMSCRIPTEN__
    {"syscall", k_syscall, 1}, {"fault", k_fault, 1}, {"fork", k_fork, 1}, {"pipe", k_pipe, 1}, {"sleep", k_sleep, 1},
#endif
};
int main(int argc, char **argv) {
    double lim = 300e6, warm = 0; int i = 1, marks = 0;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
        if (argv[i][1] == 'c') clk = CLOCK_PROCESS_CPUTIME_ID;
        else if (argv[i][1] == 'm') marks = 1;
        else *(argv[i][1] == 'w' ? &warm : &lim) = atof(argv[i + 1]) * 1e6;
    for (unsigned k = 0; k < sizeof ks / sizeof *ks; k++) {
        int want = i >= argc && !ks[k].os;
        for (int j = i; j < argc; j++) want |= !strcmp(argv[j], ks[k].n) || (!strcmp(argv[j], "os") && ks[k].os) || (!strcmp(argv[j], "cpu") && !ks[k].os);
        if (!want) continue;
        double t0 = now(), t; u32 c = ks[k].f(), n = 0;
        while (now() - t0 < warm) ks[k].f();
        if (marks) { puts("start"); fflush(stdout); usleep(200000); }
        t0 = now();
        do { ks[k].f(); n++; t = now(); } while (t - t0 < lim);
        printf("%s %.0f %u %08x\n", ks[k].n, (t - t0) / n, n, c); fflush(stdout);
    }
    return 0;
}
