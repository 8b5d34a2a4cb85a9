import { Builder, MEM_OPS, evaluate, verify, type IrType, type MemOp } from "@mimus/tcg";
import { expect, test } from "vitest";
import { swapBytes } from "../src/opt/byte-order.ts";
import { CONTEXT, TestState } from "./random-block.ts";

const cases: [IrType, MemOp][] = [
  ["i32", "u16be"], ["i32", "s16be"], ["i32", "u32be"], ["i64", "u16be"], ["i64", "s16be"], ["i64", "u32be"],
  ["i64", "s32be"], ["i64", "u64be"], ["f32", "u32be"], ["f64", "u64be"],
]; // prettier-ignore

/** What the block leaves in globals and memory. */
function run(b: Builder): object {
  const state = new TestState(5, () => false);
  evaluate(b.block, state);
  return { globals: state.globals, bytes: [...state.bytes].toSorted(([x], [y]) => Number(x - y)) };
}

test.each(cases)("%s %s is a little-endian access and a swap", (type, mem) => {
  const make = (): Builder => {
    const b = new Builder(CONTEXT);
    b.begin(0x1000n);
    b.insn(0);
    const v = b.ld(type, mem, b.const64(0x2001n), 0);
    const bits = type === "f32" || type === "f64" ? b.bitcast(v) : v;
    b.set(b.typeOf(bits) === "i32" ? 6 : 0, bits);
    if (!MEM_OPS[mem].signed) b.st(mem, b.const64(0x3001n), v, 0);
    b.set("pc", b.const64(0x1004n));
    b.gotoPtr();
    return b;
  };
  const swapped = make();
  swapBytes(swapped.block);
  verify(swapped.block);
  expect(swapped.block.ops.some((op) => MEM_OPS[op.mem].bigEndian)).toBe(false);
  expect(run(swapped)).toEqual(run(make()));
});
