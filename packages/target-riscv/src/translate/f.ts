import type { Translators } from "@mimus/decodetree";
import type { rv32f, rv64f } from "../decode/f.ts";
import type { Block } from "./block.ts";
import * as fp from "./float.ts";

const f = fp.single;

/** Semantics of RV32F. Source: Unprivileged ISA 20191213, ch. 11. */
export const translateRv32f: Translators<Block, typeof rv32f.insns> = {
  flw: fp.load(f),
  fsw: fp.store(f),
  fmadd_s: fp.fused(f, false, false),
  fmsub_s: fp.fused(f, false, true),
  fnmsub_s: fp.fused(f, true, false),
  fnmadd_s: fp.fused(f, true, true),
  fadd_s: fp.arithmetic(f, "add"),
  fsub_s: fp.arithmetic(f, "sub"),
  fmul_s: fp.arithmetic(f, "mul"),
  fdiv_s: fp.arithmetic(f, "div"),
  fsqrt_s: fp.squareRoot(f),
  fsgnj_s: fp.signInject(f, "copy"),
  fsgnjn_s: fp.signInject(f, "invert"),
  fsgnjx_s: fp.signInject(f, "xor"),
  fmin_s: fp.select(f, "min"),
  fmax_s: fp.select(f, "max"),
  feq_s: fp.compare(f, "eq"),
  flt_s: fp.compare(f, "lt"),
  fle_s: fp.compare(f, "le"),
  fclass_s: fp.classify(f),
  fcvt_w_s: fp.toInteger(f, "i32"),
  fcvt_s_w: fp.fromInteger(f, "i32"),
  fcvt_wu_s: fp.toInteger(f, "ui32"),
  fcvt_s_wu: fp.fromInteger(f, "ui32"),
  fmv_x_w: (b, { rd, rs1 }) => {
    if (!b.fpEnabled()) return;
    const bits = b.ir.bitcast(b.f(rs1));
    b.setX(rd, b.rv64 ? b.ir.ext32s(bits) : b.ir.extrl(bits));
  },
  fmv_w_x: (b, { rd, rs1 }) =>
    fp.withFp(b, () => f.write(b, rd, b.ir.bitcast(b.rv64 ? b.ir.extrl(b.x(rs1)) : b.x(rs1)))),
};

/** Semantics of what RV64F adds. */
export const translateRv64f: Translators<Block, typeof rv64f.insns> = {
  fcvt_l_s: fp.toInteger(f, "i64"),
  fcvt_s_l: fp.fromInteger(f, "i64"),
  fcvt_lu_s: fp.toInteger(f, "ui64"),
  fcvt_s_lu: fp.fromInteger(f, "ui64"),
};
