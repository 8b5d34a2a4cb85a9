/** Arithmetic, logic and exchanges. Source: Intel SDM volume 2 (2023), chapters 3 to 5. */
import type { Value } from "@mimus/tcg";
import { OPERAND } from "../insn.ts";
import { REG } from "../state.ts";
import { addWithCarry, subtractWithBorrow } from "./carry.ts";
import type { Translate, Tx } from "./tx.ts";
import { memOf } from "./width.ts";

const sizeOf = (t: Tx): number => t.i.operands[0]!.size;

/** Both operands are the same register: what is subtracted from itself is 0. */
function sameRegister(t: Tx): boolean {
  const [a, b] = t.i.operands;
  return a.kind === OPERAND.reg && b.kind === OPERAND.reg && a.n === b.n && a.high === b.high;
}

function clear(t: Tx): void {
  t.write(0, t.sized(sizeOf(t), 0));
  t.setFlags("clear", 1, {});
}

const add: Translate = (t) => {
  const size = sizeOf(t);
  const src = t.read(1, size);
  const dst = t.rmw(0, (old) => t.ir.add(old, src));
  t.setFlags("add", size, { dst, src });
};

const adc: Translate = (t) => {
  const size = sizeOf(t);
  const src = t.read(1, size);
  const carryIn = t.lazy.cf();
  let carry = carryIn;
  const dst = t.rmw(0, (old) => {
    const sum = addWithCarry(t, size, old, src, carryIn);
    carry = sum.carry;
    return sum.value;
  });
  t.setFlags("adc", size, { dst, src, src2: t.zext(carryIn, size), carry });
};

const sbb: Translate = (t) => {
  const size = sizeOf(t);
  const borrowIn = t.lazy.cf();
  const src2 = t.zext(borrowIn, size);
  if (sameRegister(t)) {
    const src = t.read(1, size);
    const dst = t.ir.neg(src2);
    t.write(0, dst);
    return t.setFlags("sbb", size, { dst, src, src2, first: src, carry: borrowIn });
  }
  const src = t.read(1, size);
  let first = src;
  let carry = borrowIn;
  const dst = t.rmw(0, (old) => {
    const difference = subtractWithBorrow(t, size, old, src, borrowIn);
    first = old;
    carry = difference.carry;
    return difference.value;
  });
  t.setFlags("sbb", size, { dst, src, src2, first, carry });
};

const sub: Translate = (t) => {
  if (sameRegister(t)) return clear(t);
  const size = sizeOf(t);
  const src = t.read(1, size);
  let first = src;
  const dst = t.rmw(0, (old) => t.ir.sub((first = old), src));
  t.setFlags("sub", size, { dst, src, first });
};

const cmp: Translate = (t) => {
  const size = sizeOf(t);
  const first = t.read(0);
  const src = t.read(1, size);
  t.setFlags("sub", size, { dst: t.ir.sub(first, src), src, first });
};

const logic =
  (op: "and" | "or" | "xor"): Translate =>
  (t) => {
    const size = sizeOf(t);
    if (sameRegister(t)) {
      if (op === "xor") return clear(t);
      const dst = t.read(0);
      t.write(0, dst);
      return t.setFlags("logic", size, { dst });
    }
    const src = t.read(1, size);
    const dst = t.rmw(0, (old) => t.ir[op](old, src));
    t.setFlags("logic", size, { dst });
  };

const test: Translate = (t) => {
  const size = sizeOf(t);
  const a = t.read(0);
  t.setFlags("logic", size, { dst: sameRegister(t) ? a : t.ir.and(a, t.read(1, size)) });
};

const step =
  (kind: "inc" | "dec"): Translate =>
  (t) => {
    const size = sizeOf(t);
    const setFlags = t.lazy.step(kind, size);
    setFlags(t.rmw(0, (old) => t.ir.addI(old, kind === "inc" ? 1 : -1)));
  };

const neg: Translate = (t) => {
  const size = sizeOf(t);
  let src: Value | undefined;
  const dst = t.rmw(0, (old) => t.ir.neg((src = old)));
  t.setFlags("sub", size, { dst, src: src!, first: t.sized(size, 0) });
};

const not: Translate = (t) => void t.rmw(0, (old) => t.ir.not(old));

const xadd: Translate = (t) => {
  const size = sizeOf(t);
  const o = t.i.operands[0];
  const src = t.read(1);
  if (o.kind === OPERAND.reg) {
    const old = t.read(0);
    const dst = t.ir.add(old, src);
    t.write(1, old);
    t.write(0, dst);
    return t.setFlags("add", size, { dst, src });
  }
  let old: Value | undefined;
  const dst = t.rmw(0, (v) => t.ir.add((old = v), src));
  t.write(1, old!);
  t.setFlags("add", size, { dst, src });
};

const xchg: Translate = (t) => {
  const b = t.read(1);
  if (t.i.operands[0].kind === OPERAND.reg) {
    const a = t.read(0);
    t.write(0, b);
    return t.write(1, a);
  }
  let old: Value | undefined;
  t.alwaysLocked = true;
  t.rmw(0, (v) => {
    old = v;
    return b;
  });
  t.alwaysLocked = false;
  t.write(1, old!);
};

/** The destination is written in any case; the accumulator when they differ. */
const cmpxchg: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const o = t.i.operands[0];
  const src = t.read(1);
  const accumulator = t.reg(REG.ax, size);
  let old: Value;
  if (o.kind === OPERAND.reg) {
    old = t.read(0);
    // What is not written keeps its upper half too: each of the two registers is written in one case alone.
    const differ = t.toWord(ir.setcond("ne", accumulator, old));
    const zero = t.imm(0);
    const choose = (n: number, high: boolean, v: Value, cond: "eq" | "ne"): void => {
      const before = t.wordReg(n);
      t.setReg(n, size, v, high);
      t.setWordReg(n, ir.movcond(cond, differ, zero, t.wordReg(n), before));
    };
    choose(REG.ax, false, old, "ne");
    choose(o.n, o.high, src, "eq");
  } else {
    const address = t.address(0, "rw");
    if (t.locked) old = ir.cmpxchg(memOf(size), address, accumulator, src, t.mmu);
    else {
      old = t.load(memOf(size), address);
      t.store(memOf(size), address, ir.movcond("eq", accumulator, old, src, old));
    }
    const wide = t.wordReg(REG.ax);
    const same = t.toWord(ir.setcond("eq", accumulator, old));
    t.setReg(REG.ax, size, old);
    if (size === 4 && t.word === 64) t.setWordReg(REG.ax, ir.movcond("ne", same, t.imm(0), wide, t.wordReg(REG.ax)));
  }
  t.setFlags("sub", size, { dst: ir.sub(accumulator, old), src: old, first: accumulator });
};

/** Translators of chapter "general", the part that sets flags. */
export const alu = {
  add, adc, sub, sbb, cmp, test, neg, not, xadd, xchg, cmpxchg,
  and: logic("and"),
  or: logic("or"),
  xor: logic("xor"),
  inc: step("inc"),
  dec: step("dec"),
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
