/* No C library: a static program that can lie anywhere. */
static long call(long n, long a, long b, long c) {
  register long a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a7 asm("a7") = n;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}
static char text[] = "bare 0\n";
void start(long *sp) {
  text[5] += sp[0];
  call(64, 1, (long)text, sizeof text - 1);
  call(94, 9, 0, 0);
}
asm(".globl _start\n_start:\n\tmv a0, sp\n\tlla gp, __global_pointer$\n\ttail start\n");
