/** Disassembler: text of instructions, in the notation of GNU objdump with ABI register names. */
import { extract, formatInsn, Matcher, type Entry } from "@mimus/decodetree";
import type { Extensions } from "./config.ts";
import { alias } from "./asm/alias.ts";
import { partsOf } from "./isa.ts";
import { OPERANDS, type TextContext } from "./operands.ts";
import type { Xlen } from "./state.ts";

/** Text and length in bytes of the instruction at the start of `bytes`. */
export type Disassemble = (pc: bigint, bytes: Uint8Array) => { text: string; length: number };

/** Options of {@link createDisassembler}. */
export interface DisassemblerOptions {
  /** Only what such a hart decodes; default: every known instruction of the register width. */
  readonly ext?: Extensions;
  /** Show `mv`, `ret`, `beqz` and the like for what they are encoded as; default true. */
  readonly aliases?: boolean;
}

/** A disassembler for a register width. Unknown encodings show as `.half` and `.word`; too few bytes as `.byte`. */
export function createDisassembler(xlen: Xlen, options: DisassemblerOptions = {}): Disassemble {
  const wide = new Matcher(partsOf(32, xlen, options.ext));
  const compressed = new Matcher(partsOf(16, xlen, options.ext));
  const evaluate = (): undefined => undefined;
  const show = (entry: Entry | undefined, word: number, digits: number, pc: bigint): string => {
    if (!entry) return `${digits === 4 ? ".half" : ".word"} 0x${word.toString(16).padStart(digits, "0")}`;
    const ctx: TextContext = { pc, xlen, evaluate };
    const short = options.aliases === false ? undefined : alias(entry.name, extract(entry, word), ctx);
    return short ?? formatInsn(entry, word, OPERANDS, ctx);
  };
  return (pc, bytes) => {
    const low = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8);
    if (bytes.length >= 2 && (low & 3) !== 3) return { text: show(compressed.match(low), low, 4, pc), length: 2 };
    if (bytes.length >= 4) {
      const word = (low | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0;
      return { text: show(wide.match(word), word, 8, pc), length: 4 };
    }
    return { text: `.byte 0x${(bytes[0] ?? 0).toString(16).padStart(2, "0")}`, length: Math.min(1, bytes.length) };
  };
}
