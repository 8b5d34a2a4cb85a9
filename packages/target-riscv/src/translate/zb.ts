import type { Translators } from "@mimus/decodetree";
import type { Cond, Value } from "@mimus/tcg";
import type { zba, zba64, zbb, zbb32, zbb64, zbc, zbs, zbs32, zbs64 } from "../decode/zb.ts";
import type { Block } from "./block.ts";
import { word, wordImmediate } from "./rv64i.ts";

type Registers = { readonly rd: number; readonly rs1: number; readonly rs2: number };
type Immediate = { readonly rd: number; readonly rs1: number; readonly imm: number };
type Unary = { readonly rd: number; readonly rs1: number };
type Operation = (b: Block, x: Value, y: Value) => Value;

const binary =
  (op: Operation) =>
  (b: Block, { rd, rs1, rs2 }: Registers): void =>
    b.setX(rd, op(b, b.x(rs1), b.x(rs2)));
const constant =
  (op: Operation) =>
  (b: Block, { rd, rs1, imm }: Immediate): void =>
    b.setX(rd, op(b, b.x(rs1), b.imm(imm)));
const unary =
  (op: (b: Block, x: Value) => Value) =>
  (b: Block, { rd, rs1 }: Unary): void =>
    b.setX(rd, op(b, b.x(rs1)));

const shiftAdd =
  (n: number): Operation =>
  (b, x, y) =>
    b.ir.add(b.ir.shl(x, b.imm(n)), y);
const shiftAddWord =
  (n: number): Operation =>
  (b, x, y) =>
    b.ir.add(b.ir.shl(b.ir.ext32u(x), b.imm(n)), y);
const choose =
  (cond: Cond): Operation =>
  (b, x, y) =>
    b.ir.movcond(cond, x, y, x, y);

/** Zba. Source: Bit-Manipulation 1.0.0, ch. 2. */
export const translateZba: Translators<Block, typeof zba.insns> = {
  sh1add: binary(shiftAdd(1)),
  sh2add: binary(shiftAdd(2)),
  sh3add: binary(shiftAdd(3)),
};
/** Zba of RV64: rs1 is an unsigned word. */
export const translateZba64: Translators<Block, typeof zba64.insns> = {
  add_uw: binary(shiftAddWord(0)),
  sh1add_uw: binary(shiftAddWord(1)),
  sh2add_uw: binary(shiftAddWord(2)),
  sh3add_uw: binary(shiftAddWord(3)),
  slli_uw: constant((b, x, y) => b.ir.shl(b.ir.ext32u(x), y)),
};

/**
 * Each byte becomes 0xff when it has a bit set. The sum carries into bit 7 of a byte exactly when its low seven bits
 * are not all zero; multiplying the byte's flag by 255 fills it.
 */
function orCombine(b: Block, x: Value): Value {
  const { ir } = b;
  const low = b.imm(b.rv64 ? 0x7f7f7f7f7f7f7f7fn : 0x7f7f7f7fn);
  const flags = ir.andc(ir.or(ir.add(ir.and(x, low), low), x), low);
  return ir.mul(ir.shr(flags, b.imm(7)), b.imm(255));
}

/** Zbb of both widths. */
export const translateZbb: Translators<Block, typeof zbb.insns> = {
  andn: binary((b, x, y) => b.ir.andc(x, y)),
  orn: binary((b, x, y) => b.ir.orc(x, y)),
  xnor: binary((b, x, y) => b.ir.eqv(x, y)),
  clz: unary((b, x) => b.ir.clz(x)),
  ctz: unary((b, x) => b.ir.ctz(x)),
  cpop: unary((b, x) => b.ir.ctpop(x)),
  sext_b: unary((b, x) => b.ir.ext8s(x)),
  sext_h: unary((b, x) => b.ir.ext16s(x)),
  max: binary(choose("gt")),
  maxu: binary(choose("gtu")),
  min: binary(choose("lt")),
  minu: binary(choose("ltu")),
  rol: binary((b, x, y) => b.ir.rotl(x, y)),
  ror: binary((b, x, y) => b.ir.rotr(x, y)),
  orc_b: unary(orCombine),
};

const zextH = unary((b, x) => b.ir.ext16u(x));
const rori = constant((b, x, y) => b.ir.rotr(x, y));
/** Zbb encodings of RV32. */
export const translateZbb32: Translators<Block, typeof zbb32.insns> = {
  zext_h: zextH,
  rev8: unary((b, x) => b.ir.bswap32(x)),
  rori,
};

/** Rotate a word: both halves of the register hold it, so that a 64-bit shift brings the bits around. */
const doubled = (b: Block, x: Value): Value => b.ir.deposit(b.ir.ext32u(x), x, 32, 32);
const rotateRight: Operation = (b, x, y) => b.ir.shr(doubled(b, x), b.ir.and(y, b.imm(31)));
const rotateLeft: Operation = (b, x, y) => b.ir.shr(b.ir.shl(doubled(b, x), b.ir.and(y, b.imm(31))), b.imm(32));

/** Zbb of RV64. */
export const translateZbb64: Translators<Block, typeof zbb64.insns> = {
  zext_h: zextH,
  rev8: unary((b, x) => b.ir.bswap64(x)),
  rori,
  clzw: unary((b, x) => b.ir.sub(b.ir.clz(b.ir.ext32u(x)), b.imm(32))),
  ctzw: unary((b, x) => b.ir.ctz(b.ir.or(x, b.imm(1n << 32n)))),
  cpopw: unary((b, x) => b.ir.ctpop(b.ir.ext32u(x))),
  rolw: word(rotateLeft),
  rorw: word(rotateRight),
  roriw: wordImmediate(rotateRight),
};

/** Zbc: the bits of the carry-less product that an instruction returns. */
export const translateZbc: Translators<Block, typeof zbc.insns> = {
  clmul: binary((b, x, y) => b.ir.call("clmul", x, y)),
  clmulh: binary((b, x, y) => b.ir.call("clmulh", x, y)),
  clmulr: binary((b, x, y) => b.ir.call("clmulr", x, y)),
};

const bit = (b: Block, y: Value): Value => b.ir.shl(b.imm(1), y);
const clear: Operation = (b, x, y) => b.ir.andc(x, bit(b, y));
const test: Operation = (b, x, y) => b.ir.and(b.ir.shr(x, y), b.imm(1));
const invert: Operation = (b, x, y) => b.ir.xor(x, bit(b, y));
const set: Operation = (b, x, y) => b.ir.or(x, bit(b, y));

/** Zbs by register. */
export const translateZbs: Translators<Block, typeof zbs.insns> = {
  bclr: binary(clear),
  bext: binary(test),
  binv: binary(invert),
  bset: binary(set),
};
/** Zbs by constant. */
export const translateZbsImmediate: Translators<Block, typeof zbs32.insns> & Translators<Block, typeof zbs64.insns> = {
  bclri: constant(clear),
  bexti: constant(test),
  binvi: constant(invert),
  bseti: constant(set),
};
