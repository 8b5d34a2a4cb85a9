/** Additions and subtractions that carry. */
import type { Value } from "@mimus/tcg";
import type { Tx } from "./tx.ts";

/** A sum or difference, and its carry or borrow as i32 0 or 1. */
export interface Carried {
  readonly value: Value;
  readonly carry: Value;
}

/** a + b + carry in (i32 0 or 1); operands of 1 and 2 bytes are zero-extended. */
export function addWithCarry(t: Tx, size: number, a: Value, b: Value, carryIn: Value): Carried {
  const { ir } = t;
  if (size < 4) {
    const sum = ir.add(ir.add(a, b), carryIn);
    return { value: sum, carry: ir.extract(sum, 8 * size, 1) };
  }
  if (size === 4) {
    const sum = ir.add(ir.add(ir.extuI32(a), ir.extuI32(b)), ir.extuI32(carryIn));
    return { value: ir.extrl(sum), carry: ir.extrl(ir.shrI(sum, 32)) };
  }
  const part = ir.add(a, b);
  const value = ir.add(part, ir.extuI32(carryIn));
  const carry = ir.or(ir.setcond("ltu", part, a), ir.setcond("ltu", value, part));
  return { value, carry: ir.extrl(carry) };
}

/** a − b − borrow in. */
export function subtractWithBorrow(t: Tx, size: number, a: Value, b: Value, borrowIn: Value): Carried {
  const { ir } = t;
  if (size < 4) {
    const difference = ir.sub(ir.sub(a, b), borrowIn);
    return { value: difference, carry: ir.shrI(difference, 31) };
  }
  if (size === 4) {
    const difference = ir.sub(ir.sub(ir.extuI32(a), ir.extuI32(b)), ir.extuI32(borrowIn));
    return { value: ir.extrl(difference), carry: ir.extrl(ir.shrI(difference, 63)) };
  }
  const part = ir.sub(a, b);
  const wide = ir.extuI32(borrowIn);
  const carry = ir.or(ir.setcond("ltu", a, b), ir.setcond("ltu", part, wide));
  return { value: ir.sub(part, wide), carry: ir.extrl(carry) };
}
