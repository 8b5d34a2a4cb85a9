/** Near branches. Source: Intel SDM volume 2 (2023), chapters 3 and 4. */
import type { Label, Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../insn.ts";
import { HF, REG, SEG, SEG_FIELD, segOffset } from "../state.ts";
import { peek, setStack, stackOffset } from "./stack.ts";
import type { Translate, Tx } from "./tx.ts";

const LIMIT = segOffset(SEG.cs) + SEG_FIELD.limit;

/** 64-bit code: half of the canonical addresses' number. */
const HALF = 2 ** 47;

/** The offset in CS is within its limit, is canonical, or #GP(0). */
function withinLimit(t: Tx, ip: Value): void {
  if (t.code === 64) {
    return t.raiseIf("geu", t.ir.addI(ip, HALF), t.imm(2 * HALF), 13, 0);
  }
  if ((t.flags & HF.checkSeg) === 0) return;
  t.raiseIf("gtu", t.low(ip), t.ir.envLd("i32", "u32", LIMIT), 13, 0);
}

/** Goes on `rel` bytes behind the instruction; `slot` is the chain slot. */
function relative(t: Tx, i: Insn, slot: 0 | 1): void {
  const { ir } = t;
  if (i.opSize !== 2) {
    if (t.code !== 64 && (t.flags & HF.checkSeg) !== 0) withinLimit(t, t.ipOf(t.pcAt(i.length + i.immLo)));
    return t.jumpBy(slot, i.length + i.immLo);
  }
  const target = t.pcAt(i.length + i.immLo);
  if ((t.flags & HF.csBase) === 0) return t.jump(slot, target & 0xffffn);
  // IP wraps at 16 bits, which the linear address shows once the base is known.
  const ip = t.ipOf(target);
  const wrapped = ir.label();
  ir.brcond("gtu", ip, t.imm(0xffff), wrapped, true);
  t.jump(slot, target);
  ir.place(wrapped);
  t.jumpTo(t.cut(ir.add(ir.andI(ip, 0xffff), ir.get("cs_base")), 4));
}

/** Goes on at an offset in CS: of `size` bytes, of the word type or i32. */
function toOffset(t: Tx, offset: Value, size: number, hint: "call" | "return" | "indirect"): void {
  const { ir } = t;
  const ip = t.cut(t.toWord(offset), size);
  if (t.code === 64) return t.jumpTo(ip, hint);
  t.jumpTo((t.flags & HF.csBase) === 0 ? ip : t.cut(ir.add(ip, ir.get("cs_base")), 4), hint);
}

function done(t: Tx): void {
  t.ctx.done = true;
}

/** Slot 0 is the way on, slot 1 the target. */
function conditional(t: Tx, i: Insn, branch: (taken: Label) => void): void {
  const taken = t.ir.label();
  branch(taken);
  t.jumpBy(0, i.length);
  t.ir.place(taken);
  relative(t, i, 1);
  done(t);
}

const jcc: Translate = (t, i) => conditional(t, i, (taken) => t.brcondFlags(i.opcode & 15, taken));

/** The counter is (E/R)CX by the address size. */
const loop =
  (condition: number | undefined): Translate =>
  (t, i) => {
    const { ir } = t;
    const count = t.cut(ir.addI(t.addressReg(REG.cx, i.adSize), -1), i.adSize);
    const out = ir.label();
    const c = condition === undefined ? undefined : t.comparison(condition ^ 1);
    t.setAddressReg(REG.cx, i.adSize, count);
    conditional(t, i, (taken) => {
      if (c !== undefined) ir.brcond(c.cond, c.a, c.b, out);
      ir.brcondI("ne", count, 0, taken);
      if (c !== undefined) ir.place(out);
    });
  };

const jcxz: Translate = (t, i) =>
  conditional(t, i, (taken) => t.ir.brcondI("eq", t.addressReg(REG.cx, i.adSize), 0, taken));

const jmp: Translate = (t, i) => {
  relative(t, i, 0);
  done(t);
};

/** Pushes the address of the next instruction. The stack pointer changes after the store. */
function pushReturn(t: Tx, i: Insn): void {
  const ip = t.ipNext();
  t.push(i.opSize === 8 ? ip : t.low(ip), i.opSize);
}

const call: Translate = (t, i) => {
  done(t);
  const offset = i.length + i.immLo;
  if (i.opSize === 2) {
    const target = t.code === 64 ? t.pcValue(t.pcAt(offset) & 0xffffn) : t.cut(t.ipOf(t.pcAt(offset)), 2);
    withinLimit(t, target);
    pushReturn(t, i);
    return toOffset(t, target, 2, "call");
  }
  if (t.code !== 64 && (t.flags & HF.checkSeg) !== 0) withinLimit(t, t.ipOf(t.pcAt(offset)));
  pushReturn(t, i);
  // CALL of the next instruction is how position-independent code of i386 learns where it is: no call that returns.
  if (i.immLo === 0) return t.jumpBy(0, offset);
  t.jumpTo(t.pcValueAt(offset), "call");
};

/** The offset of a target that stands in a register or in memory, of the word type. */
function targetOffset(t: Tx, i: Insn, v: Value): Value {
  const ip = t.cut(t.toWord(v), i.opSize);
  withinLimit(t, ip);
  return ip;
}

const callInd: Translate = (t, i) => {
  const ip = targetOffset(t, i, t.read(0, i.opSize));
  pushReturn(t, i);
  toOffset(t, ip, i.opSize, "call");
  done(t);
};

const jmpInd: Translate = (t, i) => {
  toOffset(t, targetOffset(t, i, t.read(0, i.opSize)), i.opSize, "indirect");
  done(t);
};

const ret: Translate = (t, i) => {
  const ip = targetOffset(t, i, peek(t, i.opSize));
  const extra = i.operandCount > 0 && i.operands[0].kind === OPERAND.imm ? i.immLo & 0xffff : 0;
  setStack(t, stackOffset(t, i.opSize + extra));
  toOffset(t, ip, i.opSize, "return");
  done(t);
};

const int3: Translate = (t) => {
  t.trap(3, true);
  done(t);
};

const into: Translate = (t) => {
  const { cond, a, b } = t.comparison(0);
  t.rarely(cond, a, b, () => t.trap(4, true));
};

/** The index is signed; the bounds stand in memory, lower first. */
const bound: Translate = (t, i) => {
  const { ir } = t;
  const size = i.opSize;
  const index = t.sext(t.read(0), size);
  const address = t.linear(i, 2 * size, "r");
  const mem = size === 2 ? "s16" : "u32";
  const low = t.load(mem, address);
  const high = t.load(mem, t.cut(ir.addI(address, size), 4));
  const bad = (cond: "lt" | "gt", limit: Value): void => t.raiseIf(cond, index, limit, 5);
  bad("lt", low);
  bad("gt", high);
};

/** Translators of chapter "branch", but for far transfers. */
export const branch = {
  jcc, jmp, call, ret, jcxz, int3, into, bound,
  loop: loop(undefined),
  loope: loop(4),
  loopne: loop(5),
  jmp_ind: jmpInd,
  call_ind: callInd,
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
