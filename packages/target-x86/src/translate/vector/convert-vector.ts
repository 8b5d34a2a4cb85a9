/** Conversions of vectors, half precision, approximations. Source: Intel SDM volume 2 (2023), CVTPD2PS and its kin, VCVTPS2PH, RCPPS. */
import { ops, type Label, type Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Translate, Tx } from "../tx.ts";
import { Exact, plainCall } from "./exact.ts";
import { either, leaveIf, mayRound, needOrdinaryLanes } from "./fast.ts";
import { pattern } from "./lanes.ts";
import { packed } from "./packed.ts";
import {
  both, enterMmx, immediate, isMem, isMm, isWide, read64, readPart, readScalar, readVec, setMm, setPlain, setVec, vec,
  writeScalar, writeVec, zeros, type Float,
} from "./registers.ts"; // prettier-ignore

// ---- vectors of one width

/** CVTPS2DQ, CVTTPS2DQ. */
function singlesToWords(truncate: boolean): Translate {
  return (t, i) => {
    const { ir } = t;
    const b = readVec(t, i, 1);
    packed(
      t,
      i,
      {
        rounds: true,
        fast: (_t, _a, v, slow) => {
          const small = ir.vector(ops.f32x4_lt, ir.vector(ops.f32x4_abs, v), pattern(ir, 0, 0, 0, 0x4f));
          leaveIf(t, "ne", ir.vector(ops.i32x4_bitmask, small), ir.const32(15), slow);
          return ir.vector(ops.i32x4_trunc_sat_f32x4_s, truncate ? v : ir.vector(ops.f32x4_nearest, v));
        },
        exact: (_t, e, _a, v) => e.call("sse_f32_i32", { b: v }, [truncate ? 1 : 0, 4], "v128"),
      },
      b,
      b,
    );
  };
}
const cvtdq2ps: Translate = (t, i) => {
  const b = readVec(t, i, 1);
  packed(
    t,
    i,
    {
      rounds: true,
      fast: (_t, _a, v) => {
        const r = t.ir.vector(ops.f32x4_convert_i32x4_s, v);
        setPlain(t, r, "f32");
        return r;
      },
      exact: (_t, e, _a, v) => e.call("sse_i32_f32", { b: v }, [4], "v128"),
    },
    b,
    b,
  );
};

// ---- vectors that become wider or narrower

/** The halves of the source of what doubles widths: both quadwords of a register, or memory. */
function wideningSource(t: Tx, i: Insn): Value[] {
  const { ir } = t;
  const v = readPart(t, i, 1, isWide(i) ? 16 : 8);
  return isWide(i) ? [v, ir.shuffle(v, v, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])] : [v];
}
const cvtdq2pd: Translate = (t, i) =>
  writeVec(t, i, 0, wideningSource(t, i).map((v) => t.ir.vector(ops.f64x2_convert_low_i32x4_s, v))); // prettier-ignore

const cvtps2pd: Translate = (t, i) => {
  const { ir } = t;
  const b = wideningSource(t, i);
  packed(
    t,
    i,
    {
      fast: (_t, _a, v, slow) => {
        const r = ir.vector(ops.f64x2_promote_low_f32x4, v);
        // What was denormal is less than the least normal single.
        const size = ir.vector(ops.f64x2_abs, r);
        const least = ir.vector(ops.f64x2_ge, size, pattern(ir, 0, 0, 0, 0, 0, 0, 0x10, 0x38));
        const fine = ir.vector(ops.v128_or, least, ir.vector(ops.f64x2_eq, r, zeros(ir)));
        leaveIf(t, "ne", ir.vector(ops.i64x2_bitmask, fine), ir.const32(3), slow);
        return r;
      },
      exact: (_t, e, _a, v) => e.call("sse_f32_f64", { b: v }, [2], "v128"),
    },
    b,
    b,
  );
};

/** Makes one half of two: the low quadwords of both. */
function joined(t: Tx, halves: readonly Value[]): Value {
  const [low, high] = halves;
  return high === undefined ? low! : t.ir.shuffle(low!, high, [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
}
/** A quadword, and zeros. */
const lowOnly = (t: Tx, v: Value): Value =>
  t.ir.shuffle(v, zeros(t.ir), [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);

interface Narrow {
  fast(t: Tx, v: Value, slow: Label): Value;
  /** Its quadword counts. */
  exact(t: Tx, e: Exact, v: Value): Value;
}
const cvtpd2psOp: Narrow = {
  fast: (t, v, slow) => {
    const { ir } = t;
    const r = ir.vector(ops.f32x4_demote_f64x2_zero, v);
    // Lanes of singles have no causes here: a zero is one whose double is zero.
    const cause = ir.vector(ops.f64x2_eq, v, zeros(ir));
    const narrowed = ir.shuffle(cause, cause, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
    needOrdinaryLanes(
      t,
      "f32",
      r,
      { underflows: true, causes: [ir.vector(ops.v128_not, narrowed)], operands: [], lanes: 3 },
      slow,
    );
    return r;
  },
  exact: (_t, e, v) => e.call("sse_f64_f32", { b: v }, [2], "v128"),
};
const doublesToWords = (truncate: boolean): Narrow => ({
  fast: (t, v, slow) => {
    const { ir } = t;
    // 2^31 - 1: what rounds to 2^31 is not less.
    const small = ir.vector(
      ops.f64x2_lt,
      ir.vector(ops.f64x2_abs, v),
      pattern(ir, 0, 0, 0xc0, 0xff, 0xff, 0xff, 0xdf, 0x41),
    );
    leaveIf(t, "ne", ir.vector(ops.i64x2_bitmask, small), ir.const32(3), slow);
    return ir.vector(ops.i32x4_trunc_sat_f64x2_s_zero, truncate ? v : ir.vector(ops.f64x2_nearest, v));
  },
  exact: (_t, e, v) => e.call("sse_f64_i32", { b: v }, [truncate ? 1 : 0, 2], "v128"),
});
/** CVTPD2PS, CVTPD2DQ, CVTTPD2DQ. */
function narrow(op: Narrow): Translate {
  return (t, i) => {
    const b = readVec(t, i, 1);
    const write = (halves: readonly Value[]): void => {
      setVec(t, i.operands[0].n, 0, halves.length === 2 ? joined(t, halves) : halves[0]!);
      if (i.vex !== 0) setVec(t, i.operands[0].n, 1, zeros(t.ir));
    };
    const exact = (): void => {
      const e = new Exact(t, b.length);
      const r = b.map((v) => lowOnly(t, op.exact(t, e, v)));
      e.finish(() => write(r));
    };
    if (!mayRound(t)) return exact();
    either(t, (slow) => write(b.map((v) => op.fast(t, v, slow))), exact); // prettier-ignore
  };
}

// ---- MMX registers

/** CVTPI2PS, CVTPI2PD. Source in memory: the latter does not touch the x87's state. */
const cvtpi2ps: Translate = (t, i) => {
  const b = t.ir.vector(ops.i64x2_splat, read64(t, i, 1));
  if (isMm(i, 1)) enterMmx(t);
  const e = new Exact(t);
  const r = e.call("sse_i32_f32", { b }, [2], "i64");
  e.finish(() => {
    const { n } = i.operands[0];
    setVec(t, n, 0, t.ir.vector(ops.i64x2_replace_lane, vec(t, n), r));
  });
};
const cvtpi2pd: Translate = (t, i) => {
  const b = t.ir.vector(ops.i64x2_splat, read64(t, i, 1));
  if (isMm(i, 1)) enterMmx(t);
  setVec(t, i.operands[0].n, 0, t.ir.vector(ops.f64x2_convert_low_i32x4_s, b));
};
/** CVTPS2PI and its kin. */
function toMmx(from: Float, truncate: boolean): Translate {
  return (t, i) => {
    const b = from === "f32" ? t.ir.vector(ops.i64x2_splat, read64(t, i, 1)) : readVec(t, i, 1)[0]!;
    const e = new Exact(t);
    const r = e.call(`sse_${from}_i32`, { b }, [truncate ? 1 : 0, 2], "i64");
    e.finish(() => {
      enterMmx(t);
      setMm(t, i.operands[0].n, r);
    });
  };
}

// ---- half precision

const vcvtph2ps: Translate = (t, i) => {
  const e = new Exact(t, isWide(i) ? 2 : 1);
  const r = wideningSource(t, i).map((b) => e.call("sse_f16_f32", { b }, [4], "v128"));
  e.finish(() => writeVec(t, i, 0, r));
};
const vcvtps2ph: Translate = (t, i) => {
  const { ir } = t;
  const e = new Exact(t, isWide(i) ? 2 : 1);
  const before = ir.get("mxcsr");
  const r = readVec(t, i, 1).map((b) => e.call("sse_f32_f16", { b }, [immediate(i), 4], "v128"));
  const to = i.operands[0];
  e.finish(() => {
    if (!isMem(i, 0)) {
      setVec(t, to.n, 0, r.length === 2 ? joined(t, r) : lowOnly(t, r[0]!));
      return setVec(t, to.n, 1, zeros(ir));
    }
    // No flags without the store.
    const after = ir.get("mxcsr");
    ir.set("mxcsr", before);
    const address = t.address(0, "w");
    if (r.length === 2) t.storeVec(address, joined(t, r));
    else t.store("u64", address, ir.vector(ops.i64x2_extract_lane, r[0]!));
    ir.set("mxcsr", after);
  });
};

// ---- approximations

/** RCPSS and its kin, to more bits than they have to have. Source: RCPPS: relative error at most 1.5 * 2^-12. */
function approximate(root: 0 | 1, lanes: 1 | 4): Translate {
  return (t, i) => {
    if (lanes === 4)
      return writeVec(t, i, 0, readVec(t, i, 1).map((b) => plainCall(t, "sse_approximate", { b }, root, 4))); // prettier-ignore
    const b = readScalar(t, i, i.operandCount - 1, "f32");
    const r = t.ir.vector(ops.f32x4_extract_lane, plainCall(t, "sse_approximate", { b }, root, 1));
    writeScalar(t, i, "f32", r);
  };
}

export const vectorConversions = {
  ...both({
    cvtps2dq: singlesToWords(false), cvttps2dq: singlesToWords(true), cvtdq2ps, cvtdq2pd, cvtps2pd,
    cvtpd2ps: narrow(cvtpd2psOp), cvtpd2dq: narrow(doublesToWords(false)), cvttpd2dq: narrow(doublesToWords(true)),
    rcpps: approximate(0, 4), rcpss: approximate(0, 1), rsqrtps: approximate(1, 4), rsqrtss: approximate(1, 1),
  }),
  cvtpi2ps, cvtpi2pd, cvtps2pi: toMmx("f32", false), cvttps2pi: toMmx("f32", true), cvtpd2pi: toMmx("f64", false), cvttpd2pi: toMmx("f64", true),
  vcvtph2ps, vcvtps2ph,
}; // prettier-ignore
