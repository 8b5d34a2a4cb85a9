// Source: Intel SDM volume 1 (2023), appendix A (EFLAGS cross-reference) and volume 2, the instructions' own pages.
import { FLAG, OPERAND } from "@mimus/target-x86";
import type { Insn } from "@mimus/target-x86";

const { cf, pf, af, zf, sf, of } = FLAG;

const BY_NAME: Readonly<Record<string, number>> = {
  and: af, or: af, xor: af, test: af,
  mul: sf | zf | af | pf, imul: sf | zf | af | pf, imul1: sf | zf | af | pf,
  div: cf | of | sf | zf | af | pf, idiv: cf | of | sf | zf | af | pf,
  bt: of | sf | af | pf, bts: of | sf | af | pf, btr: of | sf | af | pf, btc: of | sf | af | pf,
  bsf: cf | of | sf | af | pf, bsr: cf | of | sf | af | pf, tzcnt: of | sf | af | pf, lzcnt: of | sf | af | pf,
  aaa: of | sf | zf | pf, aas: of | sf | zf | pf, daa: of, das: of, aam: of | af | cf, aad: of | af | cf,
  andn: af | pf, blsr: af | pf, blsmsk: af | pf, blsi: af | pf, bzhi: af | pf, bextr: af | pf | sf,
}; // prettier-ignore

/** Arithmetic flags that an instruction leaves undefined, as bits of EFLAGS; -1: its result is undefined too. */
export function undefinedFlags(insn: Insn): number {
  const { name } = insn.encoding;
  if (name === "bswap" && insn.opSize === 2) return -1;
  if (name === "shld" || name === "shrd") return insn.opSize === 2 ? -1 : of | af;
  if (/^(ro|rc|sh|sa)[lr]$/.test(name)) {
    const once = insn.operands[1].kind === OPERAND.one;
    const shifted = name.startsWith("s");
    return (once ? 0 : of) | (shifted ? af : 0) | (shifted && !once && insn.operands[0].size < 4 ? cf : 0);
  }
  return BY_NAME[name] ?? 0;
}
