import type { Block, Op } from "../ir/block.ts";
import { ops, type OpSpec } from "../ir/ops.ts";
import { MEM_OPS, NONE, type IrType, type MemOp, type Value } from "../ir/type.ts";
import { renumber } from "./dead.ts";
import { operation } from "./rewriter.ts";

/**
 * Writes big-endian loads and stores as little-endian ones of an integer with a swap behind or before, so that back
 * ends have one byte order. Atomic operations stay: their swap lies between the two halves of the access.
 */
export function swapBytes(block: Block): void {
  const all = block.ops;
  if (!all.some(isSwapped)) return;
  const to = new Int32Array(all.length);
  const out: Op[] = [];
  const push = (op: Op): Value => (out.push(op) - 1) as Value;
  const unary = (spec: OpSpec, type: IrType, a: Value): Value =>
    push(operation(spec, type, a, NONE, NONE, NONE, 0, 0, "eq"));
  all.forEach((op, i) => {
    renumber(op, to);
    if (!isSwapped(op)) {
      to[i] = push(op);
      return;
    }
    const { bytes, signed } = MEM_OPS[op.mem];
    const float = op.type === "f32" || op.type === "f64";
    const type = op.type === "f32" ? "i32" : op.type === "f64" ? "i64" : op.type;
    const swap = bytes === 2 ? ops.bswap16 : bytes === 4 ? ops.bswap32 : ops.bswap64;
    const access = { ...op, type, mem: `u${bytes * 8}` as MemOp };
    if (op.spec === ops.st) {
      access.b = unary(swap, type, float ? unary(ops.bitcast, type, op.b) : op.b);
      to[i] = push(access);
      return;
    }
    let v = unary(swap, type, push(access));
    if (signed) v = unary(bytes === 2 ? ops.ext16s : ops.ext32s, type, v);
    to[i] = float ? unary(ops.bitcast, op.type, v) : v;
  });
  all.length = 0;
  for (const op of out) all.push(op);
}

function isSwapped(op: Op): boolean {
  return (op.spec === ops.ld || op.spec === ops.st) && MEM_OPS[op.mem].bigEndian;
}
