/** Far transfers and segment registers. */
import type { Value } from "@mimus/tcg";
import { OPERAND, type Insn } from "../../insn.ts";
import { HF, SEG, SEG_FIELD, segOffset } from "../../state.ts";
import { LOADED_BY } from "../../system/helpers.ts";
import { peek, setStack, stackOffset } from "../stack.ts";
import type { Translate, Tx } from "../tx.ts";
import { memOf } from "../width.ts";
import { endWithInterrupts } from "./end.ts";
import { loadSegment } from "./segments.ts";

const selectorOf = (n: number): number => segOffset(n) + SEG_FIELD.selector;

/** Selector and offset (word type) of a far pointer, direct or in memory. */
function farPointer(t: Tx, i: Insn): { selector: Value; offset: Value } {
  const { ir } = t;
  const o = i.operands[0];
  if (o.kind === OPERAND.far) {
    const offset = i.opSize === 2 ? i.immLo & 0xffff : i.immLo;
    return { selector: ir.const32(i.imm2), offset: t.toWord(ir.const32(offset)) };
  }
  return pointerInMemory(t, i);
}

function pointerInMemory(t: Tx, i: Insn): { selector: Value; offset: Value } {
  const size = i.opSize;
  const address = t.linear(i, size + 2, "r");
  const offset = t.load(memOf(size), address);
  const at = t.cut(t.ir.addI(address, size), t.code === 64 ? 8 : 4);
  return { selector: t.load("u16", at), offset: t.toWord(offset) };
}

const jmpf: Translate = (t, i) => {
  const { selector, offset } = farPointer(t, i);
  t.ir.set("pc", t.pcNext());
  t.call("jump_far", selector, offset);
  t.call("jump_far_done");
  t.endAtPc("loop");
};

const callf: Translate = (t, i) => {
  const { selector, offset } = farPointer(t, i);
  t.ir.set("pc", t.pcNext());
  t.call("call_far", t.ir.const32(i.opSize), selector, offset);
  t.call("jump_far_done");
  t.endAtPc("loop");
};

const retf: Translate = (t, i) => {
  const release = i.operandCount > 0 ? i.immLo & 0xffff : 0;
  t.call("return_far", t.ir.const32(i.opSize), t.ir.const32(release));
  t.endAtPc("lookup");
};

const iret: Translate = (t, i) => {
  const { ir } = t;
  ir.set("pc", t.pcNext());
  if (t.cpl === 0 && i.opSize > 2) {
    const slow = ir.label();
    const done = t.call("iret_fast", ir.const32(i.opSize));
    ir.brcond("eq", done, ir.const32(0), slow, true);
    endWithInterrupts(t);
    ir.place(slow);
  }
  t.call("iret", ir.const32(i.opSize));
  endWithInterrupts(t);
};

/** INT n. In virtual-8086 mode it may be the program's own handler's, and needs IOPL 3 where it is not. */
const int: Translate = (t, i) => {
  const { ir } = t;
  const vector = i.immLo & 0xff;
  if ((t.flags & HF.vm) !== 0) {
    const usual = ir.label();
    ir.set("pc", t.pcNext());
    ir.brcond("eq", t.call("int_v86", ir.const32(vector)), ir.const32(0), usual, true);
    t.endAtPc("lookup");
    ir.place(usual);
  }
  if ((t.flags & HF.pe) !== 0 && (t.flags & (HF.vm | HF.tf | HF.breakpoints | HF.shadow)) === 0) {
    const slow = ir.label();
    ir.set("pc", t.pcNext());
    t.flushFlags();
    const done = t.call("int_fast", ir.const32(vector), ir.const32(-1), ir.const32(1), ir.const32(0));
    ir.brcond("eq", done, ir.const32(0), slow, true);
    endWithInterrupts(t);
    ir.place(slow);
  }
  t.trap(vector, true);
  t.ctx.done = true;
};

const int1: Translate = (t) => {
  t.trap(1, true);
  t.ctx.done = true;
};

const movseg: Translate = (t, i) => {
  const n = i.operands[0].n;
  if (n === SEG.cs || n > SEG.gs) return t.ud();
  loadSegment(t, n, t.read(1, 2));
};

const readseg: Translate = (t, i) => {
  const v = t.ir.envLd("i32", "u32", selectorOf(i.operands[1].n));
  const o = i.operands[0];
  if (o.kind === OPERAND.reg) t.setReg(o.n, o.size, o.size === 8 ? t.ir.extuI32(v) : v);
  else t.store("u16", t.address(0, "w"), v);
};

const pushseg: Translate = (t, i) => {
  const v = t.ir.envLd("i32", "u32", selectorOf(i.operands[0].n));
  t.push(i.opSize === 8 ? t.ir.extuI32(v) : v, i.opSize);
};

const popseg: Translate = (t, i) => {
  // The stack moves once the segment is loaded; SS itself may change the width of the stack, which is the old one here.
  const after = stackOffset(t, i.opSize);
  const selector = t.ir.andI(t.low(peek(t, i.opSize)), 0xffff);
  loadSegment(t, i.operands[0].n, selector, () => setStack(t, after));
};

const loadPointer =
  (n: number): Translate =>
  (t, i) => {
    const { selector, offset } = pointerInMemory(t, i);
    const { n: to, size } = i.operands[0];
    loadSegment(t, n, selector, () => t.setReg(to, size, size === 8 ? offset : t.low(offset)));
  };

/** Translators of far transfers and segment registers. */
export const far = {
  jmpf, callf, retf, iret, int, int1, movseg, readseg, pushseg, popseg,
  les: loadPointer(LOADED_BY.les),
  lds: loadPointer(LOADED_BY.lds),
  lss: loadPointer(LOADED_BY.lss),
  lfs: loadPointer(LOADED_BY.lfs),
  lgs: loadPointer(LOADED_BY.lgs),
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
