/** Comparisons of numbers. Source: Intel SDM volume 2 (2023), CMPPD table 3-1, COMISD, UCOMISD. */
import { ops, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Order } from "../flag-view.ts";
import type { Translate, Tx } from "../tx.ts";
import { Exact } from "./exact.ts";
import { either, needNumberLanes, needNumbers, PACKED, SHAPE } from "./fast.ts";
import { packed } from "./packed.ts";
import {
  both, first, immediate, isMem, lane0, readScalar, readVec, setLow, vec, zeros, type Float,
} from "./registers.ts"; // prettier-ignore

/** For which of less (1), equal (2), greater (4) each predicate holds when no operand is NaN. */
const HOLDS = [2, 1, 3, 0, 5, 6, 4, 7, 2, 1, 3, 0, 5, 6, 4, 7];

/** The relation between numbers as i32 0 or 1. */
function relation(t: Tx, f: Float, holds: number, x: Value, y: Value): Value {
  const { ir } = t;
  switch (holds) {
    case 0:
    case 7:
      return ir.const32(holds & 1);
    case 1:
      return ir.float(ops.flt, x, y);
    case 2:
      return ir.float(ops.feq, x, y);
    case 3:
      return ir.float(ops.fle, x, y);
    case 4:
      return ir.float(ops.flt, y, x);
    case 5:
      return ir.xorI(ir.float(ops.feq, x, y), 1);
    default:
      return ir.float(ops.fle, y, x);
  }
}
/** The same of vectors. */
function relations(t: Tx, f: Float, holds: number, x: Value, y: Value): Value {
  const { ir } = t;
  const p = PACKED[f];
  switch (holds) {
    case 0:
      return zeros(ir);
    case 7:
      return ir.const128(Array.from({ length: 16 }, () => 0xff));
    case 1:
      return ir.vector(p.lt, x, y);
    case 2:
      return ir.vector(p.eq, x, y);
    case 3:
      return ir.vector(p.le, x, y);
    case 4:
      return ir.vector(p.lt, y, x);
    case 5:
      return ir.vector(p.ne, x, y);
    default:
      return ir.vector(p.ge, x, y);
  }
}

/** SSE has eight predicates, AVX thirty-two. */
const predicate = (i: Insn): number => immediate(i) & (i.vex === 0 ? 7 : 31);

function scalar(f: Float): Translate {
  const put = f === "f64" ? ops.i64x2_replace_lane : ops.i32x4_replace_lane;
  return (t, i) => {
    const { ir } = t;
    const k = first(i);
    const loaded = isMem(i, k + 1) ? readScalar(t, i, k + 1, f) : undefined;
    const write = (mask: Value): void => setLow(t, i, i.operands[0].n, ir.vector(put, vec(t, i.operands[k]!.n), mask));
    either(
      t,
      (slow) => {
        const x = lane0(t, f, vec(t, i.operands[k]!.n));
        const y = loaded ?? lane0(t, f, vec(t, i.operands[k + 1]!.n));
        needNumbers(t, f, [x, y], slow);
        const holds = relation(t, f, HOLDS[predicate(i) & 15]!, x, y);
        write(ir.neg(f === "f64" ? ir.extuI32(holds) : holds));
      },
      () => {
        const e = new Exact(t);
        const b = loaded ?? vec(t, i.operands[k + 1]!.n);
        const name = f === "f64" ? "sse_cmp64" : "sse_cmp32";
        const r = e.call(name, { a: vec(t, i.operands[k]!.n), b }, [predicate(i), 1], f === "f64" ? "i64" : "i32");
        e.finish(() => write(r));
      },
    );
  };
}

function vector(f: Float): Translate {
  return (t, i) => {
    const k = first(i);
    const b = readVec(t, i, k + 1);
    packed(
      t,
      i,
      {
        fast: (_t, x, y, slow) => {
          needNumberLanes(t, f, [x, y], slow);
          return relations(t, f, HOLDS[predicate(i) & 15]!, x, y);
        },
        exact: (_t, e, x, y) =>
          e.call(f === "f64" ? "sse_cmp64" : "sse_cmp32", { a: x, b: y }, [predicate(i), SHAPE[f].lanes], "v128"),
      },
      readVec(t, i, k),
      b,
    );
  };
}

/** COMISD, UCOMISD: ZF, PF, CF; the other arithmetic flags become 0. */
function flags(f: Float, signaling: boolean): Translate {
  return (t, i) => {
    const { ir } = t;
    const loaded = isMem(i, 1) ? readScalar(t, i, 1, f) : undefined;
    let found: { readonly src: Value; readonly carry: Value; readonly order: Order } | undefined;
    either(
      t,
      (slow) => {
        const x = lane0(t, f, vec(t, i.operands[0].n));
        const y = loaded ?? lane0(t, f, vec(t, i.operands[1].n));
        needNumbers(t, f, [x, y], slow);
        // Of less and less or equal: the host needs no look for NaN, as it does for equal.
        const less = ir.float(ops.flt, x, y);
        const src = ir.or(ir.shlI(ir.sub(ir.float(ops.fle, x, y), less), 6), less);
        found = { src, carry: less, order: { x, y } };
      },
      () => {
        const e = new Exact(t);
        const b = loaded ?? vec(t, i.operands[1].n);
        const name = f === "f64" ? "sse_comi64" : "sse_comi32";
        const r = e.call(name, { a: vec(t, i.operands[0].n), b }, [signaling ? 1 : 0], "i32");
        e.finish(() => t.setFlags("eflags", 1, { src: r }));
      },
    );
    if (found !== undefined) t.setFlags("eflags", 1, found);
  };
}

export const compares = both({
  cmpss: scalar("f32"), cmpsd: scalar("f64"), cmpps: vector("f32"), cmppd: vector("f64"),
  comiss: flags("f32", true), comisd: flags("f64", true), ucomiss: flags("f32", false), ucomisd: flags("f64", false),
}); // prettier-ignore
