/** What the block compiler needs to know of a block before it emits code. */
import { isSelfEdge } from "../exec/chains.ts";
import type { HelperEffects } from "../exec/chains.ts";
import type { Helper } from "../exec/contract.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { HelperSpec, Value } from "../ir/type.ts";

/** How a value is available. */
export const DEAD = 0;
/** Computed where it is used. */
export const INLINE = 1;
/** Read from its global's local where it is used. */
export const ALIAS = 2;
/** Kept in a local of its own. */
export const LOCAL = 3;
export const CONST = 4;

/** A block that only the interpreter can run. */
export class Uncompilable extends Error {}

/** Result of {@link analyse}. Arrays are by operation or by global. */
export interface Analysis {
  readonly kind: Uint8Array;
  /** Global is read or written in the block. */
  readonly touched: Uint8Array;
  readonly written: Uint8Array;
  /** Global must be loaded into its local at entry. */
  readonly entryLoad: Uint8Array;
  /** Per exit: globals to store. Per call: globals to store before it. */
  readonly stores: Map<number, number[]>;
  /** Per call: globals to load after it. */
  readonly reloads: Map<number, number[]>;
  /** Per operation that may fault: its stage. The fault exit of a stage stores the globals of that and all before. */
  readonly stage: Map<number, number>;
  readonly stages: number[][];
  /** Labels in the order in which they are placed. */
  readonly labels: number[];
  /** By label: some path leads there. Nothing is known of what follows another. */
  readonly reached: Uint8Array;
  /** Some goto_tb goes back to the block's own start. */
  readonly selfLoop: boolean;
}

/** Per global: definitely has its value in the local; may differ from the state block. */
interface State {
  readonly assigned: Uint8Array;
  readonly dirty: Uint8Array;
}

/** What surrounds a block that is compiled as part of a region. By global. */
export interface Surroundings {
  /** Has a local in the region, which holds its value wherever the block needs it. */
  readonly touched: Uint8Array;
  /** The local may differ from the state block when the block begins. */
  readonly dirty: Uint8Array;
}

/** @throws Uncompilable for loops within the block. */
export function analyse(
  block: Block,
  pcGlobal: number,
  effects: (helper: HelperSpec) => HelperEffects,
  around?: Surroundings,
): Analysis {
  const all = block.ops;
  const count = all.length;
  const globals = block.globals.length;
  const placed = new Uint8Array(block.labels);
  const labels: number[] = [];
  const touched = around?.touched ?? new Uint8Array(globals);
  const written = new Uint8Array(globals);
  const lastTouch = new Int32Array(globals).fill(-1);
  let selfLoop = false;
  for (let i = 0; i < count; i++) {
    const op = all[i]!;
    const { spec } = op;
    if (spec === ops.label) {
      placed[op.imm] = 1;
      labels.push(op.imm);
    } else if ((spec === ops.br || spec === ops.brcond) && placed[op.imm] === 1) {
      throw new Uncompilable("A loop within the block");
    } else if (spec === ops.get || spec === ops.set) {
      touched[op.imm] = 1;
      lastTouch[op.imm] = i;
      if (spec === ops.set) written[op.imm] = 1;
    } else if (around === undefined && spec === ops.goto_tb && isSelfEdge(block, i, pcGlobal)) selfLoop = true;
  }
  const kind = classify(block, effects);
  const a: Analysis = {
    kind, touched, written, labels, selfLoop, reached: new Uint8Array(block.labels),
    entryLoad: new Uint8Array(globals), stores: new Map(), reloads: new Map(), stage: new Map(), stages: [],
  }; // prettier-ignore
  if (selfLoop || around !== undefined) lastTouch.fill(count);
  flow(block, a, lastTouch, pcGlobal, effects, around?.dirty ?? (selfLoop ? written : undefined));
  return a;
} // prettier-ignore // prettier-ignore

/** Decides from the end how each value is available. */
function classify(block: Block, effects: (helper: HelperSpec) => HelperEffects): Uint8Array {
  const all = block.ops;
  const count = all.length;
  const kind = new Uint8Array(count);
  const uses = new Uint32Array(count);
  /** Position at which the value is read last, and whether it must be readable without computing. */
  const until = new Int32Array(count).fill(-1);
  const simple = new Uint8Array(count);
  const nextWrite = new Int32Array(block.globals.length).fill(0x7fffffff);
  let nextClobber = 0x7fffffff;
  const use = (v: Value, at: number, mustBeSimple: boolean): void => {
    if (v < 0) return;
    uses[v]!++;
    if (until[v]! < at) until[v] = at;
    if (mustBeSimple) simple[v] = 1;
  };
  for (let i = count - 1; i >= 0; i--) {
    const op = all[i]!;
    const { spec } = op;
    let at = i;
    if (spec === ops.const) kind[i] = CONST;
    else if (spec === ops.get) {
      const next = Math.min(nextWrite[op.imm]!, nextClobber);
      kind[i] = until[i]! < 0 ? DEAD : next >= until[i]! ? ALIAS : LOCAL;
    } else if (spec.pure) {
      if (uses[i] === 0) continue;
      if (uses[i] === 1 && simple[i] === 0) {
        kind[i] = INLINE;
        at = until[i]!;
      } else kind[i] = LOCAL;
    } else if (spec === ops.env_ld || spec === ops.env_addr) {
      if (uses[i] === 0) continue;
      kind[i] = LOCAL;
    } else kind[i] = uses[i]! > 0 ? LOCAL : DEAD;
    const many = spec.pure && !spec.inline;
    use(op.a, at, many);
    // The value of a store is pushed by the fast and by the slow path.
    use(op.b, at, many || spec === ops.st);
    use(op.c, at, many);
    use(op.d, at, many);
    if (spec === ops.set) nextWrite[op.imm] = i;
    if (spec !== ops.call) continue;
    const js = (op.helper as Helper).impl.kind === "js";
    for (const v of op.list) use(v as Value, i, js);
    const { writes } = effects(op.helper!);
    if (writes === "all") nextClobber = i;
    else for (const g of writes) nextWrite[g] = i;
  }
  return kind;
}

/** Follows which locals hold what, forwards. */
function flow(
  block: Block, a: Analysis, lastTouch: Int32Array, pcGlobal: number, effects: (helper: HelperSpec) => HelperEffects,
  /** By global: dirty from the start, and everything touched is in its local from the start. */
  dirtyBefore: Uint8Array | undefined,
): void {
  const all = block.ops;
  const globals = block.globals.length;
  const { entryLoad, touched } = a;
  const atLabel: (State | undefined)[] = [];
  let state: State | undefined = { assigned: new Uint8Array(globals), dirty: new Uint8Array(globals) };
  /** Globals that were dirty anywhere before: what fault exits store. */
  const seen = new Uint8Array(globals);
  let fresh: number[] = [];
  const see = (g: number): void => {
    // Who handles a fault knows the pc by the site; a way that is left by an exit would keep its local alive for nothing.
    if (seen[g] === 1 || g === pcGlobal) return;
    seen[g] = 1;
    fresh.push(g);
  };
  const need = (s: State, g: number): void => {
    if (s.assigned[g] === 1) return;
    entryLoad[g] = 1;
    s.assigned[g] = 1;
  };
  if (dirtyBefore !== undefined) {
    for (let g = 0; g < globals; g++) {
      if (touched[g] === 0) continue;
      entryLoad[g] = state.assigned[g] = 1;
      if (dirtyBefore[g] === 0) continue;
      state.dirty[g] = 1;
      see(g);
    }
  }
  const dirtyList = (s: State): number[] => {
    const list: number[] = [];
    for (let g = 0; g < globals; g++) {
      if (s.dirty[g] === 0) continue;
      need(s, g);
      list.push(g);
    }
    return list;
  };
  const fault = (s: State, i: number): void => {
    if (a.stages.length === 0 || fresh.length > 0) {
      a.stages.push(fresh);
      fresh = [];
    }
    a.stage.set(i, a.stages.length - 1);
    for (const stage of a.stages) for (const g of stage) need(s, g);
  };
  for (let i = 0; i < all.length; i++) {
    const op = all[i]!;
    const { spec } = op;
    if (spec === ops.label) {
      state = merge(state, atLabel[op.imm]);
      if (state !== undefined) a.reached[op.imm] = 1;
      continue;
    }
    if (state === undefined) continue;
    if (spec === ops.get) {
      if (a.kind[i] !== DEAD) need(state, op.imm);
    } else if (spec === ops.set) {
      state.assigned[op.imm] = state.dirty[op.imm] = 1;
      see(op.imm);
    } else if (spec === ops.br || spec === ops.brcond) {
      const copy: State = { assigned: state.assigned.slice(), dirty: state.dirty.slice() };
      atLabel[op.imm] = merge(copy, atLabel[op.imm]);
      if (spec === ops.br) state = undefined;
    } else if (spec === ops.call) {
      call(op, i, state, a, lastTouch, seen, need, effects(op.helper!));
      if (op.helper!.mayFault === true) fault(state, i);
    } else if (spec.mayFault) fault(state, i);
    else if (spec.terminator) {
      a.stores.set(i, dirtyList(state));
      state = undefined;
    }
  }
} // prettier-ignore

function call(
  op: Op, i: number, s: State, a: Analysis, lastTouch: Int32Array, seen: Uint8Array,
  need: (s: State, g: number) => void, { reads, writes }: HelperEffects,
): void {
  const stores: number[] = [];
  const reloads: number[] = [];
  for (let g = 0; g < s.dirty.length; g++) {
    const read = reads === "all" || reads.includes(g);
    const wrote = writes === "all" || writes.includes(g);
    if (s.dirty[g] === 1 && (read || wrote)) {
      need(s, g);
      stores.push(g);
      s.dirty[g] = 0;
    }
    if (!wrote || a.touched[g] === 0) continue;
    if (lastTouch[g]! > i || seen[g] === 1) {
      reloads.push(g);
      s.assigned[g] = 1;
    } else s.assigned[g] = 0;
  }
  a.stores.set(i, stores);
  a.reloads.set(i, reloads);
} // prettier-ignore

/** Where two paths meet: assigned on both, dirty on either. */
function merge(a: State | undefined, b: State | undefined): State | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  for (let g = 0; g < a.assigned.length; g++) {
    a.assigned[g]! &= b.assigned[g]!;
    a.dirty[g]! |= b.dirty[g]!;
  }
  return a;
}
