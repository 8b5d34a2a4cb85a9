/** Functions of the top of the stack, and instructions that change the stack alone. */
import type { Translate } from "../tx.ts";
import { stack } from "./arith.ts";
import { escape } from "./escape.ts";

function plain(helper: string): Translate {
  return escape((t) => void t.ir.call(helper));
}

function variant(helper: string, n: number): Translate {
  return escape((t) => void t.ir.call(helper, t.ir.const32(n)));
}

/** Translators of the functions of the chapter "x87". */
export const x87Functions = {
  fchs: variant("x87_sign", 0),
  fabs: variant("x87_sign", 1),
  fsqrt: plain("x87_sqrt"),
  frndint: plain("x87_rndint"),
  fscale: plain("x87_scale"),
  fxtract: plain("x87_xtract"),
  fprem: variant("x87_prem", 0),
  fprem1: variant("x87_prem", 1),
  f2xm1: plain("x87_f2xm1"),
  fyl2x: variant("x87_yl2x", 0),
  fyl2xp1: variant("x87_yl2x", 1),
  fpatan: plain("x87_patan"),
  fsin: variant("x87_sin", 0),
  fcos: variant("x87_sin", 1),
  fsincos: variant("x87_sincos", 0),
  fptan: variant("x87_sincos", 1),
  fnop: escape(() => {}),
  fincstp: variant("x87_turn", 1),
  fdecstp: variant("x87_turn", -1),
  ffree: escape((t, i) => void t.ir.call("x87_free", t.ir.const32(stack(i, 0)))),
  ffreep: escape((t, i) => void t.ir.call("x87_free", t.ir.const32(stack(i, 0) | 8))),
} satisfies Readonly<Record<string, Translate>>;
