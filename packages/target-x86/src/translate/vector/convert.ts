/** Conversions of one number, and rounding to integers. Source: Intel SDM volume 2 (2023), CVTSD2SI and its kin, ROUNDPD. */
import { ops, type Label, type Value } from "@mimus/tcg";
import type { Translate } from "../tx.ts";
import { Exact } from "./exact.ts";
import { needSame } from "./exactness.ts";
import {
  either,
  leaveIf,
  mayRound,
  needNoDenormal,
  needNoNan,
  needNumbers,
  needOrdinary,
  number,
  PACKED,
  SHAPE,
} from "./fast.ts";
import { packed } from "./packed.ts";
import {
  both, first, immediate, isPlain, lane0, loadedScalar, readVec, setPlain, vec, writeScalar, type Float,
} from "./registers.ts"; // prettier-ignore

/** CVTSD2SI, CVTTSD2SI, ... */
function toInteger(f: Float, truncate: boolean): Translate {
  return (t, i) => {
    const { ir } = t;
    const wide = i.operands[0].size === 8;
    const loaded = loadedScalar(t, i, 1, f);
    const write = (v: Value): void => t.setReg(i.operands[0].n, wide ? 8 : 4, v);
    either(
      t,
      (slow) => {
        const x = loaded ?? lane0(t, f, vec(t, i.operands[1].n));
        const whole = truncate ? x : ir.float(ops.fnearest, x);
        const limit = 2 ** (wide ? 63 : 31);
        // The least integer is what invalid conversions give, and left to the exact function.
        const above = ir.float(ops.flt, number(t, f, -limit), whole);
        leaveIf(t, "eq", ir.and(above, ir.float(ops.flt, whole, number(t, f, limit))), ir.const32(0), slow);
        needSame(t, x, truncate && !mayRound(t) ? ir.float(ops.ftrunc, x) : whole, slow);
        write(ir.float(wide ? ops.to_i64s : ops.to_i32s, whole));
      },
      () => {
        const e = new Exact(t);
        const b = loaded ?? vec(t, i.operands[1].n);
        const r = wide
          ? e.call(`sse_${f}_i64`, { b }, [truncate ? 1 : 0], "i64")
          : e.call(`sse_${f}_i32`, { b }, [truncate ? 1 : 0, 1], "i32");
        e.finish(() => write(r));
      },
    );
  };
}

/** CVTSI2SD, CVTSI2SS. */
function fromInteger(f: Float): Translate {
  return (t, i) => {
    const { ir } = t;
    const k = i.operandCount - 1;
    const x = t.read(k);
    const wide = i.operands[k]!.size === 8;
    const fast = (slow?: Label): void => {
      // Integers of so many bits are exact.
      const limit = f === "f64" ? 53 : 24;
      if (slow !== undefined && !mayRound(t)) {
        const most = wide ? ir.const64(2n ** BigInt(limit + 1)) : ir.const32(2 ** (limit + 1));
        leaveIf(t, "gtu", ir.add(x, wide ? ir.const64(2n ** BigInt(limit)) : ir.const32(2 ** limit)), most, slow);
      }
      const r = ir.fromInt(wide ? ops.from_i64s : ops.from_i32s, f, x);
      setPlain(t, r, f);
      writeScalar(t, i, f, r);
    };
    // Every 32-bit integer is a double.
    if (f === "f64" && !wide) return fast();
    either(t, fast, () => {
      const e = new Exact(t);
      const r = e.call(wide ? `sse_i64_${f}` : "sse_i32_f32", { b: x }, wide ? [] : [1], f);
      e.finish(() => writeScalar(t, i, f, r));
    });
  };
}

/** CVTSD2SS, CVTSS2SD. */
function scalar(from: Float, to: Float): Translate {
  return (t, i) => {
    const k = i.operandCount - 1;
    const loaded = loadedScalar(t, i, k, from);
    either(
      t,
      (slow) => {
        const x = loaded ?? lane0(t, from, vec(t, i.operands[k]!.n));
        const r = t.ir.float(to === "f64" ? ops.promote : ops.demote, x);
        if (to === "f32") {
          needOrdinary(t, to, r, true, [x], slow);
          needNoDenormal(t, from, x, slow);
          if (!mayRound(t)) needSame(t, x, t.ir.float(ops.promote, r), slow);
        } else {
          needNumbers(t, from, [x], slow);
        }
        writeScalar(t, i, to, r);
      },
      () => {
        const e = new Exact(t);
        const r = e.call(`sse_${from}_${to}`, { b: loaded ?? vec(t, i.operands[k]!.n) }, [1], to);
        e.finish(() => writeScalar(t, i, to, r));
      },
    );
  };
}

/** In the immediate of ROUNDSD: PE is not set. */
const SUPPRESS = 8;
/** By imm[1:0]. */
const DIRECTIONS = [
  [ops.fnearest, ops.f32x4_nearest, ops.f64x2_nearest], [ops.ffloor, ops.f32x4_floor, ops.f64x2_floor],
  [ops.fceil, ops.f32x4_ceil, ops.f64x2_ceil], [ops.ftrunc, ops.f32x4_trunc, ops.f64x2_trunc],
] as const; // prettier-ignore
/** The host's operation; MXCSR rounds to nearest where it is asked for. */
const direction = (imm: number): (typeof DIRECTIONS)[number] => DIRECTIONS[imm & 4 ? 0 : imm & 3]!;

/** ROUNDSD, ROUNDSS. */
function roundScalar(f: Float): Translate {
  return (t, i) => {
    const k = first(i) + 1;
    const loaded = loadedScalar(t, i, k, f);
    const imm = immediate(i);
    either(
      t,
      (slow) => {
        const x = loaded ?? lane0(t, f, vec(t, i.operands[k]!.n));
        needNoNan(t, f, x, slow);
        const r = t.ir.float(direction(imm)[0], x);
        if ((imm & SUPPRESS) === 0) needSame(t, x, r, slow);
        writeScalar(t, i, f, r);
      },
      () => {
        const e = new Exact(t);
        const name = f === "f64" ? "sse_round64" : "sse_round32";
        const r = e.call(name, { b: loaded ?? vec(t, i.operands[k]!.n) }, [imm, 1], f);
        e.finish(() => writeScalar(t, i, f, r));
      },
    );
  };
}
function roundVector(f: Float): Translate {
  return (t, i) => {
    const imm = immediate(i);
    const b = readVec(t, i, 1);
    packed(
      t,
      i,
      {
        ...((imm & SUPPRESS) === 0 ? { rounds: true } : {}),
        fast: (_t, _a, v, slow) => {
          const same = t.ir.vector(PACKED[f].bitmask, t.ir.vector(PACKED[f].eq, v, v));
          if (!isPlain(t, v, f)) leaveIf(t, "ne", same, t.ir.const32(PACKED[f].all), slow);
          return t.ir.vector(direction(imm)[f === "f64" ? 2 : 1], v);
        },
        exact: (_t, e, _a, v) =>
          e.call(f === "f64" ? "sse_round64" : "sse_round32", { b: v }, [imm, SHAPE[f].lanes], "v128"),
      },
      b,
      b,
    );
  };
}

export const conversions = {
  ...both({
    cvtsd2si: toInteger("f64", false), cvttsd2si: toInteger("f64", true), cvtss2si: toInteger("f32", false), cvttss2si: toInteger("f32", true),
    cvtsi2sd: fromInteger("f64"), cvtsi2ss: fromInteger("f32"), cvtsd2ss: scalar("f64", "f32"), cvtss2sd: scalar("f32", "f64"),
    roundss: roundScalar("f32"), roundsd: roundScalar("f64"), roundps: roundVector("f32"), roundpd: roundVector("f64"),
  }),
}; // prettier-ignore
