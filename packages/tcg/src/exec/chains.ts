/** Where the ends of a block lead, and what helpers touch: facts that both back ends need. */
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import { HINTS } from "../ir/type.ts";
import { highHalf, lowHalf } from "./halves.ts";
import type { EnvField, HelperSpec } from "../ir/type.ts";

/** Globals by index, of one helper. */
export interface HelperEffects {
  readonly reads: readonly number[] | "all";
  readonly writes: readonly number[] | "all";
}

const CALL = HINTS.indexOf("call");
const NOTHING: HelperEffects = { reads: [], writes: [] };

/** Tells, for the helpers of one target, which globals they read and write. */
export function helperEffects(globals: readonly EnvField[]): (helper: HelperSpec) => HelperEffects {
  const index = new Map(globals.map((g, i) => [g.name, i]));
  const known = new Map<HelperSpec, HelperEffects>();
  const indexes = (names: "all" | readonly string[] | undefined): readonly number[] | "all" =>
    names === undefined || names === "all" ? "all" : names.map((n) => index.get(n) ?? -1).filter((g) => g >= 0);
  return (helper) => {
    let effects = known.get(helper);
    if (effects === undefined) {
      effects = helper.pure === true ? NOTHING : { reads: indexes(helper.reads), writes: indexes(helper.writes) };
      known.set(helper, effects);
    }
    return effects;
  };
}

/** The constant that pc was set to before position `at`, on the way there; undefined when it is not known. */
export function knownPc(block: Block, at: number, pcGlobal: number): Op | undefined {
  for (let i = at - 1; i >= 0; i--) {
    const op = block.ops[i]!;
    if (op.spec === ops.label) return undefined;
    if (op.spec !== ops.set || op.imm !== pcGlobal) continue;
    const to = block.ops[op.a]!;
    return to.spec === ops.const ? to : undefined;
  }
  return undefined;
}

/**
 * Slot by which the exit at a position is chained to the next block, -1 when that is found in the jump cache. A call of
 * a constant is the only exit of its block to another one, and has slot 0.
 */
export function chainSlot(block: Block, at: number, pcGlobal: number): number {
  const op = block.ops[at]!;
  if (leavesPage(block, at, pcGlobal)) return -1;
  if (op.spec === ops.goto_tb) return op.imm;
  return op.spec === ops.goto_ptr && op.imm === CALL && knownPc(block, at, pcGlobal) !== undefined ? 0 : -1;
}

/** Whether the `goto_tb` at a position goes back to the block's own start. */
export function isSelfEdge(block: Block, at: number, pcGlobal: number): boolean {
  const to = knownPc(block, at, pcGlobal);
  if (to === undefined) return false;
  return to.imm === lowHalf(block.pc) && (to.type === "i32" || to.imm2 === highHalf(block.pc));
}

/**
 * Whether the `goto_tb` at a position goes to another page than the block's first: such blocks are not chained but
 * found in the jump cache.
 */
function leavesPage(block: Block, at: number, pcGlobal: number): boolean {
  const to = knownPc(block, at, pcGlobal);
  return to !== undefined && to.imm >>> 12 !== lowHalf(block.pc) >>> 12;
}
