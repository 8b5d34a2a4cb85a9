/** Moves, conversions, conditional moves, flags as such. Source: Intel SDM volume 2 (2023), chapters 3 to 5. */
import { MEM_OPS, type Cond, type MemOp, type Value } from "@mimus/tcg";
import { OPERAND } from "../insn.ts";
import { FLAG, REG } from "../state.ts";
import type { Translate, Tx } from "./tx.ts";
import { memOf, signedMemOf } from "./width.ts";

const sizeOf = (t: Tx): number => t.i.operands[0]!.size;

const mov: Translate = (t) => t.write(0, t.read(1, sizeOf(t)));

const movzx: Translate = (t) => t.write(0, t.zext(t.read(1), sizeOf(t)));

/** Operand 1 sign-extended to the size of operand 0. */
const movsx: Translate = (t) => {
  const to = sizeOf(t);
  const from = t.i.operands[1].size;
  if (t.i.operands[1].kind === OPERAND.mem) {
    const type = to === 8 ? "i64" : "i32";
    return t.write(0, t.ir.ld(type, signedMemOf(from), t.address(1, "r"), t.mmu));
  }
  t.write(0, widen(t, t.read(1), from, to));
};

/** A value of `from` bytes, sign-extended to operands of `to` bytes. */
function widen(t: Tx, v: Value, from: number, to: number): Value {
  const narrow = from === 8 ? v : t.sext(v, from);
  return to === 8 && from !== 8 ? t.ir.extI32(narrow) : narrow;
}

const lea: Translate = (t) => {
  const size = sizeOf(t);
  const offset = t.effective();
  t.write(0, size === 8 ? offset : t.low(offset));
};

/** CBW, CWDE, CDQE. */
const cbw: Translate = (t, i) => {
  const half = i.opSize >> 1;
  t.setReg(REG.ax, i.opSize, widen(t, t.reg(REG.ax, half), half, i.opSize));
};

/** CWD, CDQ, CQO. */
const cwd: Translate = (t, i) => {
  const size = i.opSize;
  const sign = t.ir.sarI(t.sext(t.reg(REG.ax, size), size), size === 8 ? 63 : 31);
  t.setReg(REG.dx, size, sign);
};

const xlat: Translate = (t, i) => {
  const { ir } = t;
  const offset = t.cut(ir.add(t.wordReg(REG.bx), t.toWord(t.reg(REG.ax, 1))), i.adSize);
  t.setReg(REG.ax, 1, t.load("u8", t.segAddress(i.mem.seg, offset, 1, "r")));
};

/** Of 16 bits: the result is 0, as CPUs have it. */
const bswap: Translate = (t, i) => {
  const v = t.read(0);
  t.write(0, i.opSize === 8 ? t.ir.bswap64(v) : i.opSize === 4 ? t.ir.bswap32(v) : t.ir.const32(0));
};

const BIG: Readonly<Record<number, MemOp>> = { 2: "u16be", 4: "u32be", 8: "u64be" };
const movbe: Translate = (t) => {
  const mem = BIG[sizeOf(t)]!;
  if (t.i.operands[0].kind === OPERAND.mem) return t.ir.st(mem, t.address(0, "w"), t.read(1), t.mmu);
  t.write(0, t.ir.ld(MEM_OPS[mem].bytes === 8 ? "i64" : "i32", mem, t.address(1, "r"), t.mmu));
};

const setcc: Translate = (t, i) => t.write(0, t.cond(i.opcode & 15));

const SIGNED: ReadonlySet<Cond> = new Set<Cond>(["lt", "le", "gt", "ge"]);

/** The move of 32 bits clears the upper half in any case. */
const cmovcc: Translate = (t, i) => {
  const yes = t.read(1);
  const no = t.read(0);
  const { cond, a, b } = t.comparison(i.opcode & 15);
  t.write(0, select(t, cond, a, b, yes, no));
};

/** `yes` or `no` by a comparison that may be of another width. */
function select(t: Tx, cond: Cond, a: Value, b: Value, yes: Value, no: Value): Value {
  const { ir } = t;
  const wide = ir.typeOf(yes) === "i64";
  if (wide === (ir.typeOf(a) === "i64")) return ir.movcond(cond, a, b, yes, no);
  if (!wide) return ir.extrl(ir.movcond(cond, a, b, ir.extuI32(yes), ir.extuI32(no)));
  const extend = (v: Value): Value => (SIGNED.has(cond) ? ir.extI32(v) : ir.extuI32(v));
  return ir.movcond(cond, extend(a), extend(b), yes, no);
}

const nop: Translate = () => {};

const KEPT = FLAG.cf | FLAG.pf | FLAG.af | FLAG.zf | FLAG.sf;
const lahf: Translate = (t) => {
  const bits = t.ir.andI(t.eflagsValue(), KEPT);
  t.setReg(REG.ax, 1, t.ir.orI(bits, 2), true);
};
const sahf: Translate = (t) => {
  const { ir } = t;
  const overflow = ir.andI(t.eflagsValue(), FLAG.of);
  t.setFlagBits(ir.or(overflow, ir.andI(t.reg(REG.ax, 1, true), KEPT)));
};
const clc: Translate = (t) => t.lazy.setCarry(t.ir.const32(0));
const stc: Translate = (t) => t.lazy.setCarry(t.ir.const32(1));
const cmc: Translate = (t) => t.lazy.setCarry(t.ir.xorI(t.lazy.cf(), 1));
const cld: Translate = (t) => t.ir.set("df", t.ir.const32(1));
const std: Translate = (t) => t.ir.set("df", t.ir.const32(-1));
const salc: Translate = (t) => t.setReg(REG.ax, 1, t.ir.neg(t.lazy.cf()));

const movnti: Translate = (t) => t.store(memOf(sizeOf(t)), t.address(0, "w"), t.read(1));

/** Translators of chapter "general", the part that sets no flags by arithmetic. */
export const move = {
  mov, movzx, movsx, movsxd: movsx, lea, cbw, cwd, xlat, bswap, movbe, setcc, cmovcc, nop,
  lahf, sahf, clc, stc, cmc, cld, std, salc, movnti, movdiri: movnti,
  pause: (t) => t.endToLoop("yield"),
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
