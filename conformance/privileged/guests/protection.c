/*
 * Random PMP entries around a few pages, random accesses of S and U: prints a digest of causes and trap values every 64
 * cases of 8 accesses. With DETAIL=n it prints each access of the 64 cases from n on.
 */
#include "guest.h"

#define DATA 0x80400000ul
#define ENTRIES 16

enum { R = 1, W = 2, X = 4, NA4 = 2, NAPOT = 3 };

static unsigned char config[ENTRIES] __attribute__((aligned(8)));

static void write_address(int n, word value) {
  switch (n) {
#define CASE(n) case n: CSRW(pmpaddr##n, value); break;
    CASE(0) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7)
    CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14) CASE(15)
  }
}

static void write_config(void) {
  word *words = (word *)config;
#if __riscv_xlen == 64
  CSRW(pmpcfg0, words[0]);
  CSRW(pmpcfg2, words[1]);
#else
  CSRW(pmpcfg0, words[0]);
  CSRW(pmpcfg1, words[1]);
  CSRW(pmpcfg2, words[2]);
  CSRW(pmpcfg3, words[3]);
#endif
}

static void pick_entries(void) {
  int used = 1 + below(ENTRIES);
  for (int n = 0; n < ENTRIES; n++) {
    int mode = n < used ? below(4) : 0;
    /* QEMU 7.2 refuses MRET to a lower mode while no entry is on. */
    if (n == 0 && mode == 0) mode = NA4;
    int rights = below(4) == 0 ? R | W | X : below(8);
    if ((rights & (R | W)) == W) rights |= R;
    config[n] = rights | mode << 3;
    word base = DATA - 0x800 + (random_word() & 0x2ffc);
    if (mode != NAPOT) {
      write_address(n, base >> 2);
      continue;
    }
    word size = 8ul << (below(8) == 0 ? 20 : below(12));
    write_address(n, (base & ~(size - 1)) >> 2 | (size / 8 - 1));
  }
  write_config();
}

void main(void) {
  CSRW(mtvec, trap_entry);
  CSRW(medeleg, 0);
  CSRW(satp, 0);
  for (u32 n = 0; n < CASES; n++) {
    pick_entries();
    for (int i = 0; i < 2048; i++) ((volatile u32 *)DATA)[i] = ECALL;
    for (int i = 0; i < 8; i++) {
      int kind = below(4);
      word address = DATA + (random_word() & 0x1ffc), status = random_word() & MPP_S;
      access_with(kind, address, status);
      digest_add(trap[0]);
      digest_add(trap[1]);
      if (DETAIL < 0 || n < (u32)DETAIL || n >= (u32)DETAIL + 64) continue;
      print(n), print(kind), print(status), print(address), print(trap[0]), print(trap[1]), print_char('\n');
    }
    if (n % 64 == 63) print(n), print(digest), print_char('\n');
  }
  power_off();
}
