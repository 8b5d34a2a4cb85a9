/** Translators of MMX, SSE, AVX and their kin. */
import type { Insn } from "../../insn.ts";
import { OPERAND } from "../../insn.ts";
import type { aesRows } from "../../decode/aes.ts";
import type { avxRows } from "../../decode/avx.ts";
import type { avx2Rows } from "../../decode/avx2.ts";
import type { fmaRows } from "../../decode/fma.ts";
import type { mmxRows } from "../../decode/mmx.ts";
import type { sseRows } from "../../decode/sse.ts";
import type { sse2Rows } from "../../decode/sse2.ts";
import type { sse3Rows } from "../../decode/sse3.ts";
import type { sse4Rows } from "../../decode/sse4.ts";
import type { sse4aRows } from "../../decode/sse4a.ts";
import type { ssse3Rows } from "../../decode/ssse3.ts";
import type { xstateRows } from "../../decode/xstate.ts";
import { HF, OFF } from "../../state.ts";
import type { Translate, Translators, Tx } from "../tx.ts";
import { arithmetic } from "./arithmetic.ts";
import { compares } from "./compare.ts";
import { conversions } from "./convert.ts";
import { vectorConversions } from "./convert-vector.ts";
import { crypto } from "./crypto.ts";
import { elements } from "./elements.ts";
import { fusedArithmetic } from "./fused.ts";
import { integer } from "./integer.ts";
import { maskedMoves } from "./masked.ts";
import { moves } from "./moves.ts";
import { shifts } from "./shift.ts";
import { shuffles } from "./shuffle.ts";
import { vectorState } from "./state.ts";

type Rows = readonly (
  | (typeof mmxRows)[number]
  | (typeof sseRows)[number]
  | (typeof sse2Rows)[number]
  | (typeof sse3Rows)[number]
  | (typeof ssse3Rows)[number]
  | (typeof sse4Rows)[number]
  | (typeof sse4aRows)[number]
  | (typeof aesRows)[number]
  | (typeof avxRows)[number]
  | (typeof avx2Rows)[number]
  | (typeof fmaRows)[number]
  | (typeof xstateRows)[number]
)[];

const map = {
  ...moves, ...integer, ...shifts, ...shuffles, ...elements, ...arithmetic, ...fusedArithmetic, ...compares, ...conversions, ...vectorConversions, ...crypto, ...maskedMoves,
  ...vectorState,
} satisfies Translators<Rows>; // prettier-ignore

/** Instructions that have nothing to do with the registers, and those that look themselves. */
const FREE: ReadonlySet<string> = new Set([
  "movnti", "crc32", "fxsave", "fxrstor", "xsave", "xsaveopt", "xsavec", "xsaves", "xrstor", "xrstors",
]); // prettier-ignore
const MMX: ReadonlySet<string> = new Set(["emms", "femms"]);

/** ES in the x87's status: an exception waits. */
const EXCEPTION_SUMMARY = 0x80;

/** Whether the registers may be used; else the exception is raised. Source: Intel SDM volume 3 (2023), tables 13-1 to 13-3; volume 2, 2.7. */
function usable(t: Tx, i: Insn, mmx: boolean): boolean {
  const { flags } = t;
  const vector = i.operands.some((o, k) => k < i.operandCount && o.kind === OPERAND.vec);
  if (i.vex !== 0) {
    if ((flags & HF.avx) === 0 || !t.protectedMode) return (t.ud(), false);
  } else if ((flags & HF.em) !== 0 || ((vector || !mmx) && (flags & HF.osfxsr) === 0)) return (t.ud(), false);
  if ((flags & HF.ts) !== 0) {
    t.raise(7);
    t.ctx.done = true;
    return false;
  }
  if (mmx) {
    const summary = t.ir.envLd("i32", "u32", OFF.fpuSw);
    t.raiseIf("tstne", summary, t.ir.const32(EXCEPTION_SUMMARY), 16);
  }
  return true;
}

function checked(name: string, translate: Translate): Translate {
  if (FREE.has(name)) return translate;
  const alwaysMmx = MMX.has(name);
  return (t, i) => {
    const mmx = alwaysMmx || i.operands.some((o, k) => k < i.operandCount && o.kind === OPERAND.mm);
    if (usable(t, i, mmx)) translate(t, i);
  };
}

/** The translators, by names of rows. */
export const vector: Readonly<Record<string, Translate>> = Object.fromEntries(
  Object.entries(map).map(([name, translate]) => [name, checked(name, translate)]),
);
