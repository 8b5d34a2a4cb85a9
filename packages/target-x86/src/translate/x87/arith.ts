/** Sums, products, quotients. Source: Intel SDM volume 2 (2023), their pages. */
import { OPERAND, type Insn } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";
import { escape, escapeMemory } from "./escape.ts";

/** Flag of the register forms: pop. */
const POP = 64;

/** ST(i) of an operand. */
export function stack(i: Insn, k: number): number {
  return i.operands[k]!.n;
}

/** The register form: operand 0 op= operand 1. */
function registers(op: string, pop: number): Translate {
  return escape((t, i) => {
    t.ir.call(`x87_${op}`, t.ir.const32(stack(i, 0) | (stack(i, 1) << 3) | pop));
  });
}

/** A real number in memory. */
function real(op: string): Translate {
  return escapeMemory((t, i) => {
    const size = i.operands[0].size;
    const v = t.load(memOf(size), t.address(0, "r"));
    return () => void t.ir.call(`x87_${op}_${size === 8 ? "f64" : "f32"}`, v);
  });
}

/** An integer in memory, sign-extended. */
export function loadInteger(t: Tx, i: Insn): ReturnType<Tx["load"]> {
  const size = i.operands[0].size;
  const address = t.address(0, "r");
  return size === 2 ? t.ir.ld("i32", "s16", address, t.mmu) : t.load(memOf(size), address);
}

function integer(op: string): Translate {
  return escapeMemory((t, i) => {
    const v = loadInteger(t, i);
    return () => void t.ir.call(`x87_${op}_i32`, v);
  });
}

function either(op: string): Translate {
  const [a, b] = [registers(op, 0), real(op)];
  return (t, i) => (i.operands[0].kind === OPERAND.mem ? b : a)(t, i);
}

/** Translators of the arithmetic of the chapter "x87". */
export const x87Arith = {
  fadd: either("add"),
  faddp: registers("add", POP),
  fiadd: integer("add"),
  fmul: either("mul"),
  fmulp: registers("mul", POP),
  fimul: integer("mul"),
  fsub: either("sub"),
  fsubp: registers("sub", POP),
  fisub: integer("sub"),
  fsubr: either("subr"),
  fsubrp: registers("subr", POP),
  fisubr: integer("subr"),
  fdiv: either("div"),
  fdivp: registers("div", POP),
  fidiv: integer("div"),
  fdivr: either("divr"),
  fdivrp: registers("divr", POP),
  fidivr: integer("divr"),
} satisfies Readonly<Record<string, Translate>>;
