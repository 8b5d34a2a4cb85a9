/** Disassembler: text of instructions in AT&T syntax, as GNU objdump writes it, from the rows of the decoder. */
import { createInsn } from "./decode/create-insn.ts";
import type { Decoder } from "./decode/decoder.ts";
import { sharedDecoder } from "./decode/shared.ts";
import { att } from "./disas/mnemonic.ts";
import { operandTexts } from "./disas/operands.ts";
import type { Insn } from "./insn.ts";

/** Text and length in bytes of the instruction at the start of `bytes`. */
export type Disassemble = (pc: bigint, bytes: Uint8Array) => { text: string; length: number };

/** A disassembler for code segments of `mode` bits. What is no instruction shows as `(bad)`, one byte long. */
export function createDisassembler(mode: 16 | 32 | 64, decoder: Decoder = sharedDecoder()): Disassemble {
  const insn = createInsn();
  return (pc, bytes) => {
    const result = decoder.decode((at) => bytes[at] ?? -1, mode, insn);
    if (result !== "ok") return { text: "(bad)", length: Math.min(1, bytes.length) };
    return { text: textOf(insn, pc), length: insn.length };
  };
}

/** Text of a decoded instruction at linear address `pc`. */
function textOf(insn: Insn, pc: bigint): string {
  const { name, hidden } = att(insn);
  const operands = operandTexts(insn, pc, hidden);
  return `${prefixes(insn)}${name}${operands.length === 0 ? "" : ` ${operands.join(",")}`}${relative(insn, pc)}`;
}

/** Where an operand relative to the next instruction is. */
function relative(insn: Insn, pc: bigint): string {
  if (insn.mem.base !== -2) return "";
  const address = pc + BigInt(insn.length) + BigInt(insn.mem.disp);
  return ` # 0x${BigInt.asUintN(8 * insn.adSize, address).toString(16)}`;
}

const REPEATED = /^(ins|outs|movs|lods|stos)$/;
const BOUND = /^(jcc|jmp|jmp_ind|call|call_ind|ret)$/;

function prefixes(insn: Insn): string {
  const { name } = insn.encoding;
  const rep = insn.rep === 0xf3 ? (REPEATED.test(name) ? "rep " : "repz ") : BOUND.test(name) ? "bnd " : "repnz ";
  return (insn.lock ? "lock " : "") + (insn.rep === 0 ? "" : rep);
}
