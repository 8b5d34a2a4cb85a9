/* Runs single instructions on the processor: reads cases from standard input, writes what became of them. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

struct state {
  uint8_t ymm[8][32];
  uint64_t mm[8];
  uint64_t rax, rcx, rdx, rbx;
  uint64_t flags;
  uint32_t mxcsr, signal;
  uint8_t code[24];
  uint8_t memory[96]; /* 64 bytes that the instruction uses, aligned to 32 from `memory` */
};

static sigjmp_buf back;
static volatile uint32_t seen_mxcsr;
static uint8_t *code;
static uint8_t *area;

static void on_signal(int number, siginfo_t *info, void *context) {
  ucontext_t *c = context;
  (void)info;
  seen_mxcsr = c->uc_mcontext.fpregs ? c->uc_mcontext.fpregs->mxcsr : 0;
  siglongjmp(back, number);
}

/* rdi: state, rsi: code, rdx: memory */
void enter(struct state *s, void *code, void *memory);
__asm__(
  ".text\n.globl enter\nenter:\n"
  "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\nsub $8, %rsp\n"
  "mov %rdi, %r12\nmov %rsi, %r13\nmov %rdx, %rdi\n"
  "vmovdqu 0(%r12), %ymm0\nvmovdqu 32(%r12), %ymm1\nvmovdqu 64(%r12), %ymm2\nvmovdqu 96(%r12), %ymm3\n"
  "vmovdqu 128(%r12), %ymm4\nvmovdqu 160(%r12), %ymm5\nvmovdqu 192(%r12), %ymm6\nvmovdqu 224(%r12), %ymm7\n"
  "movq 256(%r12), %mm0\nmovq 264(%r12), %mm1\nmovq 272(%r12), %mm2\nmovq 280(%r12), %mm3\n"
  "movq 288(%r12), %mm4\nmovq 296(%r12), %mm5\nmovq 304(%r12), %mm6\nmovq 312(%r12), %mm7\n"
  "ldmxcsr 360(%r12)\npush 352(%r12)\npopfq\n"
  "mov 320(%r12), %rax\nmov 328(%r12), %rcx\nmov 336(%r12), %rdx\nmov 344(%r12), %rbx\n"
  "call *%r13\n"
  "mov %rax, 320(%r12)\nmov %rcx, 328(%r12)\nmov %rdx, 336(%r12)\nmov %rbx, 344(%r12)\n"
  "pushfq\npop 352(%r12)\nstmxcsr 360(%r12)\n"
  "vmovdqu %ymm0, 0(%r12)\nvmovdqu %ymm1, 32(%r12)\nvmovdqu %ymm2, 64(%r12)\nvmovdqu %ymm3, 96(%r12)\n"
  "vmovdqu %ymm4, 128(%r12)\nvmovdqu %ymm5, 160(%r12)\nvmovdqu %ymm6, 192(%r12)\nvmovdqu %ymm7, 224(%r12)\n"
  "movq %mm0, 256(%r12)\nmovq %mm1, 264(%r12)\nmovq %mm2, 272(%r12)\nmovq %mm3, 280(%r12)\n"
  "movq %mm4, 288(%r12)\nmovq %mm5, 296(%r12)\nmovq %mm6, 304(%r12)\nmovq %mm7, 312(%r12)\n"
  "emms\nvzeroupper\n"
  "add $8, %rsp\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"
  ".section .note.GNU-stack,\"\",@progbits\n.text\n");

int main(void) {
  static struct state s;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  const int numbers[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS};
  for (unsigned n = 0; n < 4; n++) sigaction(numbers[n], &action, NULL);
  code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED || area == MAP_FAILED) return 2;
  while (fread(&s, sizeof s, 1, stdin) == 1) {
    memcpy(code, s.code, sizeof s.code);
    memcpy(area, s.memory, sizeof s.memory);
    struct state before = s;
    int number = sigsetjmp(back, 1);
    if (number == 0) {
      enter(&s, code, area);
    } else {
      __asm__ volatile("emms\nvzeroupper\nldmxcsr %0" : : "m"((uint32_t){0x1f80}));
      s = before;
      s.mxcsr = seen_mxcsr;
      s.signal = number;
    }
    memcpy(s.memory, area, sizeof s.memory);
    if (fwrite(&s, sizeof s, 1, stdout) != 1) return 1;
  }
  return 0;
}
