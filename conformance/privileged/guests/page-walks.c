/*
 * Random page tables, random accesses: prints a digest of causes, trap values, values read and PTEs afterwards, every 64
 * cases. With DETAIL=n it prints each of the 64 cases from n on.
 */
#include "guest.h"

#define PAGE 4096ul
#define DATA 0x80400000ul
#define TABLES 0x80800000ul

enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };

#if __riscv_xlen == 64
#define INDEX_BITS 9
#define MODE(levels) ((word)((levels) + 5) << 60)
static int pick_levels(void) { return 3 + below(3); }
/* Mostly canonical addresses. */
static word pick_address(int levels) {
  word address = random_word();
  int spare = 64 - (12 + INDEX_BITS * levels);
  return below(16) == 0 ? address : (word)((long)(address << spare) >> spare);
}
#else
#define INDEX_BITS 10
#define MODE(levels) (1ul << 31)
static int pick_levels(void) { return 2; }
/* Not where the program is: QEMU 7.2 then now and then looks past the tables. */
static word pick_address(int levels) {
  word address = random_word();
  return address >> 24 == 0x80 ? address ^ 0x40000000 : address;
}
#endif

/* A pointer to the next table, sometimes a bad one. */
static word pointer(word table) {
  word pte = table >> 12 << 10 | V;
  word r = random_word();
  if ((r & 31) == 0) pte |= (r >> 8) & (U | G | A | D);
  if ((r & 63) == 1) pte &= ~(word)V;
#if __riscv_xlen == 64
  if ((r & 127) == 2) pte |= 1ul << (54 + (r >> 20) % 10);
#endif
  return pte;
}

/* A mapping of the page or superpage that DATA is in, with any flags, sometimes misaligned. */
static word leaf(int level) {
  word size = PAGE << (INDEX_BITS * level);
  word address = DATA & ~(size - 1);
  word r = random_word();
  if (level > 0 && (r & 7) == 0) address += PAGE * (1 + ((r >> 4) & 7));
  word pte = address >> 12 << 10 | ((r >> 16) & 0xff);
  if ((r & 15) != 1) pte |= V;
  if (r & 16) pte |= A | D;
  if (r & 32) pte |= R | W | X;
  if ((r & 0x300) == 0) pte &= ~(word)U;
#if __riscv_xlen == 64
  if ((r & 0xfc00) == 0x400) pte |= 1ul << (54 + (r >> 40) % 10);
#endif
  /* Above the last level it must not be a pointer: it would point at the data. */
  if (level > 0 && !(pte & (R | W | X))) pte |= R;
  return pte;
}

static void one_case(u32 number, int detail) {
  int levels = pick_levels();
  word address = pick_address(levels);
  int kind = below(4);
  int level = below(3) ? 0 : below(levels);
  address &= ~3ul;
  if (kind < FETCH && below(8) == 0) address |= below(4);
  word table = TABLES, size = PAGE << (INDEX_BITS * level);
  volatile word *last = 0;
  for (int at = levels - 1; at >= level; at--) {
    last = (word *)table + ((address >> (12 + INDEX_BITS * at)) & ((1 << INDEX_BITS) - 1));
    table = TABLES + PAGE * (levels - at);
    *last = at > level ? pointer(table) : leaf(level);
  }
  word pte = *last;
  address = (address & ~(size - 1)) | (DATA & (size - 1)) | (address & 0xfff);
  for (int i = 0; i < 1026; i++) ((volatile u32 *)DATA)[i] = ECALL;

  CSRW(satp, MODE(levels) | TABLES >> 12);
  asm volatile("sfence.vma" ::: "memory");
  word status = (random_word() & (SUM | MXR)) | (random_word() & MPP_S);
  word value = access_with(kind, address, status);
  CSRW(satp, 0);

  digest_add(trap[0]);
  digest_add(trap[1]);
  digest_add(*last);
  digest_add(value);
  if (!detail) return;
  print(number), print(kind), print(status), print(levels), print(level), print(address), print(pte);
  print(*last), print(trap[0]), print(trap[1]), print(value), print_char('\n');
}

void main(void) {
  CSRW(mtvec, trap_entry);
  CSRW(pmpaddr0, -1);
  CSRW(pmpcfg0, 0x1f);
  CSRW(medeleg, 0);
  for (u32 n = 0; n < CASES; n++) {
    one_case(n, DETAIL >= 0 && n >= (u32)DETAIL && n < (u32)DETAIL + 64);
    if (n % 64 == 63) print(n), print(digest), print_char('\n');
  }
  power_off();
}
