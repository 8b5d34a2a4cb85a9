import { type ProgramCase, table } from "../case.ts";

/**
 * `gcc -c` forks: it starts cc1 and as one after the other. Until there is fork and exec, its single-process parts run:
 * the driver with `-###` (which only prints what it would start), then cc1, as and ld themselves.
 */
const WHY_NOT_GCC = "gcc -c starts cc1 and as by vfork: cc1, as and ld run directly, with the driver's own arguments";

const MACHINE = ["-march=rv64gc", "-mabi=lp64d"];
const CC1 = ["/usr/libexec/gcc/riscv64-linux-gnu/14/cc1", "-quiet", "-imultiarch", "riscv64-linux-gnu", ...MACHINE];
const AS = ["/usr/bin/riscv64-linux-gnu-as", ...MACHINE];
const LD = ["/usr/bin/riscv64-linux-gnu-ld"];
const LIB = "/usr/lib/riscv64-linux-gnu";
const GCC_LIB = "/usr/lib/gcc/riscv64-linux-gnu/14";

const HELLO = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
struct point { double x, y; };
static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
static double norm(struct point p) { return sqrt(p.x * p.x + p.y * p.y); }
int main(int argc, char **argv) {
  int a[16];
  for (int i = 0; i < 16; i++) a[i] = (i * 7919) % 101;
  qsort(a, 16, sizeof a[0], compare);
  for (int i = 0; i < 16; i++) printf("%d%c", a[i], i == 15 ? '\\n' : ' ');
  char *s = strdup("hello, world");
  for (char *p = s; *p; p++) if (*p >= 'a' && *p <= 'z') *p -= 32;
  printf("%s %d %.6f\\n", s, argc, norm((struct point){3, 4}));
  free(s);
  return argc + 10;
}
`;

const SMALL = `typedef unsigned long u64;
u64 fib(u64 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
int sum(const int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }
double poly(double x) { return ((1.5 * x - 2.25) * x + 3.125) * x - 4; }
int classify(int c) { switch (c) { case 1: return 10; case 2: return 20; case 3: return 35; case 7: return 70; default: return c / 3; } }
_Thread_local int counter; int bump(void) { return ++counter; }
`;

const START = `.globl _start
_start: la a1, text
  li a0, 1
  li a2, 6
  li a7, 64
  ecall
  li a0, 5
  li a7, 93
  ecall
  .section .rodata
text: .ascii "hello\\n"
  .data
value: .dword text, 1f - text
1: .string "end"
`;

const files = {
  "hello.c": HELLO,
  "small.c": SMALL,
  "start.s": START,
  "error.c": "int main(void) { return undeclared + ; }\n",
  "warn.c": '#include <stdio.h>\nint main(void) { int unused; printf("%s\\n", 5); }\n',
  "macro.c":
    "#define CAT(a, b) a##b\n#define STR(x) #x\n#if __riscv_xlen == 64\nconst char *CAT(na, me) = STR(64 bits);\n#endif\n__LINE__ __riscv\n",
  "bad.s": "nonsense a0, a1\n  addi a0, a1, 99999\n",
  "lib.s": ".globl helper\nhelper: li a0, 3\n ret\n",
  "prog.s": ".globl _start\n_start: call helper\n li a7, 93\n ecall\n",
};

const CC1_LINES = String.raw`
small.c -O2 -o small.s
small.c -O0 -g -o small.s
small.c -O3 -funroll-loops -o small.s
small.c -Os -fPIC -o small.s
hello.c -O2 -o hello.s
hello.c -E -P -o hello.i
macro.c -E -o macro.i
error.c -o error.s
warn.c -Wall -Wextra -o warn.s
missing.c -o missing.s
small.c -O2 -fdump-tree-optimized -o small.s
-version small.c -O1 -o -
--help=target
`;

const AS_LINES = String.raw`
!start.s -o start.o
-a start.s -o start.o
-g start.s -o start.o
bad.s -o bad.o
missing.s -o x.o
--version
`;

/** A driver's arguments name a temporary file. */
const temporary = (text: string): string => text.replaceAll(/\/tmp\/cc\w{6}\./g, "/tmp/ccXXXXXX.");

const c = ["-O2", "-o"];
const objects = [
  [...CC1, "hello.c", ...c, "hello.s"],
  [...AS, "hello.s", "-o", "hello.o"],
];
const link = [...LD, "--build-id=sha1", `-L${GCC_LIB}`, `-L${LIB}`];
const staticLink = [
  ...link, "-static", "-o", "hello.elf", `${LIB}/crt1.o`, `${LIB}/crti.o`, `${GCC_LIB}/crtbeginT.o`, "hello.o", "-lm",
  "--start-group", "-lgcc", "-lgcc_eh", "-lc", "--end-group", `${GCC_LIB}/crtend.o`, `${LIB}/crtn.o`,
]; // prettier-ignore
const dynamicLink = [
  ...link, "-pie", "-z", "relro", "-dynamic-linker", "/lib/ld-linux-riscv64-lp64d.so.1", "-o", "hello.elf", `${LIB}/Scrt1.o`,
  `${LIB}/crti.o`, `${GCC_LIB}/crtbeginS.o`, "hello.o", "-lm", "-lc", "-lgcc", `${GCC_LIB}/crtendS.o`, `${LIB}/crtn.o`,
]; // prettier-ignore
const small = [
  [...AS, "prog.s", "-o", "prog.o"],
  [...AS, "lib.s", "-o", "lib.o"],
  ["/usr/bin/riscv64-linux-gnu-ar", "rcsD", "lib.a", "lib.o"],
];

/** What is run on objects of the two small sources. */
const ON_OBJECTS = String.raw`
ld -o prog.elf prog.o lib.a
ld -r -o both.o prog.o lib.o
ld -o prog.elf prog.o
ld -shared -o lib.so lib.o
objdump -d -r prog.o
objdump -x lib.o
nm -a prog.o lib.o
readelf -a -W prog.o
size prog.o lib.a
strip -o stripped.o prog.o
objcopy -O binary prog.o prog.bin
ar tv lib.a
ar x lib.a
ranlib lib.a
strings -a prog.o
addr2line -e prog.o 0
c++filt _ZN3foo3barEi
elfedit --output-osabi Linux prog.o
`;

export const gcc: readonly ProgramCase[] = [
  {
    name: `gcc: the driver's plan (${WHY_NOT_GCC})`,
    argv: ["/usr/bin/riscv64-linux-gnu-gcc-14", "-###", "-O2", "-c", "small.c"],
    normalise: [temporary],
    files,
  },
  { name: "gcc: --version", argv: ["/usr/bin/riscv64-linux-gnu-gcc-14", "--version"] },
  { name: "gcc: -print-search-dirs", argv: ["/usr/bin/riscv64-linux-gnu-gcc-14", "-print-search-dirs"] },
  ...table("cc1", CC1, CC1_LINES, { files }),
  ...table("as", AS, AS_LINES, { files }),
  ...table("binutils", [], ON_OBJECTS, { files, before: small }).map((test) => ({
    ...test,
    argv: [`/usr/bin/riscv64-linux-gnu-${test.argv[0] ?? ""}`, ...test.argv.slice(1)],
  })),
  {
    name: "gcc: compiled, assembled, linked statically and run",
    before: [...objects, staticLink],
    argv: ["./hello.elf", "x"],
    files,
  },
  {
    name: "gcc: compiled, assembled, linked dynamically and run",
    before: [...objects, dynamicLink],
    argv: ["./hello.elf", "x", "y"],
    files,
  },
  {
    name: "gcc: assembled, linked and run",
    before: [...small, [...LD, "-o", "prog.elf", "prog.o", "lib.a"]],
    argv: ["./prog.elf"],
    files,
  },
];
