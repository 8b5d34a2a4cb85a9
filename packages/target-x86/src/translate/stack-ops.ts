/** PUSH, POP and what builds and removes stack frames. Source: Intel SDM volume 2 (2023), chapters 3 and 4. */
import type { Value } from "@mimus/tcg";
import { OPERAND } from "../insn.ts";
import { HF, REG, SEG } from "../state.ts";
import { peek, push, setStack, stackOffset } from "./stack.ts";
import type { Translate, Tx } from "./tx.ts";
import { memOf } from "./width.ts";

/** PUSH ESP pushes what ESP was. */
const pushOperand: Translate = (t, i) => t.push(t.read(0, i.opSize), i.opSize);

/** POP to memory: an address with ESP in it sees the stack pointer after the pop, which a fault of the store undoes. */
const popOperand: Translate = (t, i) => {
  const size = i.opSize;
  const o = i.operands[0];
  if (o.kind === OPERAND.reg) return t.setReg(o.n, size, t.pop(size));
  const v = peek(t, size);
  t.spBias = size;
  t.store(memOf(size), t.address(0, "w"), v);
  t.spBias = 0;
  setStack(t, stackOffset(t, size));
};

/** Eight registers, the last at the lowest address; the first store that faults leaves none of them changed. */
const pusha: Translate = (t, i) => {
  const size = i.opSize;
  for (let n = 0; n < 8; n++) {
    const address = t.segAddress(SEG.ss, stackOffset(t, -size * (n + 1)), size, "w");
    t.store(memOf(size), address, t.reg(n, size));
  }
  setStack(t, stackOffset(t, -8 * size));
};

const popa: Translate = (t, i) => {
  const size = i.opSize;
  const values: Value[] = [];
  for (let n = 0; n < 8; n++) values.push(peek(t, size, size * (7 - n)));
  setStack(t, stackOffset(t, 8 * size));
  for (let n = 0; n < 8; n++) if (n !== REG.sp) t.setReg(n, size, values[n]!);
};

/** The frame pointers of outer levels are copied from the old frame; the new stack pointer must be writable. */
const enter: Translate = (t, i) => {
  const { ir } = t;
  const size = i.opSize;
  const room = i.immLo & 0xffff;
  const level = i.imm2 & 31;
  const width = t.stack >> 3;
  t.store(memOf(size), t.segAddress(SEG.ss, stackOffset(t, -size), size, "w"), t.reg(REG.bp, size));
  const frame = stackOffset(t, -size);
  if (level > 0) {
    for (let n = 1; n < level; n++) {
      const from = t.cut(ir.addI(t.wordReg(REG.bp), -size * n), width);
      const v = t.load(memOf(size), t.segAddress(SEG.ss, from, size, "r"));
      t.store(memOf(size), t.segAddress(SEG.ss, stackOffset(t, -size * (n + 1)), size, "w"), v);
    }
    const at = t.segAddress(SEG.ss, stackOffset(t, -size * (level + 1)), size, "w");
    t.store(memOf(size), at, size === 8 ? frame : t.low(frame));
  }
  const end = stackOffset(t, -size * (level + 1) - room);
  // Source: SDM, ENTER: a write of the final stack pointer is tried, and may fault.
  const probe = t.segAddress(SEG.ss, end, size, "rw");
  t.store(memOf(size), probe, t.load(memOf(size), probe));
  t.setReg(REG.bp, size, size === 8 ? frame : t.low(frame));
  setStack(t, end);
};

const leave: Translate = (t, i) => {
  const size = i.opSize;
  const width = t.stack >> 3;
  const at = t.addressReg(REG.bp, width);
  const v = t.load(memOf(size), t.segAddress(SEG.ss, at, size, "r"));
  setStack(t, t.cut(t.ir.addI(at, size), width));
  t.setReg(REG.bp, size, v);
};

/** In virtual-8086 mode PUSHF and POPF need IOPL 3, but for what VME does. */
function allowed(t: Tx): boolean {
  return (t.flags & HF.vm) === 0 || t.iopl === 3;
}

/** RF and VM are pushed as 0. */
const pushf: Translate = (t, i) => {
  const { ir } = t;
  if (!allowed(t)) {
    t.call("pushf_vme", ir.const32(i.opSize));
    return;
  }
  const down = ir.andI(ir.get("df"), 0x400);
  const v = ir.or(ir.or(ir.andI(ir.get("eflags"), ~0x30000), down), t.eflagsValue());
  push(t, i.opSize === 8 ? ir.extuI32(v) : v, i.opSize);
};

/** The value is on the stack until the helper has looked at it. */
const popf: Translate = (t, i) => {
  const { ir } = t;
  if (!allowed(t)) {
    t.call("popf_vme", ir.const32(i.opSize));
    return t.endToLoop();
  }
  const v = t.low(peek(t, i.opSize));
  setStack(t, stackOffset(t, i.opSize));
  t.call("popf", v, ir.const32(i.opSize));
  t.endToLoop();
};

/** Translators of the stack instructions of chapter "general". */
export const stackOps = {
  push: pushOperand, pop: popOperand, pusha, popa, enter, leave, pushf, popf,
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
