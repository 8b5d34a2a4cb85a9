/** Which bytes the accesses of a region want of each base, within their blocks and in those behind. */
import type { HelperEffects } from "../exec/chains.ts";
import type { Helper } from "../exec/contract.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { HelperSpec, Value } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import type { Edges, RegionPlan } from "./plan.ts";
import type { Shape } from "./shape.ts";
import { innermostLoops } from "./shape.ts";
import { join, raised } from "./span.ts";
import type { Place, Wanted } from "./span.ts";

type Effects = (helper: HelperSpec) => HelperEffects;

interface Access {
  readonly op: number;
  readonly wanted: Wanted;
}

/** The key of what a global holds where its block begins. */
export const atEntry = (global: number): number => -1 - global;

/** Whether nothing is known of pages behind a call: a helper in JavaScript may change what is mapped. */
export const forgets = (helper: HelperSpec): boolean =>
  helper.pure !== true && (helper.mayFault === true || (helper as Helper).impl.kind === "js");

/** The bases of a block's accesses. */
export class BlockSpans {
  /** By operation: the base, and how far beside it the value lies. */
  readonly #key: Int32Array;
  readonly #by: Int32Array;
  /** By base: its accesses, in order, for stretches of code without a call that forgets, by number. */
  readonly #accesses: Map<number, Access[]>[] = [new Map()];
  /** By operation: the stretch. */
  readonly #stretch: Int32Array;
  /** What globals hold at the block's end, where that is not what they held at its beginning; undefined: something else. */
  readonly last: Map<number, Place | undefined> = new Map();
  /** By base: what the blocks behind want. */
  readonly behind: Map<number, Wanted> = new Map();

  constructor(block: Block, effects: Effects, aligned: boolean) {
    const { length } = block.ops;
    this.#key = Int32Array.from({ length }, (_, i) => i);
    this.#by = new Int32Array(length);
    this.#stretch = new Int32Array(length);
    block.ops.forEach((op, i) => this.#scan(block, op, i, effects, aligned));
  }

  #scan(block: Block, op: Op, i: number, effects: Effects, aligned: boolean): void {
    const { spec } = op;
    if (spec === ops.get && !this.last.has(op.imm)) this.#key[i] = atEntry(op.imm);
    else if (spec === ops.add) {
      const by = block.ops[op.b]!;
      if (by.spec === ops.const && by.imm2 === by.imm >> 31) {
        this.#key[i] = this.#key[op.a]!;
        this.#by[i] = this.#by[op.a]! + by.imm;
      }
    } else if (spec === ops.set) this.last.set(op.imm, this.place(op.a));
    else if (spec === ops.ld || spec === ops.st) {
      const { bytes } = MEM_OPS[op.mem];
      const { key, by } = this.place(op.a);
      const list = this.#accesses.at(-1)!;
      const align = aligned && bytes <= 8 ? bytes : 1;
      const wanted = { low: by, high: by + bytes, write: spec === ops.st, mmu: op.imm, count: 1, align, at: by };
      if (!list.has(key)) list.set(key, []);
      list.get(key)!.push({ op: i, wanted });
    } else if (spec === ops.call) {
      const { writes } = effects(op.helper!);
      if (writes === "all") block.globals.forEach((_, g) => this.last.set(g, undefined));
      else for (const g of writes) this.last.set(g, undefined);
      if (forgets(op.helper!)) this.#accesses.push(new Map());
    }
    this.#stretch[i] = this.#accesses.length - 1;
  }

  place(v: Value): Place {
    return { key: this.#key[v]!, by: this.#by[v]! };
  }

  /** Whether it accesses something through a global that holds what it held where the block begins. */
  uses(global: number): boolean {
    return this.#accesses[0]!.has(atEntry(global));
  }

  /** Whether what is known of pages at the block's beginning is known at its end. */
  get remembers(): boolean {
    return this.#accesses.length === 1;
  }

  /** What operation `i` and those behind it want of the base of its address. */
  wanted(i: number, key: number): Wanted | undefined {
    const stretch = this.#stretch[i]!;
    let out: Wanted | undefined;
    for (const { op, wanted } of this.#accesses[stretch]!.get(key) ?? [])
      if (op >= i) out = out === undefined ? wanted : join(out, wanted);
    return stretch === this.#accesses.length - 1 ? both(out, this.behind.get(key)) : out;
  }

  /** What a successor wants of a global is wanted here, of what the global holds at the end. */
  add(global: number, wanted: Wanted): void {
    const place = this.last.has(global) ? this.last.get(global) : { key: atEntry(global), by: 0 };
    if (place === undefined) return;
    const here = raised(wanted, place.by);
    this.behind.set(place.key, both(this.behind.get(place.key), here)!);
  }

  /** What the block, and what is behind it, wants of globals as they are where it begins. */
  *ofGlobals(): Iterable<[number, Wanted]> {
    const whole = this.#accesses.length === 1;
    const keys = new Set([...this.#accesses[0]!.keys(), ...(whole ? this.behind.keys() : [])]);
    for (const key of keys) {
      if (key >= 0) continue;
      const wanted = this.wanted(0, key);
      if (wanted !== undefined) yield [-1 - key, wanted];
    }
  }
}

function both(a: Wanted | undefined, b: Wanted | undefined): Wanted | undefined {
  return a === undefined ? b : b === undefined ? a : join(a, b);
}

/** By node of a region. Only what is known on the ways forward is: where loops begin, and behind guest calls, nothing is. */
export function spansOf(
  plan: RegionPlan, { successors, continuation }: Edges, shape: Shape, effects: Effects, aligned: boolean,
): BlockSpans[] {
  const out = plan.blocks.map(({ block }) => new BlockSpans(block, effects, aligned));
  const order = plan.blocks.map((_, i) => i + 1).filter((n) => shape.index[n]! >= 0);
  order.sort((a, b) => shape.index[b]! - shape.index[a]!);
  for (const n of order)
    for (const to of successors[n]!) {
      if (to === 0 || to === continuation[n] || shape.number[to]! > 0 || shape.index[to]! <= shape.index[n]!) continue;
      for (const [g, wanted] of out[to - 1]!.ofGlobals()) out[n - 1]!.add(g, wanted);
    }
  return out;
} // prettier-ignore

/** An innermost loop that leaves a global as it is. */
export interface LoopSpans {
  readonly header: number;
  readonly body: ReadonlySet<number>;
  /** What the loop, and what is behind it, wants of such globals: looked for once, before it. */
  readonly wanted: readonly (readonly [global: number, wanted: Wanted])[];
}

/** Globals that a loop carries: each takes a register of the host. */
const MOST_CARRIED = 4;
/** Rounds of a loop, at least, for which it is worth to look before it. */
const LEAST_ROUNDS = 8;

/** By node: the loop in whose body it is, if that carries something. */
export function carryingLoops(
  { blocks }: RegionPlan, { successors, continuation }: Edges, shape: Shape, spans: readonly BlockSpans[],
): Map<number, LoopSpans> {
  const out = new Map<number, LoopSpans>();
  const executed = (node: number): number => blocks[node - 1]!.executions;
  for (const { header, body } of innermostLoops(successors, 1)) {
    const blocks = body.map((node) => spans[node - 1]!);
    // Nothing may get into the loop but by its header.
    if (body.some((node) => continuation[node] !== 0 || (node !== header && shape.number[node]! > 0))) continue;
    const entered = successors.reduce(
      (sum, to, from) => (from > 0 && to.includes(header) && !body.includes(from) ? sum + executed(from) : sum),
      0,
    );
    if (executed(header) < LEAST_ROUNDS * entered) continue;
    if (shape.number[header] === 0 || blocks.some(({ remembers }) => !remembers)) continue;
    const wanted = [...spans[header - 1]!.ofGlobals()]
      .filter(([g]) => blocks.some((it) => it.uses(g)) && blocks.every(({ last }) => !last.has(g)))
      .toSorted((a, b) => b[1].count - a[1].count)
      .slice(0, MOST_CARRIED);
    const loop = { header, body: new Set(body), wanted };
    if (wanted.length > 0) for (const node of body) out.set(node, loop);
  }
  return out;
} // prettier-ignore
