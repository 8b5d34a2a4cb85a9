/* What a program finds when it starts. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

extern char **environ;

int main(int argc, char **argv) {
  printf("argc %d\n", argc);
  for (int i = 0; i < argc; i++) printf("argv[%d] %s\n", i, argv[i]);
  printf("null %d\n", argv[argc] == 0);
  for (char **e = environ; *e; e++)
    if (!strncmp(*e, "TEST_", 5)) printf("env %s\n", *e);
  printf("aligned %d\n", (long)__builtin_frame_address(0) % 16 == 0);
  printf("pagesz %lu clktck %lu hwcap %lx secure %lu flags %lu\n", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_HWCAP),
         getauxval(AT_SECURE), getauxval(AT_FLAGS));
  printf("ids %d\n", getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
  Elf64_Phdr *ph = (Elf64_Phdr *)getauxval(AT_PHDR);
  printf("phent %lu phnum>2 %d base %d\n", getauxval(AT_PHENT), getauxval(AT_PHNUM) > 2, getauxval(AT_BASE) != 0);
  int loads = 0;
  for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) loads += ph[i].p_type == PT_LOAD;
  printf("loads %d\n", loads);
  unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
  int any = 0;
  for (int i = 0; i < 16; i++) any |= random[i];
  printf("random %d\n", any != 0);
  printf("execfn %s\n", strrchr((char *)getauxval(AT_EXECFN), '/') + 1);
  return 0;
}
