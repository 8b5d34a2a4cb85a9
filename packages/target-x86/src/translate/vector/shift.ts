/** Shifts. Source: Intel SDM volume 2 (2023), PSLLW, PSRAW, PSRLW, PSLLDQ, VPSLLVD. */
import { ops, type OpSpec, type Value } from "@mimus/tcg";
import { OPERAND } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { mmVector, setMmVector } from "./lanes.ts";
import {
  both,
  enterMmx,
  first,
  immediate,
  isMm,
  mm,
  read64,
  readVec,
  setMm,
  vec,
  writeVec,
  zeros,
} from "./registers.ts";

/** A shift of lanes by the same count for all. */
interface Shift {
  readonly spec: OpSpec;
  readonly bits: number;
  /** Signs come in: a count that is too great is one less than the width. */
  readonly signs: boolean;
}
const shift = (spec: OpSpec, bits: number, signs: boolean = false): Shift => ({ spec, bits, signs });

/** By a constant. */
function byConstant(t: Tx, s: Shift, v: Value, count: number): Value {
  if (count >= s.bits && !s.signs) return zeros(t.ir);
  return t.ir.vector(s.spec, v, t.ir.const32(Math.min(count, s.bits - 1)));
}

/** By an i64. */
function byValue(t: Tx, s: Shift, halves: readonly Value[], count: Value): Value[] {
  const { ir } = t;
  const limit = ir.const64(BigInt(s.bits));
  if (s.signs) {
    const n = ir.extrl(ir.movcond("ltu", count, limit, count, ir.const64(BigInt(s.bits - 1))));
    return halves.map((v) => ir.vector(s.spec, v, n));
  }
  const fits = ir.vector(ops.i64x2_splat, ir.negsetcond("ltu", count, limit));
  const n = ir.extrl(count);
  return halves.map((v) => ir.vector(ops.v128_and, ir.vector(s.spec, v, n), fits));
}

/** destination = source shifted by an immediate, or by the low quadword of the other source. */
function by(s: Shift): Translate {
  return (t, i) => {
    const last = i.operandCount - 1;
    const constant = i.operands[last]!.kind === OPERAND.imm;
    if (isMm(i, 0)) {
      const count = constant ? undefined : read64(t, i, 1);
      enterMmx(t);
      const v = t.ir.vector(ops.i64x2_splat, mm(t, i.operands[0].n));
      return setMmVector(t, i, count === undefined ? byConstant(t, s, v, immediate(i)) : byValue(t, s, [v], count)[0]!);
    }
    const k = first(i);
    if (constant) {
      const count = immediate(i);
      return writeVec(t, i, 0, readVec(t, i, k).map((v) => byConstant(t, s, v, count))); // prettier-ignore
    }
    const o = i.operands[last]!;
    const count =
      o.kind === OPERAND.mem
        ? t.ir.vector(ops.i64x2_extract_lane, readVec(t, { ...i, vex: i.vex === 0 ? 0 : 16 }, last)[0]!)
        : t.ir.vector(ops.i64x2_extract_lane, vec(t, o.n));
    writeVec(t, i, 0, byValue(t, s, readVec(t, i, k), count));
  };
}

/** Whole halves, by bytes. */
function byBytes(left: boolean): Translate {
  return (t, i) => {
    const n = Math.min(immediate(i), 16);
    const at = left ? 16 - n : n;
    const lanes = Array.from({ length: 16 }, (_, k) => k + at);
    const shifted = (v: Value): Value =>
      left ? t.ir.shuffle(zeros(t.ir), v, lanes) : t.ir.shuffle(v, zeros(t.ir), lanes);
    writeVec(t, i, 0, readVec(t, i, first(i)).map(shifted)); // prettier-ignore
  };
}

/** Each lane by a count of its own. */
function each(how: "shl" | "shr" | "sar", bits: 32 | 64): Translate {
  return (t, i) => {
    const b = readVec(t, i, 2);
    const a = readVec(t, i, 1);
    writeVec(t, i, 0, a.map((v, n) => lanesBy(t, how, bits, v, b[n]!))); // prettier-ignore
  };
}
function lanesBy(t: Tx, how: "shl" | "shr" | "sar", bits: 32 | 64, v: Value, counts: Value): Value {
  const { ir } = t;
  const [get, put] =
    bits === 32 ? [ops.i32x4_extract_lane, ops.i32x4_replace_lane] : [ops.i64x2_extract_lane, ops.i64x2_replace_lane];
  const type = bits === 32 ? "i32" : "i64";
  let r = v;
  for (let n = 0; n < 128 / bits; n++) {
    const x = ir.vector(get, v, undefined, undefined, n);
    const count = ir.vector(get, counts, undefined, undefined, n);
    const limit = ir.constant(type, bits);
    const y =
      how === "sar"
        ? ir.sar(x, ir.movcond("ltu", count, limit, count, ir.constant(type, bits - 1)))
        : ir.and(ir[how](x, count), ir.negsetcond("ltu", count, limit));
    r = ir.vector(put, r, y, undefined, n);
  }
  return r;
}

/** PALIGNR: bytes of both operands, the second below, from an immediate upwards. */
const palignr: Translate = (t, i) => {
  const { ir } = t;
  const n = immediate(i);
  if (isMm(i, 0)) {
    const low = mmVector(t, i, 1);
    enterMmx(t);
    const both = ir.vector(ops.i64x2_replace_lane, low, mm(t, i.operands[0].n), undefined, 1);
    const at = Math.min(n, 16);
    const v = ir.shuffle(
      both,
      zeros(ir),
      Array.from({ length: 16 }, (_, k) => Math.min(k + at, 31)),
    );
    return setMm(t, i.operands[0].n, ir.vector(ops.i64x2_extract_lane, v));
  }
  const k = first(i);
  const b = readVec(t, i, k + 1);
  const a = readVec(t, i, k);
  const at = n < 16 ? n : Math.min(n, 32) - 16;
  const lanes = Array.from({ length: 16 }, (_, m) => m + at);
  writeVec(t, i, 0, a.map((v, h) => (n < 16 ? ir.shuffle(b[h]!, v, lanes) : ir.shuffle(v, zeros(ir), lanes)))); // prettier-ignore
};

export const shifts = {
  ...both({
    psllw: by(shift(ops.i16x8_shl, 16)), pslld: by(shift(ops.i32x4_shl, 32)), psllq: by(shift(ops.i64x2_shl, 64)),
    psrlw: by(shift(ops.i16x8_shr_u, 16)), psrld: by(shift(ops.i32x4_shr_u, 32)), psrlq: by(shift(ops.i64x2_shr_u, 64)),
    psraw: by(shift(ops.i16x8_shr_s, 16, true)), psrad: by(shift(ops.i32x4_shr_s, 32, true)),
    pslldq: byBytes(true), psrldq: byBytes(false), palignr,
  }),
  vpsllvd: each("shl", 32), vpsllvq: each("shl", 64), vpsrlvd: each("shr", 32), vpsrlvq: each("shr", 64), vpsravd: each("sar", 32),
}; // prettier-ignore
