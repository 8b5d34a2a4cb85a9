/** Shifts and rotations. Source: Intel SDM volume 2 (2023), chapter 4; what it leaves undefined is as AMD's Zen has it. */
import type { Value } from "@mimus/tcg";
import { FLAG } from "../state.ts";
import { OPERAND } from "../insn.ts";
import { ROTATIONS, type Rotated, type Rotation } from "./rotate.ts";
import type { FlagKind } from "./lazy-flags.ts";
import type { Translate, Tx } from "./tx.ts";

/** The count of a shift, cut as the operand's size wants it: a constant where it is known. */
export interface Count {
  /** Known count, -1 in a register. */
  readonly known: number;
  /** The count in the type of the operand. */
  readonly value: Value;
}

/** Operand `k` as the count of a shift of `size` bytes. */
export function countOf(t: Tx, k: number, size: number): Count {
  const mask = size === 8 ? 63 : 31;
  const o = t.i.operands[k]!;
  if (o.kind === OPERAND.reg) {
    const value = t.ir.andI(t.reg(o.n, 4), mask);
    return { known: -1, value: t.zext(value, size === 8 ? 8 : 4) };
  }
  const known = (o.kind === OPERAND.one ? 1 : t.i.immLo) & mask;
  return { known, value: t.sized(size, known) };
}

/** A result, and what the flags are computed of: the operand shifted by one less. */
export interface Shifted {
  readonly kind: FlagKind;
  readonly dst: Value;
  readonly src: Value;
}

/** Shifts operand 0; where the count is 0 the flags stay. */
export function shiftOperand(t: Tx, size: number, count: Count, fn: (old: Value) => Shifted): void {
  let shifted: Shifted | undefined;
  if (count.known === 0) return void t.rmw(0, (old) => old);
  t.rmw(0, (old) => (shifted = fn(old)).dst);
  const { kind, dst, src } = shifted!;
  if (count.known > 0) return t.setFlags(kind, size, { dst, src });
  setFlagsUnlessZero(t, size, count, shifted!);
}

/** The flags of a shift by a count that may be 0: then they are those of before. */
function setFlagsUnlessZero(t: Tx, size: number, count: Count, { kind, dst, src }: Shifted): void {
  const { ir, lazy } = t;
  const zero = t.imm(0);
  const n = t.word === 64 && ir.typeOf(count.value) === "i32" ? ir.extuI32(count.value) : count.value;
  const op = lazy.opValue();
  const oldDst = ir.get("cc_dst");
  const oldSrc = ir.get("cc_src");
  ir.set("cc_dst", ir.movcond("ne", n, zero, t.toWord(dst), oldDst));
  ir.set("cc_src", ir.movcond("ne", n, zero, t.toWord(src), oldSrc));
  const now = ir.const32(lazy.encode(kind, size));
  const narrow = t.low(n);
  lazy.setDynamic(ir.movcond("ne", narrow, ir.const32(0), now, op));
}

const shl: Translate = (t) => {
  const { ir } = t;
  const size = t.i.operands[0].size;
  const count = countOf(t, 1, size);
  shiftOperand(t, size, count, (old) => ({
    kind: "shl",
    dst: ir.shl(old, count.value),
    src: ir.shl(old, ir.addI(count.value, -1)),
  }));
};

const right =
  (signed: boolean): Translate =>
  (t) => {
    const { ir } = t;
    const size = t.i.operands[0].size;
    const count = countOf(t, 1, size);
    shiftOperand(t, size, count, (old) => {
      const v = signed ? t.sext(old, size) : old;
      const shift = (n: Value): Value => (signed ? ir.sar(v, n) : ir.shr(v, n));
      return { kind: "sar", dst: shift(count.value), src: shift(ir.addI(count.value, -1)) };
    });
  };

/** Rotations change CF and OF alone. */
const rotation =
  (fn: Rotation): Translate =>
  (t) => {
    const { ir } = t;
    const size = t.i.operands[0].size;
    const count = countOf(t, 1, size);
    if (count.known === 0) return void t.rmw(0, (old) => old);
    const flags = t.eflagsValue();
    let rotated: Rotated | undefined;
    t.rmw(0, (old) => (rotated = fn(t, size, old, count, flags)).value);
    const { carry, overflow } = rotated!;
    const others = ir.andI(flags, ~(FLAG.cf | FLAG.of));
    const now = ir.or(others, ir.or(carry, ir.shlI(overflow, 11)));
    t.setFlagBits(count.known > 0 ? now : ir.movcond("ne", t.low(count.value), ir.const32(0), now, flags));
  };

/** Translators of the shifts of chapter "bit". */
export const shift = {
  shl,
  shr: right(false),
  sar: right(true),
  rol: rotation(ROTATIONS.rol),
  ror: rotation(ROTATIONS.ror),
  rcl: rotation(ROTATIONS.rcl),
  rcr: rotation(ROTATIONS.rcr),
} satisfies Readonly<Record<string, Translate>>;
