/** The shape of operations on all lanes of numbers: each half on the host, or both by the exact function. */
import type { Label, Value } from "@mimus/tcg";
import type { Insn } from "../../insn.ts";
import type { Tx } from "../tx.ts";
import { Exact } from "./exact.ts";
import { either, mayRound } from "./fast.ts";
import { writeVec } from "./registers.ts";

/** What a packed operation does with one half: on the host, leaving for `slow`, and by the exact function. */
export interface PackedOp {
  /** `fast` does not see whether a result is exact, and is for when PE is set. */
  readonly rounds?: true;
  fast(t: Tx, a: Value, b: Value, slow: Label): Value;
  exact(t: Tx, e: Exact, a: Value, b: Value): Value;
}

/** Both halves of destination = op(a, b). */
export function packed(t: Tx, i: Insn, op: PackedOp, a: readonly Value[], b: readonly Value[]): void {
  const exact = (): void => {
    const e = new Exact(t, a.length);
    const r = a.map((v, h) => op.exact(t, e, v, b[h]!)); // prettier-ignore
    e.finish(() => writeVec(t, i, 0, r));
  };
  if (op.rounds && !mayRound(t)) return exact();
  either(t, (slow) => writeVec(t, i, 0, a.map((v, h) => op.fast(t, v, b[h]!, slow))), exact); // prettier-ignore
}
