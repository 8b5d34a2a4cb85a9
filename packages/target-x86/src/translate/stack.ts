/** The stack. Source: Intel SDM volume 1 (2023), chapter 6. */
import type { Value } from "@mimus/tcg";
import { REG, SEG } from "../state.ts";
import type { Tx } from "./tx.ts";
import { memOf } from "./width.ts";

/** Offset of the stack pointer in SS moved by `delta`, of the word type. */
export function stackOffset(t: Tx, delta: number): Value {
  return t.cut(t.ir.addI(t.wordReg(REG.sp), delta), t.stack >> 3);
}

/** The stack pointer becomes `offset`, in the width of the stack. */
export function setStack(t: Tx, offset: Value): void {
  t.setAddressReg(REG.sp, t.stack >> 3, offset);
}

/** Pushes the low `size` bytes of `v`. */
export function push(t: Tx, v: Value, size: number): void {
  const offset = stackOffset(t, -size);
  const sized = size === 8 ? v : t.low(v);
  t.store(memOf(size), t.segAddress(SEG.ss, offset, size, "w"), sized);
  // The interpreter adds the offset as part of the store, and then in the register: no value of its own to be moved there.
  setStack(t, t.ctx.interpreted && t.stack === t.word ? stackOffset(t, -size) : offset);
}

/** The top of the stack, `delta` bytes above the stack pointer, which stays. */
export function peek(t: Tx, size: number, delta: number = 0): Value {
  return t.load(memOf(size), t.segAddress(SEG.ss, stackOffset(t, delta), size, "r"));
}

/** Pops `size` bytes. */
export function pop(t: Tx, size: number): Value {
  const v = peek(t, size);
  setStack(t, stackOffset(t, size));
  return v;
}
