/** Rotations, as values: what they make of an operand, and CF and OF. */
import type { Value } from "@mimus/tcg";
import type { Count } from "./shift.ts";
import type { Tx } from "./tx.ts";

/** Result of a rotation; the flags are i32 0 or 1. */
export interface Rotated {
  readonly value: Value;
  readonly carry: Value;
  readonly overflow: Value;
}
/** Rotates `old` of `size` bytes by a count that is not 0 (what it gives for 0 does not matter but for the value). */
export type Rotation = (t: Tx, size: number, old: Value, count: Count, flags: Value) => Rotated;

/** Bit `n` of a value as i32. */
function bit(t: Tx, v: Value, n: number): Value {
  return t.low(t.ir.extract(v, n, 1));
}

/** A value of 1 or 2 bytes all over an i32. */
function spread(t: Tx, size: number, v: Value): Value {
  return t.ir.mulI(v, size === 1 ? 0x01010101 : 0x00010001);
}

const rol: Rotation = (t, size, old, count) => {
  const { ir } = t;
  const value = ir.rotl(size < 4 ? spread(t, size, old) : old, count.value);
  const carry = bit(t, value, 0);
  return { value, carry, overflow: ir.xor(carry, bit(t, value, 8 * size - 1)) };
};

const ror: Rotation = (t, size, old, count) => {
  const { ir } = t;
  const value = ir.rotr(size < 4 ? spread(t, size, old) : old, count.value);
  const carry = bit(t, value, 8 * size - 1);
  return { value, carry, overflow: ir.xor(carry, bit(t, value, 8 * size - 2)) };
};

/** The count of a rotation through CF: of 1 and 2 bytes it counts modulo 9 and 17. */
function throughCarry(t: Tx, size: number, count: Count): Value {
  const { ir } = t;
  const wide = t.zext(count.value, 8);
  if (size > 2) return wide;
  const width = 8 * size + 1;
  return count.known >= 0 ? ir.constant("i64", count.known % width) : ir.remu(wide, ir.constant("i64", width));
}

/** Up to 32 bits: operand and CF are one number in 64 bits. */
function narrowThroughCarry(t: Tx, size: number, old: Value, count: Count, flags: Value, left: boolean): Rotated {
  const { ir } = t;
  const width = 8 * size + 1;
  const n = throughCarry(t, size, count);
  const carryIn = ir.shlI(ir.extuI32(ir.andI(flags, 1)), width - 1);
  const x = ir.or(ir.extuI32(old), carryIn);
  const back = ir.sub(ir.constant("i64", width), n);
  const rotated = left ? ir.or(ir.shl(x, n), ir.shr(x, back)) : ir.or(ir.shr(x, n), ir.shl(x, back));
  const value = ir.extrl(rotated);
  const carry = bit(t, rotated, width - 1);
  const top = bit(t, value, 8 * size - 1);
  return { value, carry, overflow: ir.xor(top, left ? carry : bit(t, value, 8 * size - 2)) };
}

function wideThroughCarry(t: Tx, old: Value, count: Count, flags: Value, left: boolean): Rotated {
  const { ir } = t;
  const n = count.value;
  const carryIn = ir.extuI32(ir.andI(flags, 1));
  const less = ir.addI(n, -1);
  const rest = ir.sub(ir.constant("i64", 64), n);
  // The bits that go round are shifted in two steps, of which the sum is 65 less the count.
  const around = left ? ir.shr(ir.shrI(old, 1), rest) : ir.shl(ir.shlI(old, 1), rest);
  const shifted = left ? ir.or(ir.shl(old, n), ir.shl(carryIn, less)) : ir.or(ir.shr(old, n), ir.shl(carryIn, rest));
  const moved = ir.or(shifted, around);
  const value = count.known > 0 ? moved : ir.movcond("ne", n, ir.constant("i64", 0), moved, old);
  const carry = ir.andI(ir.extrl(left ? ir.shr(old, rest) : ir.shr(old, less)), 1);
  const top = bit(t, value, 63);
  return { value, carry, overflow: ir.xor(top, left ? carry : bit(t, value, 62)) };
}

const through =
  (left: boolean): Rotation =>
  (t, size, old, count, flags) =>
    size === 8 ? wideThroughCarry(t, old, count, flags, left) : narrowThroughCarry(t, size, old, count, flags, left);

/** The four of them. */
export const ROTATIONS = { rol, ror, rcl: through(true), rcr: through(false) } as const;
