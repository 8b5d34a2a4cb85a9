/** ±(a × b) ± c, rounded once. Source: Intel SDM volume 1 (2023), 14.5. */
import { HOST_FMA, ops, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { Exact } from "./exact.ts";
import { either, mayRound, needNoDenormal, needOrdinary, needOrdinaryLanes, SHAPE } from "./fast.ts";
import {
  lane0, loadedScalar, readVec, setPlain, vec, writeScalar, writeVec, type Float,
} from "./registers.ts"; // prettier-ignore

/** Which operands are a, b and c of ±(a × b) ± c. */
const ORDER = { "132": [0, 2, 1], "213": [1, 0, 2], "231": [1, 2, 0] } as const;
type Order = keyof typeof ORDER;

/** `signs`: bit 0 negates the product, bits 1 and 2 the addend of even and odd lanes. */
function fusedScalar(f: Float, order: Order, signs: number): Translate {
  return (t, i) => {
    const { ir } = t;
    const loaded = loadedScalar(t, i, 2, f);
    const get = (k: number): Value => (k === 2 && loaded !== undefined ? loaded : vec(t, i.operands[k]!.n));
    const number0 = (k: number): Value => (k === 2 && loaded !== undefined ? loaded : lane0(t, f, get(k)));
    const exact = (): void => {
      const [a, b, c] = ORDER[order].map(get) as [Value, Value, Value];
      const e = new Exact(t);
      const r = e.call(f === "f64" ? "sse_fma64" : "sse_fma32", { a, b, c }, [signs, 1], f);
      e.finish(() => writeFused(t, i, f, r));
    };
    if (!HOST_FMA || !mayRound(t)) return exact();
    either(
      t,
      (slow) => {
        const [a, b, c] = ORDER[order].map(number0) as [Value, Value, Value];
        const r = ir.float(ops.fmadd, signs & 1 ? ir.float(ops.fneg, a) : a, b, signs & 2 ? ir.float(ops.fneg, c) : c);
        needOrdinary(t, f, r, true, [a, b], slow);
        for (const v of [a, b, c]) {
          needNoDenormal(t, f, v, slow);
          setPlain(t, v, f);
        }
        writeFused(t, i, f, r);
      },
      exact,
    );
  };
}
/** The other lanes are the destination's. */
function writeFused(t: Tx, i: Insn, f: Float, r: Value): void {
  writeScalar(t, { ...i, operands: [i.operands[0], i.operands[0], i.operands[2], i.operands[3]] }, f, r);
}

function fusedVector(f: Float, order: Order, signs: number): Translate {
  const spec = f === "f64" ? ops.f64x2_fmadd : ops.f32x4_fmadd;
  const neg = f === "f64" ? ops.f64x2_neg : ops.f32x4_neg;
  const simple = (signs & 6) === 0 || (signs & 6) === 6;
  return (t, i) => {
    const { ir } = t;
    const all = [readVec(t, i, 0), readVec(t, i, 1), readVec(t, i, 2)];
    const [a, b, c] = ORDER[order].map((k) => all[k]!) as [Value[], Value[], Value[]];
    const exact = (): void => {
      const e = new Exact(t, a.length);
      const r = a.map((v, h) => e.call(f === "f64" ? "sse_fma64" : "sse_fma32", { a: v, b: b[h]!, c: c[h]! }, [signs, SHAPE[f].lanes], "v128")); // prettier-ignore
      e.finish(() => writeVec(t, i, 0, r));
    };
    if (!HOST_FMA || !simple || !mayRound(t)) return exact();
    either(
      t,
      (slow) =>
        writeVec(t, i, 0, a.map((v, h) => {
          const x = signs & 1 ? ir.vector(neg, v) : v;
          const z = signs & 2 ? ir.vector(neg, c[h]!) : c[h]!;
          const r = ir.vector(spec, x, b[h]!, z);
          needOrdinaryLanes(
            t,
            f,
            r,
            { underflows: true, causes: [v, b[h]!], operands: [v, b[h]!, c[h]!] },
            slow,
          );
          return r;
        })), // prettier-ignore
      exact,
    );
  };
}

/** The twelve, or six, forms of a fused operation. */
function forms<const P extends string>(
  name: P,
  signs: number,
): { readonly [K in `${P}${Order}${"ps" | "pd" | "ss" | "sd"}`]: Translate } {
  const map: Record<string, Translate> = {};
  for (const order of Object.keys(ORDER) as Order[]) {
    map[`${name}${order}ps`] = fusedVector("f32", order, signs);
    map[`${name}${order}pd`] = fusedVector("f64", order, signs);
    map[`${name}${order}ss`] = fusedScalar("f32", order, signs);
    map[`${name}${order}sd`] = fusedScalar("f64", order, signs);
  }
  return map as ReturnType<typeof forms<P>>;
}

export const fusedArithmetic = {
  ...forms("vfmadd", 0), ...forms("vfmsub", 6), ...forms("vfnmadd", 1), ...forms("vfnmsub", 7),
  ...forms("vfmaddsub", 2), ...forms("vfmsubadd", 4),
}; // prettier-ignore
