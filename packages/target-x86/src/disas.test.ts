import { describe, expect, it } from "vitest";
import { createDisassembler } from "./disas.ts";

// Texts as GNU objdump 2.40 shows these encodings at 0x1000.
const TEXTS: readonly (readonly [16 | 32 | 64, string, string])[] = [
  [64, "4801d8", "add %rbx,%rax"],
  [64, "488b0512345678", "mov 0x78563412(%rip),%rax # 0x78564419"],
  [64, "49b8efcdab8967452301", "movabs $0x123456789abcdef,%r8"],
  [64, "48c7c0ffffffff", "mov $0xffffffffffffffff,%rax"],
  [64, "c70424ffffffff", "movl $0xffffffff,(%rsp)"],
  [64, "64488b042528000000", "mov %fs:0x28,%rax"],
  [64, "0f1f440000", "nopl 0x0(%rax,%rax,1)"],
  [64, "660f1f840000000000", "nopw 0x0(%rax,%rax,1)"],
  [64, "ff24c500104000", "jmp *0x401000(,%rax,8)"],
  [64, "f30f1efa", "endbr64"],
  [64, "480fb6c0", "movzbq %al,%rax"],
  [64, "4863d0", "movslq %eax,%rdx"],
  [64, "c5fc58c1", "vaddps %ymm1,%ymm0,%ymm0"],
  [64, "c4e2f0f7c3", "bextr %rcx,%rbx,%rax"],
  [64, "f0480fc70f", "lock cmpxchg16b (%rdi)"],
  [64, "48cf", "iretq"],
  [32, "8d74d8fc", "lea -0x4(%eax,%ebx,8),%esi"],
  [32, "f3a5", "rep movsl %ds:(%esi),%es:(%edi)"],
  [32, "c8100003", "enter $0x10,$0x3"],
  [32, "ea785634120800", "ljmp $0x8,$0x12345678"],
  [32, "d1e0", "shl %eax"],
  [32, "d3642404", "shll %cl,0x4(%esp)"],
  [32, "0f20c0", "mov %cr0,%eax"],
  [32, "7402", "je 0x1004"],
  [32, "660f6fc1", "movdqa %xmm1,%xmm0"],
  [32, "dd4508", "fldl 0x8(%ebp)"],
  [32, "db28", "fldt (%eax)"],
  [32, "df2c24", "fildll (%esp)"],
  [32, "dee9", "fsubrp %st,%st(1)"],
  [32, "d8e1", "fsub %st(1),%st"],
  [16, "26a13412", "mov %es:0x1234,%ax"],
  [16, "8b47fe", "mov -0x2(%bx),%ax"],
  [16, "ebfe", "jmp 0x1000"],
  [16, "cf", "iret"],
  [16, "ec", "in (%dx),%al"],
  [16, "0f0b", "ud2"],
];

describe("disassembler", () => {
  it.each(TEXTS)("%i-bit %s is %s", (mode, hex, text) => {
    const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    expect(createDisassembler(mode)(0x1000n, bytes)).toEqual({ text, length: bytes.length });
  });

  it("what is no instruction is a bad byte", () => {
    expect(createDisassembler(64)(0n, Uint8Array.of(0x06, 0x90))).toEqual({ text: "(bad)", length: 1 });
    expect(createDisassembler(32)(0n, Uint8Array.of(0xb8, 0x00))).toEqual({ text: "(bad)", length: 1 });
    expect(createDisassembler(32)(0n, new Uint8Array(0))).toEqual({ text: "(bad)", length: 0 });
  });
});
