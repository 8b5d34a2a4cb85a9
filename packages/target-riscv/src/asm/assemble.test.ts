import { describe, expect, it } from "vitest";
import { AsmError, assemble } from "./index.ts";

const words = (source: string, xlen: 32 | 64 = 64, origin = 0n): string[] => {
  const { bytes } = assemble(source, { xlen, origin });
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, i) =>
    view
      .getUint32(4 * i, true)
      .toString(16)
      .padStart(8, "0"),
  );
};
const text = (source: string): string => String.fromCharCode(...assemble(source, { xlen: 64 }).bytes);

// Encodings as GNU as 2.40 makes them (-march=rv64gc with .option norvc).
describe("instructions", () => {
  it.each([
    ["add a0, a1, a2", ["00c58533"]],
    ["lw a0, 8(sp)", ["00812503"]],
    ["lw a0, (sp)", ["00012503"]],
    ["sw x10, -4 ( fp ) # comment", ["fea42e23"]],
    ["call f\nnop\nf: ret", ["00000097", "00c080e7", "00000013", "00008067"]],
    ["la a0, msg\nmsg: .word 7", ["00000517", "00850513", "00000007"]],
    ["1: j 1b; j 1f; 1: j 1b", ["0000006f", "0040006f", "0000006f"]],
    ["amoadd.w.aq t0, t1, (a0)", ["046522af"]],
    ["csrrs a0, mhartid, zero", ["f1402573"]],
    ["csrw 0x305, t0", ["30529073"]],
    ["fadd.s fa0, fa1, fa2, rtz", ["00c59553"]],
    ["fence", ["0ff0000f"]],
    ["sfence.vma", ["12000073"]],
    ["jalr a0", ["000500e7"]],
    ["jalr a0, 4(a1)", ["00458567"]],
    ["bgt a0, a1, .", ["00a5c063"]],
  ])("%s", (source, expected) => {
    expect(words(source)).toEqual(expected);
  });
  it("load constants", () => {
    expect(words("li a0, -1")).toEqual(["fff00513"]);
    expect(words("li a0, 0x12345678")).toEqual(["12345537", "67850513".replace("13", "1b")]);
    expect(words("li a0, 0x7fffffff")).toEqual(["80000537", "fff5051b"]);
    expect(words("li a0, 0x80000000")).toEqual(["00100513", "01f51513"]);
    expect(words("li a0, 0x80000000", 32)).toEqual(["80000537"]);
    expect(words("li a0, 1 << 63")).toEqual(["fff00513", "03f51513"]);
  });
  it("compressed forms are written with their own names", () => {
    expect([...assemble("c.addi sp, -16\nc.lwsp a0, 12(sp)\nc.jr ra", { xlen: 64 }).bytes]).toEqual([
      0x41, 0x11, 0x32, 0x45, 0x82, 0x80,
    ]);
  });
});

describe("directives", () => {
  it("data", () => {
    expect([...assemble(".byte 1, -1, 'a'\n.half 0x1234\n.word end - .\nend: .dword 1", { xlen: 64 }).bytes]).toEqual([
      1, 255, 97, 0x34, 0x12, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
    ]);
    expect(text('.ascii "a#b;c", "\\n\\t\\x41\\101\\\\\\""')).toBe('a#b;c\n\tAA\\"');
    expect(text('.asciz "é"')).toBe("\u00c3\u00a9\0");
  });
  it("place", () => {
    expect(assemble(".byte 1\n.align 3\nx: .zero 3, 7\n.balign 4\n.org 0x20", { xlen: 64 }).bytes.length).toBe(32);
    expect(assemble("a = 4\n.set b, a * (2 + 1)\nli a0, b", { xlen: 64 }).symbols.get("b")).toBe(12n);
    expect(assemble("x: nop", { xlen: 64, origin: 0x8000_0000n }).symbols.get("x")).toBe(0x8000_0000n);
  });
});

describe("macros and conditions", () => {
  it("arguments, defaults, expansion numbers", () => {
    const source = `
      .macro word value, more=7   # comment
        .byte \\value, \\more
      .endm
      .macro twice value
        word \\value
        word \\value, 1
      l\\@: .byte l\\@ - .
      .endm
      twice 3; twice 4`;
    expect([...assemble(source, { xlen: 64 }).bytes]).toEqual([3, 7, 3, 1, 0, 4, 7, 4, 1, 0]);
  });
  it("conditions", () => {
    const source = `
      .if XLEN == 64
        .byte 64
        .if 1 > 2; .byte 1; .endif
      .elseif XLEN == 32
        .byte 32
      .else
        .byte never
      .endif`;
    const bytes = (xlen: bigint): number[] => [...assemble(source, { xlen: 64, symbols: { XLEN: xlen } }).bytes];
    expect([bytes(64n), bytes(32n)]).toEqual([[64], [32]]);
    expect(() => bytes(16n)).toThrow(/never/);
  });
});

describe("errors name the line", () => {
  it.each([
    ["nop\nfrob a0", "unknown-mnemonic", 2],
    ["addi a0, a1, 4096", "operand", 1],
    ["addi a0, q1, 4", "operand", 1],
    ["addi a0, a1", "operand", 1],
    ["j nowhere", "operand", 1],
    ["li a0, later\nlater: nop", "operand", 1],
    ["x: nop\nx: nop", "duplicate-symbol", 2],
    [".frob 1", "directive", 1],
    [".zero -1", "directive", 1],
    [".word 1 +", "expression", 1],
    [".org 0\nnop\n.org 0", "directive", 3],
    ['.ascii "open', "directive", 1],
    ["nop\n.macro m\nnop", "directive", 2],
    [".macro m a\nnop\n.endm\nm", "operand", 4],
    [".macro m a\nnop\n.endm\nm 1, 2", "operand", 4],
    [".macro m\nm\n.endm\nm", "directive", 4],
    ["nop\n.endif", "directive", 2],
    [".if 1\nnop", "directive", 2],
    [".if later\n.endif\nlater:", "expression", 1],
  ])("%s", (source, kind, line) => {
    try {
      assemble(source, { xlen: 64 });
      expect.fail("assembled");
    } catch (error) {
      expect(error).toBeInstanceOf(AsmError);
      expect(error).toMatchObject({ kind, line });
    }
  });
});
