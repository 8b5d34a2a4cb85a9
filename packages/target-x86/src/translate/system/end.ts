/** Ends of blocks behind which an interrupt may be taken. */
import { HF, OFF, PENDING } from "../../state.ts";
import type { Tx } from "../tx.ts";

/** What may be pending and would be taken with IF set. */
const ANY: number = PENDING.intr | PENDING.nmi | PENDING.smi | PENDING.init;

/** Ends the block at pc, which is set: to the run loop when something is pending, else to the block there. */
export function endWithInterrupts(t: Tx): void {
  const { ir } = t;
  if ((t.flags & HF.tf) !== 0) return t.endAtPc("loop");
  t.lazy.store();
  const pending = ir.label();
  ir.brcond("tstne", ir.envLd("i32", "u32", OFF.pending), ir.const32(ANY), pending, true);
  ir.gotoPtr("barrier");
  ir.place(pending);
  ir.exit("next");
  t.ctx.done = true;
}
