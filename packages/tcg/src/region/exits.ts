/** Where the ends of a block lead, as the region builder sees them. */
import { knownPc } from "../exec/chains.ts";
import { highHalf } from "../exec/halves.ts";
import type { Block } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { HINTS } from "../ir/type.ts";

/**
 * How an exit leaves its block: a `jump` or `call` goes to a known address, an `indirect` jump or call to a computed
 * one, a `return` to what the guest's link register says, and `leave` to the run loop, or to code that must be looked up.
 */
type ExitKind = "jump" | "call" | "indirect" | "indirect-call" | "return" | "leave";

/** An exit: the position of its operation, and the low half of the address it goes to, where that is known. */
export interface BlockExit {
  readonly at: number;
  readonly kind: ExitKind;
  readonly target: number;
}

/** The exit at a position that holds goto_tb, goto_ptr or exit_tb. */
export function exitAt(block: Block, at: number, pcGlobal: number): BlockExit {
  const op = block.ops[at]!;
  if (op.spec === ops.exit_tb) return { at, kind: "leave", target: 0 };
  const hint = op.spec === ops.goto_ptr ? HINTS[op.imm]! : "none";
  if (hint === "barrier") return { at, kind: "leave", target: 0 };
  const to = knownPc(block, at, pcGlobal);
  if (to !== undefined) {
    // The upper half is the block's own, but where a program straddles a multiple of 4 GiB.
    if (to.type === "i64" && to.imm2 !== highHalf(block.pc)) return { at, kind: "leave", target: 0 };
    return { at, kind: hint === "call" ? "call" : "jump", target: to.imm };
  }
  if (hint === "call") return { at, kind: "indirect-call", target: 0 };
  if (hint === "return") return { at, kind: "return", target: 0 };
  return { at, kind: hint === "indirect" ? "indirect" : "leave", target: 0 };
}

/** All exits of a block, or a part of one, in order; undefined where it changes the flags: regions do not see where that leads. */
export function exitsOf(block: Block, pcGlobal: number, flagsGlobal: number): BlockExit[] | undefined {
  const out: BlockExit[] = [];
  const all = block.ops;
  for (let at = 0; at < all.length; at++) {
    const { spec, imm } = all[at]!;
    if (spec === ops.set) {
      if (imm === flagsGlobal) return undefined;
    } else if (spec.terminator && spec !== ops.br) out.push(exitAt(block, at, pcGlobal));
  }
  return out;
}
