/** How RISC-V operands look in text, for disassembler and assembler. Source: RISC-V Assembly Programmer's Manual. */
import type { OperandKinds } from "@mimus/decodetree";
import { CSR_NUMBERS } from "./asm/csr-names.ts";
import { CSR_NAMES } from "./csr/table.ts";

/** What operand text depends on. */
export interface TextContext {
  /** Address of the instruction. */
  readonly pc: bigint;
  readonly xlen: 32 | 64;
  /** Value of an expression in source text, undefined when it is none. */
  evaluate(text: string): bigint | undefined;
}

/** ABI names of x0..x31. */
export const X_ABI: readonly string[] =
  "zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");
/** ABI names of f0..f31. */
export const F_ABI: readonly string[] = (
  "ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 " +
  "fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11"
).split(" ");

function registers(abi: readonly string[], letter: string): ReadonlyMap<string, number> {
  const map: Map<string, number> = new Map(abi.map((name, n) => [name, n]));
  abi.forEach((_, n) => map.set(letter + n, n));
  return map;
}
const X_BY_NAME = new Map([...registers(X_ABI, "x"), ["fp", 8]]);
const F_BY_NAME = registers(F_ABI, "f");

const ROUNDING = ["rne", "rtz", "rdn", "rup", "rmm"];
const AQRL = ["", ".rl", ".aq", ".aqrl"];
const FENCE = "iorw";

const small = (v: bigint | undefined): number | undefined =>
  v === undefined || v < -(2n ** 52n) || v > 2n ** 52n ? undefined : Number(v);
const index = (list: readonly string[], text: string): number | undefined => {
  const at = list.indexOf(text);
  return at < 0 ? undefined : at;
};

/** The operand kinds that the tables in decode/ name. */
export const OPERANDS: OperandKinds<TextContext> = {
  x: { print: (n) => X_ABI[n] ?? "", parse: (text) => X_BY_NAME.get(text) },
  f: { print: (n) => F_ABI[n] ?? "", parse: (text) => F_BY_NAME.get(text) },
  imm: { print: String, parse: (text, ctx) => (text === "" ? 0 : small(ctx.evaluate(text))) },
  uimm: { print: String, parse: (text, ctx) => (text === "" ? 0 : small(ctx.evaluate(text))) },
  // A shift count: hexadecimal, as objdump shows it.
  shamt: { print: (n) => `0x${n.toString(16)}`, parse: (text, ctx) => small(ctx.evaluate(text)) },
  // Written as the twenty bits that reach the upper part of the register.
  upper: {
    print: (v) => `0x${(v >>> 12).toString(16)}`,
    parse: (text, ctx) => {
      const v = small(ctx.evaluate(text));
      return v === undefined || v < -0x80000 || v > 0xfffff ? undefined : v << 12;
    },
  },
  // Written as the target's address.
  pcrel: {
    print: (v, ctx) => `0x${BigInt.asUintN(ctx.xlen, ctx.pc + BigInt(v)).toString(16)}`,
    parse: (text, ctx) => {
      const v = ctx.evaluate(text);
      return v === undefined ? undefined : small(BigInt.asIntN(ctx.xlen, v - ctx.pc));
    },
  },
  csr: {
    print: (n) => CSR_NAMES.get(n) ?? `0x${n.toString(16)}`,
    parse: (text, ctx) => CSR_NUMBERS.get(text) ?? small(ctx.evaluate(text)),
  },
  // Absent: dynamic.
  rm: {
    print: (n) => (n === 7 ? "" : (ROUNDING[n] ?? `unknown${n}`)),
    parse: (text) => (text === "" || text === "dyn" ? 7 : index(ROUNDING, text)),
  },
  // Of conversions that are always exact: absent is 0.
  rmExact: {
    print: (n) => (n === 0 ? "" : n === 7 ? "dyn" : (ROUNDING[n] ?? `unknown${n}`)),
    parse: (text) => (text === "" ? 0 : text === "dyn" ? 7 : index(ROUNDING, text)),
  },
  aqrl: { print: (n) => AQRL[n] ?? "", parse: (text) => index(AQRL, text) },
  fence: {
    print: (n) => [...FENCE].filter((_, i) => (n >> (3 - i)) & 1).join("") || "0",
    parse: (text, ctx) => {
      if (/^\d/.test(text)) return small(ctx.evaluate(text));
      let set = 0;
      for (const c of text) {
        const i = FENCE.indexOf(c);
        if (i < 0) return undefined;
        set |= 8 >> i;
      }
      return set;
    },
  },
};
