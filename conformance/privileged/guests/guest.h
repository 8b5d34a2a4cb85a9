/* What the guest programs share: start, output, random numbers, and single accesses with a chosen privilege. */
typedef unsigned long word;
typedef unsigned int u32;

#define CSRW(name, value) asm volatile("csrw " #name ", %0" ::"r"((word)(value)) : "memory")
#define CSRS(name, value) asm volatile("csrs " #name ", %0" ::"r"((word)(value)) : "memory")
#define CSRC(name, value) asm volatile("csrc " #name ", %0" ::"r"((word)(value)) : "memory")

#define MPP_S (1ul << 11)
#define MPP (3ul << 11)
#define MPRV (1ul << 17)
#define SUM (1ul << 18)
#define MXR (1ul << 19)

enum { LOAD, STORE, FETCH, AMO };
/* An instruction that ends a fetch: ecall. */
#define ECALL 0x73u
/* Cause of an access that did not trap. */
#define NONE 99

#if __riscv_xlen == 64
#define LX "ld"
#define SX "sd"
#define SIZE "8"
#else
#define LX "lw"
#define SX "sw"
#define SIZE "4"
#endif

/* cause, trap value, where to go on, stack pointer, scratch */
word trap[5];
extern void trap_entry(void), fetch_at(word address);
extern word load_with(word address, word status);
extern void store_with(word address, word status), amo_with(word address, word status);

asm(".section .init\n"
    "start: csrr t0, mhartid\n"
    "  beqz t0, 2f\n"
    "1: wfi\n"
    "  j 1b\n"
    "2: la sp, stack_end\n"
    "  j main\n"
    ".text\n"
    /* Records the trap and goes on in M-mode where trap[2] says. */
    ".align 4\n"
    "trap_entry:\n"
    "  csrw mscratch, t0\n"
    "  la t0, trap\n"
    "  " SX " t1, 4*" SIZE "(t0)\n"
    "  csrr t1, mcause\n"
    "  " SX " t1, 0(t0)\n"
    "  csrr t1, mtval\n"
    "  " SX " t1, 1*" SIZE "(t0)\n"
    "  " LX " t1, 2*" SIZE "(t0)\n"
    "  csrw mepc, t1\n"
    "  li t1, 0x1800\n"
    "  csrs mstatus, t1\n"
    "  li t1, 0x20000\n"
    "  csrc mstatus, t1\n"
    "  mret\n"
#define ACCESS(name, insn)                                                                                             \
  name ":\n  la t0, trap\n  la t1, 1f\n  " SX " t1, 2*" SIZE "(t0)\n  csrs mstatus, a1\n  " insn                       \
       "\n1:\n  li t1, 0x20000\n  csrc mstatus, t1\n  ret\n"
    ACCESS("load_with", "lw a0, 0(a0)")
    ACCESS("store_with", "sw zero, 0(a0)")
    ACCESS("amo_with", "amoadd.w zero, zero, (a0)")
    /* Jumps to the address in the mode of mstatus.MPP; comes back when that traps. */
    "fetch_at:\n"
    "  addi sp, sp, -16\n"
    "  " SX " ra, 0(sp)\n"
    "  la t0, trap\n"
    "  " SX " sp, 3*" SIZE "(t0)\n"
    "  la t1, 1f\n"
    "  " SX " t1, 2*" SIZE "(t0)\n"
    "  csrw mepc, a0\n"
    "  mret\n"
    ".align 2\n"
    "1: la t0, trap\n"
    "  " LX " sp, 3*" SIZE "(t0)\n"
    "  " LX " ra, 0(sp)\n"
    "  addi sp, sp, 16\n"
    "  ret\n"
    ".bss\n.align 4\n.space 8192\nstack_end: .space 16\n.text\n");

static void print_char(char c) {
  volatile unsigned char *uart = (void *)0x10000000;
  while (!(uart[5] & 0x20)) {
  }
  uart[0] = c;
}

static void print(word value) {
  int shift = __riscv_xlen - 4;
  while (shift > 0 && !(value >> shift)) shift -= 4;
  for (; shift >= 0; shift -= 4) print_char("0123456789abcdef"[(value >> shift) & 15]);
  print_char(' ');
}

static void power_off(void) {
  *(volatile u32 *)0x100000 = 0x5555;
  for (;;) {
  }
}

/* xorshift: Marsaglia, "Xorshift RNGs", 2003. */
static word seed = (word)88172645463325252ull;
static word random_word(void) {
#if __riscv_xlen == 64
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
#else
  seed ^= seed << 13, seed ^= seed >> 17, seed ^= seed << 5;
#endif
  return seed;
}
static u32 below(u32 n) { return random_word() % n; }

/* One access with the translation and protection that `status` (MPP, SUM, MXR) selects. @returns what a load read */
static word access_with(int kind, word address, word status) {
  CSRC(mstatus, MPP | SUM | MXR);
  trap[0] = NONE;
  trap[1] = 0;
  word value = 0;
  if (kind == FETCH) {
    CSRS(mstatus, status);
    fetch_at(address);
  } else if (kind == LOAD) {
    value = load_with(address, status | MPRV);
  } else if (kind == STORE) {
    store_with(address, status | MPRV);
  } else {
    amo_with(address, status | MPRV);
  }
  CSRC(mstatus, SUM | MXR);
  return trap[0] == NONE ? value : 0;
}

static word digest = (word)1469598103934665603ull;
static void digest_add(word value) { digest = (digest ^ value) * (word)1099511628211ull; }
