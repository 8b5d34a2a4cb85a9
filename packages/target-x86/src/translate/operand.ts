/** Operands in memory. */
import { NONE, type Value } from "@mimus/tcg";
import { OPERAND } from "../insn.ts";
import type { SegmentAccess } from "./address.ts";
import type { Tx } from "./tx.ts";
import { memOf } from "./width.ts";

/** Linear address of memory operand `k` for all its bytes. */
export function access(t: Tx, k: number, how: SegmentAccess): Value {
  const known = t.addresses[k]!;
  if (known !== NONE) return known;
  const address = t.linear(t.i, t.i.operands[k]!.size, how);
  t.addresses[k] = address;
  return address;
}

/**
 * Operand `k` becomes what `fn` makes of it. Where vCPUs take turns between instructions, a load and a store are one step.
 * Where they run at the same time, a locked instruction stores if nobody did meanwhile, and begins anew if somebody did.
 */
export function rmw(t: Tx, k: number, fn: (old: Value) => Value): Value {
  const o = t.i.operands[k]!;
  if (o.kind === OPERAND.reg) {
    const v = fn(t.reg(o.n, o.size, o.high));
    t.setReg(o.n, o.size, v, o.high);
    return v;
  }
  const address = access(t, k, "rw");
  const old = t.load(memOf(o.size), address);
  const v = fn(old);
  if (t.locked) t.exchangeOrRetry(memOf(o.size), address, old, v);
  else t.store(memOf(o.size), address, v);
  return v;
}
