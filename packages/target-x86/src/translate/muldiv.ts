/** Multiplication and division. Source: Intel SDM volume 2 (2023), chapters 3 and 4. */
import type { Value } from "@mimus/tcg";
import { REG } from "../state.ts";
import type { Translate, Tx } from "./tx.ts";

/** #DE. */
const DIVIDE_ERROR = 0;

/** Product of the accumulator; CF and OF tell whether the upper half says more than the lower. */
const mul: Translate = (t) => {
  const { ir } = t;
  const size = t.i.operands[0].size;
  const src = t.read(0);
  const a = t.reg(REG.ax, size);
  let low: Value;
  let high: Value;
  if (size === 8) {
    low = ir.mul(a, src);
    high = ir.muluh(a, src);
  } else if (size === 4) {
    const product = ir.mul(ir.extuI32(a), ir.extuI32(src));
    low = ir.extrl(product);
    high = ir.extrl(ir.shrI(product, 32));
  } else {
    low = ir.mul(a, src);
    high = ir.shrI(low, 8 * size);
  }
  setProduct(t, size, low, high);
  t.setFlags("mul", size, { dst: low, src: high });
};

function setProduct(t: Tx, size: number, low: Value, high: Value): void {
  if (size === 1) return t.setReg(REG.ax, 2, low);
  t.setReg(REG.ax, size, low);
  t.setReg(REG.dx, size, high);
}

/** The low half of a signed product, and its high half less the sign of the low one: 0 when nothing is lost. */
interface Product {
  readonly low: Value;
  readonly high: Value;
  readonly lost: Value;
}
function signedProduct(t: Tx, size: number, a: Value, b: Value): Product {
  const { ir } = t;
  if (size === 8) {
    const low = ir.mul(a, b);
    const high = ir.mulsh(a, b);
    return { low, high, lost: ir.sub(high, ir.sarI(low, 63)) };
  }
  if (size === 4) {
    const product = ir.mul(ir.extI32(a), ir.extI32(b));
    const low = ir.extrl(product);
    const high = ir.extrl(ir.shrI(product, 32));
    return { low, high, lost: ir.sub(high, ir.sarI(low, 31)) };
  }
  const low = ir.mul(t.sext(a, size), t.sext(b, size));
  const high = ir.sarI(low, 8 * size);
  return { low, high, lost: ir.sub(low, t.sext(low, size)) };
}

const imul1: Translate = (t) => {
  const size = t.i.operands[0].size;
  const { low, high, lost } = signedProduct(t, size, t.reg(REG.ax, size), t.read(0));
  setProduct(t, size, low, high);
  t.setFlags("mul", size, { dst: low, src: t.ir.setcondI("ne", lost, 0) });
};

/** Two and three operands. */
const imul: Translate = (t, i) => {
  const size = i.operands[0].size;
  const three = i.operandCount === 3;
  const a = t.read(three ? 1 : 0);
  const b = three ? t.read(2, size) : t.read(1);
  const { low, lost } = signedProduct(t, size, a, b);
  t.write(0, low);
  t.setFlags("mul", size, { dst: low, src: t.ir.setcondI("ne", lost, 0) });
};

function setQuotient(t: Tx, size: number, quotient: Value, remainder: Value): void {
  const { ir } = t;
  if (size === 1) {
    const both = ir.or(ir.ext8u(quotient), ir.shlI(ir.ext8u(remainder), 8));
    return t.setReg(REG.ax, 2, both);
  }
  t.setReg(REG.ax, size, quotient);
  t.setReg(REG.dx, size, remainder);
}

/** Sets both results from the quotient: a second division would take the host longer than a multiplication. */
function setFromQuotient(t: Tx, size: number, a: Value, quotient: Value, d: Value): void {
  setQuotient(t, size, quotient, t.ir.sub(a, t.ir.mul(quotient, d)));
}

/** The dividend of 1 or 2 bytes' division as i32, of 4 as i64. */
function dividend(t: Tx, size: number): Value {
  const { ir } = t;
  if (size === 1) return t.reg(REG.ax, 2);
  const low = t.reg(REG.ax, size);
  const high = t.reg(REG.dx, size);
  if (size === 2) return ir.or(low, ir.shlI(high, 16));
  return ir.or(ir.extuI32(low), ir.shlI(ir.extuI32(high), 32));
}

const div: Translate = (t) => {
  const { ir } = t;
  const size = t.i.operands[0].size;
  const src = t.read(0);
  const high = size === 1 ? t.reg(REG.ax, 1, true) : t.reg(REG.dx, size);
  // A quotient fits exactly when the upper half is below the divisor; that also excludes 0.
  t.raiseIf("geu", high, src, DIVIDE_ERROR);
  if (size < 4) {
    const a = dividend(t, size);
    return setFromQuotient(t, size, a, ir.divu(a, src), src);
  }
  const low = t.reg(REG.ax, size);
  if (t.known(high) === 0) return setFromQuotient(t, size, low, ir.divu(low, src), src);
  const wide = size === 8 ? t.call("udiv128", high, low, src) : ir.divu(dividend(t, 4), ir.extuI32(src));
  setFromQuotient(t, size, low, size === 8 ? wide : ir.extrl(wide), src);
};

/** The upper half was made of the lower's sign by CWD, CDQ, CQO just before. */
function isSignExtended(t: Tx, size: number): boolean {
  const ops = t.ir.block.ops;
  let v: Value = t.reg(REG.dx, size);
  let a: Value = t.reg(REG.ax, size);
  const through = (x: Value): Value => {
    const op = ops[x]!;
    if (op.spec.name !== "extrl") return x;
    const inner = ops[op.a]!;
    return inner.spec.name === "extu_i32" ? inner.a : x;
  };
  v = through(v);
  a = through(a);
  const op = ops[v]!;
  if (op.spec.name !== "sar") return false;
  const origin = ops[op.a]!;
  const same = op.a === a || (origin.spec === ops[a]!.spec && origin.a === ops[a]!.a && origin.spec.name === "extrl");
  return same && t.ir.isConst(op.b, size === 8 ? 63 : 31);
}

const idiv: Translate = (t) => {
  const { ir } = t;
  const size = t.i.operands[0].size;
  const src = t.read(0);
  if (size < 4) {
    const d = t.sext(src, size);
    t.raiseIf("eq", d, ir.const32(0), DIVIDE_ERROR);
    const a = size === 1 ? t.sext(dividend(t, 1), 2) : dividend(t, 2);
    const quotient = ir.div(a, d);
    // −2³¹ ÷ −1 is −2³¹ here, which does not fit either.
    t.raiseIf("ne", t.sext(quotient, size), quotient, DIVIDE_ERROR);
    return setFromQuotient(t, size, a, quotient, d);
  }
  if (isSignExtended(t, size)) {
    const a = t.reg(REG.ax, size);
    t.raiseIf("eq", src, t.sized(size, 0), DIVIDE_ERROR);
    const lowest = size === 8 ? ir.constBits("i64", 0, 1 << 31) : ir.const32(1 << 31);
    const overflow = ir.or(ir.xor(a, lowest), ir.not(src));
    t.raiseIf("eq", overflow, t.sized(size, 0), DIVIDE_ERROR);
    return setFromQuotient(t, size, a, ir.div(a, src), src);
  }
  if (size === 4) {
    const d = ir.extI32(src);
    t.raiseIf("eq", src, ir.const32(0), DIVIDE_ERROR);
    const a = dividend(t, 4);
    const quotient = ir.div(a, d);
    t.raiseIf("ne", ir.ext32s(quotient), quotient, DIVIDE_ERROR);
    return setFromQuotient(t, 4, t.reg(REG.ax, 4), ir.extrl(quotient), src);
  }
  idiv64(t, src);
};

/** 128 by 64 bits: of the absolute values, unsigned. */
function idiv64(t: Tx, src: Value): void {
  const { ir } = t;
  const zero = ir.constant("i64", 0);
  const high = t.reg(REG.dx, 8);
  const low = t.reg(REG.ax, 8);
  const signA = ir.sarI(high, 63);
  const signD = ir.sarI(src, 63);
  const d = ir.sub(ir.xor(src, signD), signD);
  // Two's complement of the pair: invert, add 1 with carry.
  const lowAbs = ir.sub(ir.xor(low, signA), signA);
  const carry = ir.and(ir.setcond("eq", lowAbs, zero), ir.neg(signA));
  const highAbs = ir.add(ir.xor(high, signA), carry);
  t.raiseIf("geu", highAbs, d, DIVIDE_ERROR);
  const signQ = ir.xor(signA, signD);
  const magnitude = t.call("udiv128", highAbs, lowAbs, d);
  const quotient = ir.sub(ir.xor(magnitude, signQ), signQ);
  // Its sign is wrong when the magnitude does not fit.
  const some = ir.negsetcond("ne", magnitude, zero);
  t.raiseIf("lt", ir.and(ir.xor(quotient, signQ), some), zero, DIVIDE_ERROR);
  const rest = ir.sub(lowAbs, ir.mul(magnitude, d));
  setQuotient(t, 8, quotient, ir.sub(ir.xor(rest, signA), signA));
}

/** Translators of the multiplications and divisions of chapter "general". */
export const muldiv = { mul, imul1, imul, div, idiv } satisfies Readonly<Record<string, Translate>>;
