import { encode } from "@mimus/decodetree";
import { describe, expect, it } from "vitest";
import { assemble } from "./asm/index.ts";
import { createDisassembler } from "./disas.ts";
import { partsOf } from "./isa.ts";

const PC = 0x8000_1000n;
const bytesOf = (word: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (word >>> (8 * i)) & 0xff);

// Texts as GNU objdump 2.40 shows these encodings, with spaces after commas.
describe.each([64, 32] as const)("RV%i", (xlen) => {
  it.each([
    [0x00c58533, "add a0, a1, a2"],
    [0xff010113, "addi sp, sp, -16"],
    [0x00000013, "nop"],
    [0x00058513, "mv a0, a1"],
    [0x00008067, "ret"],
    [0x123452b7, "lui t0, 0x12345"],
    [0x00812503, "lw a0, 8(sp)"],
    [0xfea42e23, "sw a0, -4(s0)"],
    [0x00050463, "beqz a0, 0x80001008"],
    [0xfe209ee3, "bne ra, sp, 0x80000ffc"],
    [0x0100006f, "j 0x80001010"],
    [0x30102573, "csrr a0, misa"],
    [0x18079073, "csrw satp, a5"],
    [0x0ff0000f, "fence"],
    [0x0330000f, "fence rw, rw"],
    [0x02c5f553, "fadd.d fa0, fa1, fa2"],
    [0x02c59553, "fadd.d fa0, fa1, fa2, rtz"],
    [0x42058553, "fcvt.d.s fa0, fa1"],
    [0x12000073, "sfence.vma zero, zero"],
    [0xffffffff, ".word 0xffffffff"],
  ])("%#x", (word, text) => {
    expect(createDisassembler(xlen)(PC, bytesOf(word, 4))).toEqual({ text, length: 4 });
  });
  it.each([
    [0x1141, "c.addi sp, -16"],
    [0x852e, "c.mv a0, a1"],
    [0x8082, "c.jr ra"],
    [0xa001, "c.j 0x80001000"],
    [0x4532, "c.lwsp a0, 12(sp)"],
    [0x0000, ".half 0x0000"],
  ])("%#x", (word, text) => {
    expect(createDisassembler(xlen)(PC, bytesOf(word, 2))).toEqual({ text, length: 2 });
  });
  it("shows every instruction so that the assembler reads the same encoding from it", () => {
    let seed = 1;
    const next = (): number => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
    const forms = [createDisassembler(xlen), createDisassembler(xlen, { aliases: false })];
    for (const entry of [...partsOf(32, xlen), ...partsOf(16, xlen)].flatMap((p) => p.entries))
      for (let i = 0; i < 4; i++) {
        const values: Record<string, number> = {};
        for (const [name, field] of entry.fields) {
          do values[name] = field.extract((next() >>> 8) | (next() << 16));
          while (!field.accepts(values[name]) || (field.kind.startsWith("rm") && [5, 6].includes(values[name])));
        }
        const bytes = bytesOf(encode(entry, values), entry.width / 8);
        for (const disassemble of forms) {
          const { text } = disassemble(PC, bytes);
          expect([text, ...assemble(text, { xlen, origin: PC }).bytes]).toEqual([text, ...bytes]);
        }
      }
  });
  it("ends with what is there", () => {
    const disassemble = createDisassembler(xlen);
    expect(disassemble(PC, Uint8Array.of(0x13))).toEqual({ text: ".byte 0x13", length: 1 });
    expect(disassemble(PC, Uint8Array.of(0x13, 0, 0))).toEqual({ text: ".byte 0x13", length: 1 });
    expect(disassemble(PC, new Uint8Array())).toMatchObject({ length: 0 });
  });
});
