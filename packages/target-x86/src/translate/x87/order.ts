/** Comparisons and conditional moves. Source: Intel SDM volume 2 (2023), their pages. */
import { OPERAND } from "../../insn.ts";
import type { Translate } from "../tx.ts";
import { memOf } from "../width.ts";
import { loadInteger, stack } from "./arith.ts";
import { escape, escapeMemory } from "./escape.ts";

const QUIET = 8;
const POP = 16;
const POP2 = 32;

/** With ST(i): the last operand, or ST(1) where there is none. */
function compare(options: number): Translate {
  return escape((t, i) => {
    t.ir.call("x87_com", t.ir.const32((i.operandCount === 0 ? 1 : stack(i, i.operandCount - 1)) | options));
  });
}

function compareReal(pops: number): Translate {
  return escapeMemory((t, i) => {
    const size = i.operands[0].size;
    const v = t.load(memOf(size), t.address(0, "r"));
    return () => void t.ir.call(size === 8 ? "x87_com_f64" : "x87_com_f32", v, t.ir.const32(pops));
  });
}

function compareInteger(pops: number): Translate {
  return escapeMemory((t, i) => {
    const v = loadInteger(t, i);
    return () => void t.ir.call("x87_com_i32", v, t.ir.const32(pops));
  });
}

function either(pops: number): Translate {
  const [a, b] = [compare(pops * POP), compareReal(pops)];
  return (t, i) => (i.operands[0].kind === OPERAND.mem ? b : a)(t, i);
}

/** The result in ZF, PF and CF; OF, SF and AF are cleared. */
function toFlags(options: number): Translate {
  return escape((t, i) => t.setFlagBits(t.ir.call("x87_comi", t.ir.const32(stack(i, 1) | options))));
}

/** `cc` is the condition as Jcc has it. */
function moveIf(cc: number): Translate {
  return escape((t, i) => void t.ir.call("x87_cmov", t.ir.const32(stack(i, 1)), t.cond(cc)));
}

/** Translators of the comparisons of the chapter "x87". */
export const x87Order = {
  fcom: either(0),
  fcomp: either(1),
  fcompp: compare(POP2),
  fucom: compare(QUIET),
  fucomp: compare(QUIET | POP),
  fucompp: compare(QUIET | POP2),
  ficom: compareInteger(0),
  ficomp: compareInteger(1),
  fcomi: toFlags(0),
  fucomi: toFlags(QUIET),
  fcomip: toFlags(POP),
  fucomip: toFlags(QUIET | POP),
  ftst: escape((t) => void t.ir.call("x87_com_i32", t.ir.const32(0), t.ir.const32(0))),
  fxam: escape((t) => void t.ir.call("x87_xam")),
  fcmovb: moveIf(2),
  fcmovnb: moveIf(3),
  fcmove: moveIf(4),
  fcmovne: moveIf(5),
  fcmovbe: moveIf(6),
  fcmovnbe: moveIf(7),
  fcmovu: moveIf(10),
  fcmovnu: moveIf(11),
} satisfies Readonly<Record<string, Translate>>;
