import type { Translators } from "@mimus/decodetree";
import type { machine, supervisor, svinval, zawrs } from "../decode/priv.ts";
import { PRIV } from "../constants.ts";
import type { Block } from "./block.ts";
import { returnMachine, returnSupervisor } from "./trap.ts";

/** Source: Privileged 20211203, 3.3. */
export const translateMachine: Translators<Block, typeof machine.insns> = {
  mret: returnMachine,
  wfi: (b) => {
    b.ir.set("pc", b.address(b.length));
    b.ir.call("wfi", b.ir.const32(b.bits));
    b.ir.exit("halt");
    b.ctx.done = true;
  },
};

/** Source: Privileged 20211203, 4.2. */
export const translateSupervisor: Translators<Block, typeof supervisor.insns> = {
  sret: returnSupervisor,
  sfence_vma: (b, { rs1 }) => {
    b.ir.call("sfence_vma", b.ir.const32(b.bits), b.x(rs1));
    b.endToLookup();
  },
};

/** Ordering is kept by invalidating at once. */
function order(b: Block): void {
  if (b.priv === PRIV.U) b.illegal();
}
export const translateSvinval: Translators<Block, typeof svinval.insns> = {
  sinval_vma: translateSupervisor.sfence_vma,
  sfence_w_inval: order,
  sfence_inval_ir: order,
};

/** Waiting for a reservation set to change may end at any time: at once. Source: Zawrs 1.01. */
export const translateZawrs: Translators<Block, typeof zawrs.insns> = {
  wrs_nto: () => {},
  wrs_sto: () => {},
};
