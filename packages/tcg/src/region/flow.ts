/** Which globals a region keeps in locals, and where these may differ from the state block or are needed. */
import type { HelperEffects } from "../exec/chains.ts";
import type { Block } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { HelperSpec } from "../ir/type.ts";
import type { RegionPlan } from "./plan.ts";
import type { Shape } from "./shape.ts";

/** Facts by node and global; node 0 is the entry as indirect jumps reach it, not as code outside does. */
export interface RegionFlow {
  /** The global has a local. */
  readonly touched: Uint8Array;
  /** The local may be newer than the state block when the node begins. The pc never is. */
  readonly dirty: readonly Uint8Array[];
  /** The local is read, or stored, in the node or behind it, before it is loaded again. */
  readonly live: readonly Uint8Array[];
}

interface Summary {
  readonly written: Uint8Array;
  /** Read before it is certainly written. */
  readonly exposed: Uint8Array;
  /** Written on every way through the block. */
  readonly killed: Uint8Array;
  /** Node that the guest call at its end returns to; 0: it makes none. */
  readonly continuation: number;
}

/** Solves the two problems; `successors` are those of the shape's nodes, `continuation[n]` as in {@link Summary}. */
export function regionFlow(
  plan: RegionPlan, successors: readonly (readonly number[])[], continuation: Int32Array, pcGlobal: number,
  effects: (helper: HelperSpec) => HelperEffects,
): RegionFlow {
  const globals = plan.blocks[0]!.block.globals.length;
  const size = plan.blocks.length + 1;
  const touched = new Uint8Array(globals);
  const nothing = new Uint8Array(globals);
  const summaries: Summary[] = [{ written: nothing, exposed: nothing, killed: nothing, continuation: 0 }];
  plan.blocks.forEach(({ block }, i) =>
    summaries.push(summarise(block, pcGlobal, effects, touched, continuation[i + 1]!)),
  );
  const dirty = Array.from({ length: size }, () => new Uint8Array(globals));
  for (let changed = true; changed;) {
    changed = false;
    for (let n = 0; n < size; n++) {
      const { written, continuation: back } = summaries[n]!;
      for (const to of successors[n]!) {
        // A guest call leaves everything in the state block.
        if (to === back && back !== 0) continue;
        const into = dirty[to]!;
        for (let g = 0; g < globals; g++) {
          if (into[g] === 1 || (written[g] === 0 && dirty[n]![g] === 0)) continue;
          into[g] = 1;
          changed = true;
        }
      }
    }
  }
  const live = Array.from({ length: size }, () => new Uint8Array(globals));
  for (let n = 0; n < size; n++) {
    const { exposed } = summaries[n]!;
    for (let g = 0; g < globals; g++) if (exposed[g] === 1 || dirty[n]![g] === 1) live[n]![g] = 1;
  }
  for (let changed = true; changed;) {
    changed = false;
    for (let n = size - 1; n >= 0; n--) {
      const { killed, continuation: back } = summaries[n]!;
      for (const to of successors[n]!) {
        if (to === back && back !== 0) continue;
        for (let g = 0; g < globals; g++) {
          if (live[n]![g] === 1 || live[to]![g] === 0 || killed[g] === 1) continue;
          live[n]![g] = 1;
          changed = true;
        }
      }
    }
  }
  return { touched, dirty, live };
} // prettier-ignore

function summarise(
  block: Block, pcGlobal: number, effects: (helper: HelperSpec) => HelperEffects, touched: Uint8Array,
  continuation: number,
): Summary {
  const globals = block.globals.length;
  const written = new Uint8Array(globals);
  const exposed = new Uint8Array(globals);
  const killed = new Uint8Array(globals);
  let straight = true;
  for (const op of block.ops) {
    const { spec } = op;
    if (spec === ops.get) {
      touched[op.imm] = 1;
      if (killed[op.imm] === 0) exposed[op.imm] = 1;
    } else if (spec === ops.set) {
      touched[op.imm] = 1;
      if (op.imm === pcGlobal) continue;
      written[op.imm] = 1;
      if (straight) killed[op.imm] = 1;
    } else if (spec === ops.label || spec === ops.br || spec === ops.brcond) straight = false;
    else if (spec === ops.call) {
      // What it reads it reads in the state block; a call that may fault needs what is dirty, and that is live anyway.
      const { writes } = effects(op.helper!);
      if (writes === "all") killed.fill(0);
    }
  }
  // Where only some ways through the block write a global, the others keep what it was.
  for (let g = 0; g < globals; g++) if (written[g] === 1 && killed[g] === 0) exposed[g] = 1;
  return { written, exposed, killed, continuation };
} // prettier-ignore

/**
 * By node: instructions on the way there from where the budget is charged last, 0 for nodes where it is: those that an entry
 * resumes at, that ways meet at, or that a guest call returns to.
 */
export function owedBudget(
  plan: RegionPlan, successors: readonly (readonly number[])[], continuation: Int32Array, shape: Shape,
): Int32Array {
  const owed = new Int32Array(shape.size);
  const before: number[][] = successors.map(() => []);
  successors.forEach((list, from) => {
    if (shape.index[from]! >= 0) for (const to of list) before[to]!.push(from);
  });
  const order = plan.blocks.map((_, i) => i + 1).filter((n) => shape.index[n]! >= 0);
  order.sort((a, b) => shape.index[a]! - shape.index[b]!);
  for (const n of order) {
    const [from, another] = before[n]!;
    if (n === 1 || from === undefined || another !== undefined || shape.number[n]! > 0) continue;
    if (continuation[from] === n || shape.index[from]! >= shape.index[n]!) continue;
    owed[n] = owed[from]! + plan.blocks[from - 1]!.insns;
  }
  return owed;
} // prettier-ignore

/** Whether the block uses the pc before it sets it: then the pc must be in place when it begins. */
export function needsPc(block: Block, pcGlobal: number, effects: (helper: HelperSpec) => HelperEffects): boolean {
  for (const op of block.ops) {
    if (op.spec === ops.set && op.imm === pcGlobal) return false;
    if (op.spec === ops.get && op.imm === pcGlobal) return true;
    if (op.spec !== ops.call) continue;
    const { reads } = effects(op.helper!);
    if (reads === "all" || reads.includes(pcGlobal)) return true;
  }
  return false;
}

/** Whether the block changes what the lookup of blocks depends on: its exits must look up what comes next. */
export function changesFlags(block: Block, flagsGlobal: number): boolean {
  if (flagsGlobal < 0) return false;
  const all = block.ops;
  for (let i = 0; i < all.length; i++) if (all[i]!.spec === ops.set && all[i]!.imm === flagsGlobal) return true;
  return false;
}
