/** Single elements in and out, tests, sums of differences, SSE4a. Source: Intel SDM volume 2 (2023); AMD APM volume 4 (2021), EXTRQ, INSERTQ. */
import { ops, type OpSpec, type Value } from "@mimus/tcg";
import type { Translate, Tx } from "../tx.ts";
import {
  both, enterMmx, first, immediate, isMem, isMm, mm, read128, readVec, setLow, setMm, vec, writeVec, zeros,
} from "./registers.ts"; // prettier-ignore

const EXTRACT: Readonly<Record<number, OpSpec>> = {
  1: ops.i8x16_extract_lane_u, 2: ops.i16x8_extract_lane_u, 4: ops.i32x4_extract_lane, 8: ops.i64x2_extract_lane,
}; // prettier-ignore
const REPLACE: Readonly<Record<number, OpSpec>> = {
  1: ops.i8x16_replace_lane, 2: ops.i16x8_replace_lane, 4: ops.i32x4_replace_lane, 8: ops.i64x2_replace_lane,
}; // prettier-ignore

/** PEXTRB and its kin: elements of a size, or of the size of operand 0. */
function extract(bytes: number): Translate {
  return (t, i) => {
    const size = bytes === 0 ? i.operands[0].size : bytes;
    const lane = immediate(i) & (16 / size - 1);
    if (isMm(i, 1)) {
      const v = t.ir.vector(ops.i64x2_splat, mm(t, i.operands[1].n));
      enterMmx(t);
      return t.setReg(i.operands[0].n, 4, t.ir.vector(EXTRACT[2]!, v, undefined, undefined, lane & 3));
    }
    const x = t.ir.vector(EXTRACT[size]!, vec(t, i.operands[1].n), undefined, undefined, lane);
    if (isMem(i, 0)) t.write(0, x);
    else t.setReg(i.operands[0].n, Math.max(size, 4), x);
  };
}

/** PINSRB and its kin. */
function insert(bytes: number): Translate {
  return (t, i) => {
    const k = first(i) + 1;
    const size = bytes === 0 ? i.operands[k]!.size : bytes;
    const lane = immediate(i) & (16 / size - 1);
    const x = isMem(i, k) ? t.read(k, size) : t.reg(i.operands[k]!.n, Math.max(size, 4));
    if (isMm(i, 0)) {
      enterMmx(t);
      const v = t.ir.vector(ops.i64x2_splat, mm(t, i.operands[0].n));
      const r = t.ir.vector(REPLACE[2]!, v, x, undefined, lane & 3);
      return setMm(t, i.operands[0].n, t.ir.vector(ops.i64x2_extract_lane, r));
    }
    const v = vec(t, i.operands[first(i)]!.n);
    setLow(t, i, i.operands[0].n, t.ir.vector(REPLACE[size]!, v, x, undefined, lane));
  };
}

/** INSERTPS: one lane of the source to one of the destination, and zeros by a mask. */
const insertps: Translate = (t, i) => {
  const { ir } = t;
  const k = first(i) + 1;
  const imm = immediate(i);
  const x = isMem(i, k)
    ? t.load("u32", t.address(k, "r"))
    : ir.vector(ops.i32x4_extract_lane, vec(t, i.operands[k]!.n), undefined, undefined, imm >> 6);
  let v = ir.vector(ops.i32x4_replace_lane, vec(t, i.operands[first(i)]!.n), x, undefined, (imm >> 4) & 3);
  for (let n = 0; n < 4; n++) if ((imm >> n) & 1) v = ir.vector(ops.i32x4_replace_lane, v, ir.const32(0), undefined, n);
  setLow(t, i, i.operands[0].n, v);
};

const any = (t: Tx, halves: readonly Value[]): Value =>
  t.ir.vector(ops.v128_any_true, halves.length === 1 ? halves[0]! : t.ir.vector(ops.v128_or, halves[0]!, halves[1]!));

/** PTEST, VTESTPS: ZF unless any bit (top bit) is in both, CF unless any of the second is not in the first. */
function test(top: OpSpec | undefined): Translate {
  return (t, i) => {
    const { ir } = t;
    const b = readVec(t, i, 1);
    const a = readVec(t, i, 0);
    const signs = (v: Value): Value =>
      top === undefined ? v : ir.vector(top, v, ir.const32(top === ops.i64x2_shr_s ? 63 : 31));
    const common = any(t, a.map((v, h) => signs(ir.vector(ops.v128_and, b[h]!, v)))); // prettier-ignore
    const rest = any(t, a.map((v, h) => signs(ir.vector(ops.v128_andnot, b[h]!, v)))); // prettier-ignore
    t.setFlagBits(ir.or(ir.shlI(ir.xorI(common, 1), 6), ir.xorI(rest, 1)));
  };
}

/** PHMINPOSUW: the least word and its place. */
const phminposuw: Translate = (t, i) => {
  const { ir } = t;
  const v = read128(t, i, 1);
  let least: Value | undefined;
  for (let n = 0; n < 8; n++) {
    const x = ir.orI(ir.shlI(ir.vector(EXTRACT[2]!, v, undefined, undefined, n), 3), n);
    least = least === undefined ? x : ir.movcond("ltu", x, least, x, least);
  }
  const packed = ir.or(ir.shrI(least!, 3), ir.shlI(ir.andI(least!, 7), 16));
  setLow(t, i, i.operands[0].n, ir.vector(ops.i32x4_replace_lane, zeros(ir), packed));
};

/** MPSADBW: eight sums of four differences, against one group of four bytes of the second operand. */
const mpsadbw: Translate = (t, i) => {
  const { ir } = t;
  const k = first(i);
  const b = readVec(t, i, k + 1);
  const a = readVec(t, i, k);
  writeVec(t, i, 0, a.map((v, h) => {
    const imm = immediate(i) >> (3 * h);
    const [from, group] = [imm & 4, 4 * (imm & 3)];
    let sum: Value | undefined;
    for (let n = 0; n < 4; n++) {
      const x = ir.shuffle(v, v, Array.from({ length: 16 }, (_, m) => (from + n + m) & 15));
      const y = ir.shuffle(b[h]!, b[h]!, Array.from({ length: 16 }, () => group + n));
      const [p, q] = [ir.vector(ops.i16x8_extend_low_i8x16_u, x), ir.vector(ops.i16x8_extend_low_i8x16_u, y)];
      const d = ir.vector(ops.i16x8_abs, ir.vector(ops.i16x8_sub, p, q));
      sum = sum === undefined ? d : ir.vector(ops.i16x8_add, sum, d);
    }
    return sum!;
  })); // prettier-ignore
};

// ---- SSE4a: fields of the low quadword; the high one, which the manual leaves undefined, becomes 0 as processors have it

/** Length (0: 64) and start of a field, constants or in the low bytes of a vector's quadword, as mask and shift. */
function field(t: Tx, source: Value | undefined, length: number, start: number): { mask: Value; start: Value } {
  const { ir } = t;
  if (source === undefined) {
    const bits = length & 63;
    return { mask: ir.const64(bits === 0 ? -1n : (1n << BigInt(bits)) - 1n), start: ir.const64(BigInt(start & 63)) };
  }
  const bits = ir.andI(source, 63);
  const ones = ir.sub(ir.shl(ir.const64(1n), bits), ir.const64(1n));
  const mask = ir.movcond("eq", bits, ir.const64(0n), ir.const64(-1n), ones);
  return { mask, start: ir.extract(source, 8, 6) };
}
const low = (t: Tx, n: number): Value => t.ir.vector(ops.i64x2_extract_lane, vec(t, n));

const extrq: Translate = (t, i) => {
  const { ir } = t;
  const n = i.operands[0].n;
  const control = i.operandCount === 2 ? low(t, i.operands[1].n) : undefined;
  const { mask, start } = field(t, control, i.immLo, i.imm2);
  const v = ir.and(ir.shr(low(t, n), start), mask);
  setLow(t, i, n, ir.vector(ops.i64x2_replace_lane, zeros(ir), v));
};
const insertq: Translate = (t, i) => {
  const { ir } = t;
  const [to, from] = i.operands;
  const control =
    i.operandCount === 2 ? ir.vector(ops.i64x2_extract_lane, vec(t, from.n), undefined, undefined, 1) : undefined;
  const { mask, start } = field(t, control, i.immLo, i.imm2);
  const place = ir.shl(mask, start);
  const v = ir.or(ir.andc(low(t, to.n), place), ir.shl(ir.and(low(t, from.n), mask), start));
  setLow(t, i, to.n, ir.vector(ops.i64x2_replace_lane, zeros(ir), v));
};

export const elements = {
  ...both({
    pextrb: extract(1), pextrw: extract(2), pextrd: extract(0), extractps: extract(4),
    pinsrb: insert(1), pinsrw: insert(2), pinsrd: insert(0), insertps,
    ptest: test(undefined), phminposuw, mpsadbw,
  }),
  pextrq: extract(8), pinsrq: insert(8), vtestps: test(ops.i32x4_shr_s), vtestpd: test(ops.i64x2_shr_s), extrq, insertq,
}; // prettier-ignore
