import type { Translators } from "@mimus/decodetree";
import type { rv32d, rv64d } from "../decode/d.ts";
import type { Block } from "./block.ts";
import * as fp from "./float.ts";

const f = fp.double;

/** Semantics of RV32D. Source: Unprivileged ISA 20191213, ch. 12. */
export const translateRv32d: Translators<Block, typeof rv32d.insns> = {
  fld: fp.load(f),
  fsd: fp.store(f),
  fmadd_d: fp.fused(f, false, false),
  fmsub_d: fp.fused(f, false, true),
  fnmsub_d: fp.fused(f, true, false),
  fnmadd_d: fp.fused(f, true, true),
  fadd_d: fp.arithmetic(f, "add"),
  fsub_d: fp.arithmetic(f, "sub"),
  fmul_d: fp.arithmetic(f, "mul"),
  fdiv_d: fp.arithmetic(f, "div"),
  fsqrt_d: fp.squareRoot(f),
  fsgnj_d: fp.signInject(f, "copy"),
  fsgnjn_d: fp.signInject(f, "invert"),
  fsgnjx_d: fp.signInject(f, "xor"),
  fmin_d: fp.select(f, "min"),
  fmax_d: fp.select(f, "max"),
  feq_d: fp.compare(f, "eq"),
  flt_d: fp.compare(f, "lt"),
  fle_d: fp.compare(f, "le"),
  fclass_d: fp.classify(f),
  fcvt_w_d: fp.toInteger(f, "i32"),
  fcvt_d_w: fp.fromInteger(f, "i32"),
  fcvt_wu_d: fp.toInteger(f, "ui32"),
  fcvt_d_wu: fp.fromInteger(f, "ui32"),
  fcvt_s_d: fp.narrow,
  fcvt_d_s: fp.widen,
};

/** Semantics of what RV64D adds. */
export const translateRv64d: Translators<Block, typeof rv64d.insns> = {
  fcvt_l_d: fp.toInteger(f, "i64"),
  fcvt_d_l: fp.fromInteger(f, "i64"),
  fcvt_lu_d: fp.toInteger(f, "ui64"),
  fcvt_d_lu: fp.fromInteger(f, "ui64"),
  fmv_x_d: (b, { rd, rs1 }) => {
    if (b.fpEnabled()) b.setX(rd, b.ir.bitcast(b.f(rs1)));
  },
  fmv_d_x: (b, { rd, rs1 }) => fp.withFp(b, () => b.setF(rd, b.ir.bitcast(b.x(rs1)))),
};
