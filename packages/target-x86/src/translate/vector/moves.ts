/** Moves of whole vectors, halves and lanes. Source: Intel SDM volume 2 (2023), MOVAPS to MOVUPS, MASKMOVDQU. */
import { ops, type Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../../insn.ts";
import { OFF, SEG } from "../../state.ts";
import type { Translate, Tx } from "../tx.ts";
import { one } from "./lanes.ts";
import {
  both, enterMmx, first, isMem, isMm, isWide, mm, read64, readScalar, readVec, setLow, setMm, vec, withLane0,
  writeScalar, writeVec, zeros, type Float,
} from "./registers.ts"; // prettier-ignore

const move: Translate = (t, i) => writeVec(t, i, 0, readVec(t, i, 1));

/** MOVSS, MOVSD: loads clear the other lanes; between registers they stay, or come from the second operand with VEX. */
function scalar(f: Float): Translate {
  return (t, i) => {
    const last = i.operandCount - 1;
    const x = readScalar(t, i, last, f);
    if (isMem(i, 0)) return t.ir.st(f === "f64" ? "u64" : "u32", t.address(0, "w"), x, t.mmu);
    if (isMem(i, last)) return setLow(t, i, i.operands[0].n, withLane0(t, f, zeros(t.ir), x));
    writeScalar(t, i, f, x);
  };
}

/** An integer in lane 0, zeros in the others. */
function alone(t: Tx, x: Value): Value {
  return t.ir.vector(t.ir.typeOf(x) === "i64" ? ops.i64x2_replace_lane : ops.i32x4_replace_lane, zeros(t.ir), x);
}

/** MOVD, MOVQ in all their forms. */
const movd: Translate = (t, i) => {
  const [to, from] = i.operands;
  const mmx = to.kind === OPERAND.mm || from.kind === OPERAND.mm;
  if (from.kind === OPERAND.mm || from.kind === OPERAND.vec) {
    // To memory, a general register, or a register of its own kind.
    const wide = to.kind === OPERAND.mm || to.kind === OPERAND.vec || to.size === 8;
    let x: Value;
    if (mmx) x = wide ? mm(t, from.n) : t.ir.extrl(mm(t, from.n));
    else x = t.ir.vector(wide ? ops.i64x2_extract_lane : ops.i32x4_extract_lane, vec(t, from.n));
    if (to.kind === OPERAND.vec) setLow(t, i, to.n, alone(t, x));
    else if (to.kind !== OPERAND.mm) t.write(0, x);
    if (mmx) enterMmx(t);
    if (to.kind === OPERAND.mm) setMm(t, to.n, x);
    return;
  }
  const x = from.size === 8 || from.kind === OPERAND.mem ? t.read(1, from.size) : t.read(1, 4);
  if (!mmx) return setLow(t, i, to.n, alone(t, x));
  enterMmx(t);
  setMm(t, to.n, t.ir.typeOf(x) === "i64" ? x : t.ir.extuI32(x));
};

/** MOVLPS, MOVHPS and their kin: one half of a register from or to memory. */
function half(lane: 0 | 1): Translate {
  return (t, i) => {
    if (isMem(i, 0)) {
      const v = vec(t, i.operands[1].n);
      return t.store("u64", t.address(0, "w"), t.ir.vector(ops.i64x2_extract_lane, v, undefined, undefined, lane));
    }
    const x = t.load("u64", t.address(i.operandCount - 1, "r"));
    const v = vec(t, i.operands[first(i)]!.n);
    setLow(t, i, i.operands[0].n, t.ir.vector(ops.i64x2_replace_lane, v, x, undefined, lane));
  };
}

const SWAPPED_IN = [24, 25, 26, 27, 28, 29, 30, 31, 8, 9, 10, 11, 12, 13, 14, 15];
const LOW_OF_BOTH = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/** MOVHLPS, MOVLHPS. */
function across(lanes: readonly number[]): Translate {
  return (t, i) => {
    const k = first(i);
    const v = t.ir.shuffle(vec(t, i.operands[k]!.n), vec(t, i.operands[k + 1]!.n), lanes);
    setLow(t, i, i.operands[0].n, v);
  };
}

const EVEN = [0, 1, 2, 3, 0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11];
const ODD = [4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15];
const LOW = [0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7];

const movddup: Translate = (t, i) => {
  if (isWide(i)) return writeVec(t, i, 0, readVec(t, i, 1).map((v) => t.ir.shuffle(v, v, LOW))); // prettier-ignore
  setLow(t, i, i.operands[0].n, t.ir.vector(ops.i64x2_splat, read64(t, i, 1)));
};

/** The top bits of all lanes to a general register. */
function mask(spec: typeof ops.i8x16_bitmask, lanes: number): Translate {
  return (t, i) => {
    const { ir } = t;
    if (isMm(i, 1)) {
      const v = ir.vector(ops.i64x2_splat, mm(t, i.operands[1].n));
      enterMmx(t);
      return t.setReg(i.operands[0].n, 4, ir.ext8u(ir.vector(spec, v)));
    }
    const [low, high] = readVec(t, i, 1).map((v) => ir.vector(spec, v));
    t.setReg(i.operands[0].n, 4, high === undefined ? low! : ir.or(low!, ir.shlI(high, lanes)));
  };
}

/** Stores the bytes of a register whose byte in another has its top bit set, at DS:(E/R)DI. */
const maskmov: Translate = (t, i) => {
  const { ir } = t;
  const mmx = isMm(i, 0);
  const read = (k: number): Value =>
    mmx ? ir.vector(ops.i64x2_splat, mm(t, i.operands[k]!.n)) : vec(t, i.operands[k]!.n);
  const v = read(0);
  const bits = ir.vector(ops.i8x16_bitmask, read(1));
  const bytes = mmx ? 8 : 16;
  const base = t.segAddress(i.segment < 0 ? SEG.ds : i.segment, t.addressReg(7, i.adSize), bytes, "w");
  for (let n = 0; n < bytes; n++)
    t.when("tstne", bits, ir.const32(1 << n), () =>
      t.store("u8", at(t, base, n), ir.vector(ops.i8x16_extract_lane_u, v, undefined, undefined, n)),
    );
  if (mmx) enterMmx(t);
};
/** An address some bytes further. */
function at(t: Tx, base: Value, bytes: number): Value {
  const sum = t.ir.addI(base, bytes);
  return t.code === 64 ? sum : t.cut(sum, 4);
}

const movnti: Translate = (t) => t.write(0, t.read(1));

const movntq: Translate = (t, i) => {
  t.store("u64", t.address(0, "w"), mm(t, i.operands[1].n));
  enterMmx(t);
};

const toZero = (t: Tx, half: 0 | 1 | "both"): void => {
  for (let n = 0; n < (t.code === 64 ? 16 : 8); n++) {
    if (half !== 1) t.ir.set(`xmm${n}`, zeros(t.ir));
    if (half !== 0) t.ir.set(`ymmh${n}`, zeros(t.ir));
  }
};

/** TOP becomes 0 here, too. */
const emms: Translate = (t) => {
  enterMmx(t);
  t.ir.envSt("u64", OFF.fpuEmpty, t.ir.const64(0x0101010101010101n));
};

export const moves = {
  ...both({
    movaps: move, movapd: move, movups: move, movupd: move, movdqa: move, movdqu: move, lddqu: move,
    movntps: move, movntpd: move, movntdq: move, movntdqa: move,
    movss: scalar("f32"), movsd: scalar("f64"), movd, movq: movd,
    movlps: half(0), movlpd: half(0), movhps: half(1), movhpd: half(1),
    movhlps: across(SWAPPED_IN), movlhps: across(LOW_OF_BOTH),
    movsldup: one((ir, v) => ir.shuffle(v, v, EVEN)), movshdup: one((ir, v) => ir.shuffle(v, v, ODD)), movddup,
    movmskps: mask(ops.i32x4_bitmask, 4), movmskpd: mask(ops.i64x2_bitmask, 2), pmovmskb: mask(ops.i8x16_bitmask, 16),
    maskmovdqu: maskmov,
  }),
  maskmovq: maskmov, movnti, movntq,
  movntss: scalar("f32"), movntsd: scalar("f64"),
  movq2dq: (t: Tx, i: Insn): void => {
    const x = mm(t, i.operands[1].n);
    enterMmx(t);
    setLow(t, i, i.operands[0].n, alone(t, x));
  },
  movdq2q: (t: Tx, i: Insn): void => {
    const x = t.ir.vector(ops.i64x2_extract_lane, vec(t, i.operands[1].n));
    enterMmx(t);
    setMm(t, i.operands[0].n, x);
  },
  emms, femms: emms,
  vzeroupper: (t: Tx): void => toZero(t, 1),
  vzeroall: (t: Tx): void => toZero(t, "both"),
}; // prettier-ignore
