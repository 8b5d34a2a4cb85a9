/** Instructions that are stamped: translated once for each shape of their operands, for their first executions. */
import type { Stamp, Stamps, TranslateContext } from "@mimus/tcg";
import type { Insn } from "../insn.ts";
import { HF } from "../state.ts";
import { DYNAMIC } from "./flag-view.ts";
import { sampleOf, sampleOffset } from "./stamp-sample.ts";
import { fillAddresses, shapeOf, VALUE, VALUES } from "./stamp-shape.ts";
import type { Translate, Tx } from "./tx.ts";

/** Of instructions with registers, memory, immediates and distances as operands, and nothing else that tells them apart. */
const PLAIN: ReadonlySet<string> = new Set([
  "mov", "movzx", "movsx", "movsxd", "lea", "nop", "push", "pop", "add", "sub", "cmp", "and", "or", "xor", "test",
  "not", "neg", "shl", "shr", "sar",
]); // prettier-ignore
/** Those that look at what the flags are of, or leave the block and store it. */
const FLAGS: ReadonlySet<string> = new Set([
  "jcc", "setcc", "cmovcc", "inc", "dec", "jmp", "call", "ret", "jmp_ind", "call_ind",
]); // prettier-ignore
const RELATIVE: ReadonlySet<string> = new Set(["jcc", "jmp", "call"]);

/** Bits of tbFlags that no such instruction depends on, and those with which none is stamped. */
const UNUSED = HF.ts | HF.em | HF.mp | HF.osfxsr | HF.avx | HF.mxcsrFast;
const SPECIAL = HF.tf | HF.shadow | HF.breakpoints | HF.csBase | HF.addSeg | HF.checkSeg | HF.alignCheck;

/** The flags are of what they were. */
const KEPT = -2;

/** Instructions of a shape that have IR: two more are translated for its stamp. */
const SEEN = 2;

/** A stamp, and what the flags are of behind it. */
interface Known {
  readonly stamp: Stamp;
  readonly flagsOf: number;
}

/** By shape; null: it cannot be stamped; a number: how often it was seen. */
type Shapes = Map<number, Known | null | number>;

/** What a row's instructions are told apart by besides their shape. */
interface Plan {
  readonly readsFlags: boolean;
  readonly relative: boolean;
  /** It may be relative to its address, or push it. */
  readonly usesNext: boolean;
  /** By the state of the flags. */
  readonly states: Map<number, Shapes>;
}

/** Makes what translators work with. */
export type MakeTx = (ctx: TranslateContext, insn: Insn) => Tx;

/** The stamps of one kind of CPU. */
export class Stamper {
  readonly #makeTx: MakeTx;
  readonly #translators: readonly Translate[];
  /** By tbFlags; in them by row. */
  readonly #modes: Map<number, (Plan | null)[]> = new Map();
  #mode = -1;
  #plans: (Plan | null)[] = [];
  readonly #words: [number, number] = [0, 0];
  readonly #place = { pcLo: 0, pcHi: 0, at: 0, wide: false };

  constructor(translators: readonly Translate[], makeTx: MakeTx) {
    this.#translators = translators;
    this.#makeTx = makeTx;
  }

  /** Adds the instruction to the block if it can be stamped. @returns whether it was */
  put(t: Tx, i: Insn, stamps: Stamps): boolean {
    if ((t.flags & SPECIAL) !== 0 || t.code === 16) return false;
    const plan = this.#planOf(t.flags & ~UNUSED, i);
    if (plan === null) return false;
    const { values } = stamps;
    const operands = shapeOf(i, values);
    if (operands < 0) return false;
    let shape = operands;
    const { ctx, lazy } = t;
    let near = 0;
    if (plan.relative || plan.usesNext || i.mem.base === -2) {
      const place = this.#place;
      place.pcLo = ctx.pcLo;
      place.pcHi = ctx.pcHi;
      place.at = ctx.at;
      place.wide = t.code === 64;
      near = fillAddresses(values, i, place);
      if (near < 0) return false;
      if (i.mem.base === -2 && values[VALUE.memoryLo] === i.immLo) return false;
      if (!plan.relative) near = 1;
      else if (t.word === 64 && (values[VALUE.targetHi] !== ctx.pcHi || values[VALUE.nextHi] !== ctx.pcHi))
        return false;
      else shape |= near << 22;
    }
    const state = plan.readsFlags ? (((lazy.kindNow + 2) << 10) | (lazy.kindInField + 2)) * 16 + (i.opcode & 15) : 0;
    let shapes = plan.states.get(state);
    if (shapes === undefined) plan.states.set(state, (shapes = new Map()));
    let known = shapes.get(shape);
    if (known === undefined || typeof known === "number") {
      const seen = known ?? 0;
      if (seen < SEEN) {
        shapes.set(shape, seen + 1);
        return false;
      }
      known = this.#learn(t, i, operands, near, plan, stamps) ?? null;
      shapes.set(shape, known);
    }
    if (known === null) return false;
    this.#words[0] = ctx.at;
    this.#words[1] = lazy.word;
    lazy.forgetValues();
    stamps.put(ctx, known.stamp, this.#words);
    if (known.flagsOf !== KEPT) lazy.assume(known.flagsOf, lazy.kindInField);
    return true;
  }

  #planOf(mode: number, { row, encoding: { name } }: Insn): Plan | null {
    if (mode !== this.#mode) {
      this.#mode = mode;
      const plans = this.#modes.get(mode) ?? [];
      this.#modes.set(mode, plans);
      this.#plans = plans;
    }
    let plan = this.#plans[row];
    if (plan === undefined) {
      const readsFlags = FLAGS.has(name);
      plan =
        readsFlags || PLAIN.has(name)
          ? { readsFlags, relative: RELATIVE.has(name), usesNext: name === "call_ind", states: new Map() }
          : null;
      this.#plans[row] = plan;
    }
    return plan;
  }

  #learn(t: Tx, like: Insn, shape: number, near: number, plan: Plan, stamps: Stamps): Known | undefined {
    const [a, b] = [sampleOf(like, shape, near, 0), sampleOf(like, shape, near, 1)];
    if (a === undefined || b === undefined) return undefined;
    const samples = [a, b] as const;
    const { kindNow, kindInField } = plan.readsFlags ? t.lazy : { kindNow: DYNAMIC, kindInField: DYNAMIC };
    const after = [0, 0];
    const stamp = stamps.learn(t.ctx, {
      at: [sampleOffset(like.length, near, 0), sampleOffset(like.length, near, 1)],
      flags: [t.flags, t.flags],
      calls: true,
      narrow: t.code !== 64,
      emit: (ctx, n) => {
        const i = samples[n];
        const tx = this.#makeTx(ctx, i);
        tx.lazy.assume(kindNow, kindInField);
        tx.start();
        this.#translators[i.row]!(tx, i);
        after[n] = tx.lazy.kindNow;
        const values = new Int32Array(VALUES);
        shapeOf(i, values);
        fillAddresses(values, i, { pcLo: ctx.pcLo, pcHi: ctx.pcHi, at: ctx.at, wide: tx.code === 64 });
        return values;
      },
    });
    if (stamp === undefined || after[0] !== after[1]) return undefined;
    return { stamp, flagsOf: after[0] === kindNow ? KEPT : after[0]! };
  }
}
