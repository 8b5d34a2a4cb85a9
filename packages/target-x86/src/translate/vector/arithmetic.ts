/** Sums, products, quotients, roots, extrema. Source: Intel SDM volume 2 (2023), ADDPD and its kin. */
import { ops, type OpSpec, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { Exact } from "./exact.ts";
import { needExact, needExactLanes, type Rounding } from "./exactness.ts";
import {
  either, needNumberLanes, needNoDenormal, needNumbers, needOrdinary, needOrdinaryLanes, needPositive, SHAPE,
} from "./fast.ts"; // prettier-ignore
import { packed, type PackedOp } from "./packed.ts";
import {
  both, first, lane0, loadedScalar, readVec, setPlain, vec, writeScalar, writeVec, type Float,
} from "./registers.ts"; // prettier-ignore

/** An operation that rounds: on the host, and for the exact functions. */
interface Rounded {
  readonly name: Rounding;
  readonly code: number;
  readonly one: OpSpec;
  readonly all: Readonly<Record<Float, OpSpec>>;
  readonly underflows: boolean;
  /** A result of zero is exact if one of this many first operands is zero; absent: always. */
  readonly zeros?: 1 | 2;
}
const rounded = (name: Rounding, code: number, one: OpSpec, f32: OpSpec, f64: OpSpec, zeros?: 1 | 2): Rounded => ({
  name, code, one, all: { f32, f64 }, underflows: zeros !== undefined, ...(zeros === undefined ? {} : { zeros }),
}); // prettier-ignore
const ADD = rounded("add", 0, ops.fadd, ops.f32x4_add, ops.f64x2_add);
const SUB = rounded("sub", 1, ops.fsub, ops.f32x4_sub, ops.f64x2_sub);
const MUL = rounded("mul", 2, ops.fmul, ops.f32x4_mul, ops.f64x2_mul, 2);
const DIV = rounded("div", 3, ops.fdiv, ops.f32x4_div, ops.f64x2_div, 1);

/** An operand as the exact functions take it: the register it is in, or what was loaded. */
function whole(t: Tx, i: Insn, k: number, loaded: Value | undefined): Value {
  return loaded ?? vec(t, i.operands[k]!.n);
}

/** One number: an exact call, and the zeros that need none. */
function exactScalar(t: Tx, i: Insn, f: Float, name: string, numbers: number[], a: Value | undefined, b: Value): void {
  const exact = new Exact(t);
  const r = exact.call(name, a === undefined ? { b } : { a, b }, numbers, f);
  exact.finish(() => writeScalar(t, i, f, r));
}

/** ADDSD and its kin. */
function scalar(f: Float, row: Rounded): Translate {
  return (t, i) => {
    const k = first(i);
    const loaded = loadedScalar(t, i, k + 1, f);
    either(
      t,
      (slow) => {
        const x = lane0(t, f, vec(t, i.operands[k]!.n));
        const y = loaded ?? lane0(t, f, vec(t, i.operands[k + 1]!.n));
        const r = t.ir.float(row.one, x, y);
        // What is doubled or squared was a denormal number only if the result may have been one.
        const alike = x === y && (row.name === "add" || row.name === "mul");
        needOrdinary(t, f, r, row.underflows || alike, row.zeros === 1 ? [x] : [x, y], slow);
        // A NaN would have shown in the result.
        for (const v of [x, y]) {
          if (!alike) needNoDenormal(t, f, v, slow);
          setPlain(t, v, f);
        }
        needExact(t, f, row.name, r, x, y, slow);
        writeScalar(t, i, f, r);
      },
      () => exactScalar(t, i, f, `sse_${f}`, [row.code, 1], vec(t, i.operands[k]!.n), whole(t, i, k + 1, loaded)),
    );
  };
}

/** SQRTSD, SQRTSS: of the last operand. */
function scalarRoot(f: Float): Translate {
  return (t, i) => {
    const k = i.operandCount - 1;
    const loaded = loadedScalar(t, i, k, f);
    either(
      t,
      (slow) => {
        const x = loaded ?? lane0(t, f, vec(t, i.operands[k]!.n));
        needPositive(t, f, x, slow);
        setPlain(t, x, f);
        const r = t.ir.float(ops.fsqrt, x);
        setPlain(t, r, f);
        needExact(t, f, "sqrt", r, x, x, slow);
        writeScalar(t, i, f, r);
      },
      () => exactScalar(t, i, f, `sse_${f}`, [4, 1], undefined, whole(t, i, k, loaded)),
    );
  };
}

/** MINSD, MAXSD: the second unless the first is less (greater): what the host calls pmin of (second, first). */
function scalarExtremum(f: Float, code: 5 | 6): Translate {
  const spec = code === 5 ? { f32: ops.f32x4_pmin, f64: ops.f64x2_pmin } : { f32: ops.f32x4_pmax, f64: ops.f64x2_pmax };
  const splat = f === "f64" ? ops.f64x2_splat : ops.f32x4_splat;
  return (t, i) => {
    const k = first(i);
    const loaded = loadedScalar(t, i, k + 1, f);
    either(
      t,
      (slow) => {
        const x = lane0(t, f, vec(t, i.operands[k]!.n));
        const y = loaded ?? lane0(t, f, vec(t, i.operands[k + 1]!.n));
        needNumbers(t, f, [x, y], slow);
        const r = lane0(t, f, t.ir.vector(spec[f], t.ir.vector(splat, y), t.ir.vector(splat, x)));
        setPlain(t, r, f);
        writeScalar(t, i, f, r);
      },
      () => exactScalar(t, i, f, `sse_${f}`, [code, 1], vec(t, i.operands[k]!.n), whole(t, i, k + 1, loaded)),
    );
  };
}

// ---- packed

function packedRounded(f: Float, row: Rounded): PackedOp {
  return {
    fast: (t, a, b, slow) => {
      const r = t.ir.vector(row.all[f], a, b);
      const causes = row.zeros === 1 ? [a] : [a, b];
      needOrdinaryLanes(t, f, r, { underflows: row.underflows, causes, operands: [a, b] }, slow);
      setPlain(t, a, f);
      setPlain(t, b, f);
      needExactLanes(t, f, row.name, r, a, b, slow);
      return r;
    },
    exact: (t, e, a, b) => e.call(`sse_${f}`, { a, b }, [row.code, SHAPE[f].lanes], "v128"),
  };
}

/** Both sources of the instruction, all halves. */
function sources(t: Tx, i: Insn): [Value[], Value[]] {
  const k = first(i);
  const b = readVec(t, i, k + 1);
  return [readVec(t, i, k), b];
}

/** ADDPD and its kin. */
function vector(f: Float, row: Rounded): Translate {
  const op = packedRounded(f, row);
  return (t, i) => packed(t, i, op, ...sources(t, i));
}

function vectorExtremum(f: Float, code: 5 | 6): Translate {
  const spec = code === 5 ? { f32: ops.f32x4_pmin, f64: ops.f64x2_pmin } : { f32: ops.f32x4_pmax, f64: ops.f64x2_pmax };
  const op: PackedOp = {
    fast: (t, a, b, slow) => {
      needNumberLanes(t, f, [a, b], slow);
      return t.ir.vector(spec[f], b, a);
    },
    exact: (_t, e, a, b) => e.call(`sse_${f}`, { a, b }, [code, SHAPE[f].lanes], "v128"),
  };
  return (t, i) => packed(t, i, op, ...sources(t, i));
}

function vectorRoot(f: Float): Translate {
  const spec = f === "f64" ? ops.f64x2_sqrt : ops.f32x4_sqrt;
  const op: PackedOp = {
    fast: (t, _a, b, slow) => {
      // A root of what is not negative, and not denormal, is ordinary; a negative one's is NaN.
      const r = t.ir.vector(spec, b);
      needOrdinaryLanes(t, f, r, { underflows: false, operands: [b] }, slow);
      needExactLanes(t, f, "sqrt", r, b, b, slow);
      return r;
    },
    exact: (_t, e, _a, b) => e.call(`sse_${f}`, { b }, [4, SHAPE[f].lanes], "v128"),
  };
  return (t, i) => {
    const b = readVec(t, i, 1);
    packed(t, i, op, b, b);
  };
}

const EVEN = {
  f32: [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27],
  f64: [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
};
const ODD = {
  f32: [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31],
  f64: [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31],
}; // prettier-ignore

/** HADDPS and its kin: neighbouring lanes. */
function horizontal(f: Float, row: Rounded): Translate {
  const op = packedRounded(f, row);
  return (t, i) => {
    const [a, b] = sources(t, i);
    const even = a.map((v, h) => t.ir.shuffle(v, b[h]!, EVEN[f]));
    packed(t, i, op, even, a.map((v, h) => t.ir.shuffle(v, b[h]!, ODD[f]))); // prettier-ignore
  };
}

/** ADDSUBPS, ADDSUBPD: differences in even lanes, sums in odd ones. */
function alternate(f: Float): Translate {
  const mask =
    f === "f64"
      ? [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
      : [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];
  const op: PackedOp = {
    rounds: true,
    fast: (t, a, b, slow) => {
      const { ir } = t;
      const even = ir.const128(Array.from({ length: 16 }, (_, n) => mask[n % mask.length]!));
      const r = ir.vector(ops.v128_bitselect, ir.vector(SUB.all[f], a, b), ir.vector(ADD.all[f], a, b), even);
      needOrdinaryLanes(t, f, r, { underflows: false, operands: [a, b] }, slow);
      return r;
    },
    exact: (_t, e, a, b) => e.call(`sse_${f}`, { a, b }, [7, SHAPE[f].lanes], "v128"),
  };
  return (t, i) => packed(t, i, op, ...sources(t, i));
}

/** DPPS, DPPD. */
function dot(name: string): Translate {
  return (t, i) => {
    const [a, b] = sources(t, i);
    const e = new Exact(t, a.length);
    const r = a.map((v, h) => e.call(name, { a: v, b: b[h]! }, [i.immLo & 0xff], "v128"));
    e.finish(() => writeVec(t, i, 0, r));
  };
}

const four = <const P extends string>(
  name: P,
  row: Rounded,
): { readonly [K in "ss" | "sd" | "ps" | "pd" as `${P}${K}`]: Translate } =>
  ({
    [`${name}ss`]: scalar("f32", row),
    [`${name}sd`]: scalar("f64", row),
    [`${name}ps`]: vector("f32", row),
    [`${name}pd`]: vector("f64", row),
  }) as ReturnType<typeof four<P>>;

export const arithmetic = {
  ...both({
    ...four("add", ADD), ...four("sub", SUB), ...four("mul", MUL), ...four("div", DIV),
    minss: scalarExtremum("f32", 5), minsd: scalarExtremum("f64", 5), minps: vectorExtremum("f32", 5), minpd: vectorExtremum("f64", 5),
    maxss: scalarExtremum("f32", 6), maxsd: scalarExtremum("f64", 6), maxps: vectorExtremum("f32", 6), maxpd: vectorExtremum("f64", 6),
    sqrtss: scalarRoot("f32"), sqrtsd: scalarRoot("f64"), sqrtps: vectorRoot("f32"), sqrtpd: vectorRoot("f64"),
    haddps: horizontal("f32", ADD), haddpd: horizontal("f64", ADD), hsubps: horizontal("f32", SUB), hsubpd: horizontal("f64", SUB),
    addsubps: alternate("f32"), addsubpd: alternate("f64"), dpps: dot("sse_dp32"), dppd: dot("sse_dp64"),
  }),
}; // prettier-ignore
