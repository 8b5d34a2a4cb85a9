import type { Block, Op } from "../ir/block.ts";
import { OPS, ops } from "../ir/ops.ts";
import { MEM_OPS, NONE, type EnvField, type HelperSpec, type Value } from "../ir/type.ts";
import { lowPart } from "./bits.ts";
import { simplifyCondition } from "./conditions.ts";
import { operation, Rewriter, type Run } from "./rewriter.ts";

const PURE = 0, GET = 1, SET = 2, LABEL = 3, BR = 4, BRCOND = 5, CALL = 6, STORE = 7, OTHER = 8, GUARD = 9; // prettier-ignore

/** How the pass treats each operation, by code. */
const KIND = Uint8Array.from(OPS, (spec) => {
  if (spec.pure) return PURE;
  const kinds: Partial<Record<string, number>> = {
    get: GET,
    set: SET,
    label: LABEL,
    br: BR,
    brcond: BRCOND,
    guard: GUARD,
    call: CALL,
    st: STORE,
    env_st: STORE,
  };
  return kinds[spec.name] ?? OTHER;
});

/**
 * The forward pass: writes the block anew (of the same operation objects, where they stay), with globals replaced by the values they hold, operations simplified, equal
 * ones shared, branches on constants decided, and code that is not reached left out.
 */
export class Forward {
  readonly #r = new Rewriter();
  /** New value of each old one. */
  #map = new Int32Array(1024);
  /** Value that each global holds here, or NONE. */
  #known = new Int32Array(0);
  #names = new Map<string, number>();
  #globals: readonly EnvField[] | undefined;
  /** By label: branches to it that remain, those written before here, and what was known at the only one. */
  #references = new Int32Array(64);
  #written = new Int32Array(64);
  #runs: (Run | undefined)[] = [];
  /** By label: `known` at that branch. */
  readonly #knownAt: Int32Array[] = [];
  #reachable = true;
  /** The guards written so far. */
  readonly #guards: Value[] = [];
  /** The last guest instruction that starts in code left out: what follows the next label belongs to it. */
  #leftOut: Op | undefined;
  /** Decides no branch and leaves nothing out: see `run`. */
  #careful = false;

  /** Rewrites the block in place. */
  run(block: Block): void {
    const backwards = this.#begin(block);
    // Whether a label that only later code branches to is reached cannot be told in one pass over code of which a part
    // is left out. This is rare: then nothing is left out.
    const saved = backwards ? block.ops.map(clone) : block.ops;
    this.#careful = false;
    if (!this.#rewriteAll(block.ops)) {
      for (let i = 0; i < saved.length; i++) block.ops[i] = saved[i]!;
      this.#begin(block);
      this.#careful = true;
      this.#rewriteAll(block.ops);
    }
    const { out, length } = this.#r;
    for (let i = 0; i < length; i++) block.ops[i] = out[i]!;
    block.ops.length = length;
  }

  /** False if the block must be done again with care. */
  #rewriteAll(from: readonly Op[]): boolean {
    const map = this.#map;
    for (let i = 0; i < from.length; i++) {
      const op = from[i]!;
      const kind = KIND[op.spec.code]!;
      if (!this.#reachable && !this.#careful) {
        if (kind === BR || kind === BRCOND) this.#references[op.imm]!--;
        if (op.spec === ops.insn) this.#leftOut = op;
        if (kind !== LABEL) continue;
        if (this.#written[op.imm] === 0 && this.#references[op.imm]! > 0) return false;
      }
      translate(op, map);
      map[i] = this.#rewrite(op, kind);
      if (this.#leftOut !== undefined && this.#reachable) {
        this.#r.push(this.#leftOut);
        this.#leftOut = undefined;
      }
    }
    return true;
  }

  /** Whether there is a branch backwards. */
  #begin(block: Block): boolean {
    this.#r.begin();
    this.#reachable = true;
    this.#leftOut = undefined;
    this.#guards.length = 0;
    if (block.ops.length > this.#map.length) this.#map = new Int32Array(block.ops.length * 2);
    if (block.globals !== this.#globals) this.#setGlobals(block.globals);
    this.#known.fill(NONE);
    if (block.labels === 0) return false;
    if (block.labels > this.#references.length) {
      this.#references = new Int32Array(block.labels * 2);
      this.#written = new Int32Array(block.labels * 2);
    }
    this.#references.fill(0, 0, block.labels);
    this.#written.fill(0, 0, block.labels);
    this.#runs.length = 0;
    return this.#countBranches(block.ops);
  }

  /** Counts the branches to each label; whether one leads backwards. */
  #countBranches(all: readonly Op[]): boolean {
    let backwards = false;
    for (let i = 0; i < all.length; i++) {
      const op = all[i]!;
      const kind = KIND[op.spec.code]!;
      // While counting, `written` says whether the label was met.
      if (kind === LABEL) this.#written[op.imm] = 1;
      if (kind !== BR && kind !== BRCOND) continue;
      this.#references[op.imm]!++;
      backwards ||= this.#written[op.imm] === 1;
    }
    this.#written.fill(0);
    return backwards;
  }

  #setGlobals(globals: readonly EnvField[]): void {
    this.#globals = globals;
    this.#known = new Int32Array(globals.length);
    this.#knownAt.length = 0;
    this.#names = new Map(globals.map((g, i) => [g.name, i]));
  }

  /** Writes one operation; the value that stands for its result. */
  #rewrite(op: Op, kind: number): number {
    const r = this.#r;
    switch (kind) {
      case PURE:
        return r.pure(op);
      case GET:
        return this.#known[op.imm]! >= 0 ? this.#known[op.imm]! : (this.#known[op.imm] = r.push(op));
      case SET:
        return this.#set(op);
      case LABEL:
        return this.#label(op);
      case BR:
        return this.#branch(op);
      case BRCOND:
        return this.#conditionalBranch(op);
      case GUARD:
        return this.#guard(op);
      case CALL:
        return this.#call(op);
      case STORE:
        return this.#store(op);
      default:
        if (op.spec.terminator) this.#reachable = false;
        return r.push(op);
    }
  }

  /** A global that holds the value already is left alone. */
  #set(op: Op): Value {
    if (this.#known[op.imm] === op.a) return NONE;
    this.#known[op.imm] = op.a;
    return this.#r.push(op);
  }

  /** Only the bits that go to memory matter. */
  #store(op: Op): Value {
    const bits = MEM_OPS[op.mem].bytes * 8;
    if (op.type === "i32" || op.type === "i64") {
      if (op.spec === ops.st) op.b = lowPart(this.#r, op.b, bits);
      else op.a = lowPart(this.#r, op.a, bits);
    }
    return this.#r.push(op);
  }

  #call(op: Op): Value {
    const v = this.#r.push(op);
    this.#forgetWritten(op.helper!);
    return v;
  }

  #forgetWritten(helper: HelperSpec): void {
    const { writes } = helper;
    if (writes === undefined || writes === "all") {
      this.#known.fill(NONE);
      return;
    }
    for (const name of writes) {
      const index = this.#names.get(name);
      if (index !== undefined) this.#known[index] = NONE;
    }
  }

  #branch(op: Op): Value {
    this.#jumpTo(op.imm);
    this.#reachable = false;
    return this.#r.push(op);
  }

  #conditionalBranch(op: Op): Value {
    const r = this.#r;
    let verdict = simplifyCondition(r, op);
    let better = op;
    // A truth value of the other width: compare what it was made of
    const x = r.out[op.a]!;
    if (verdict === "depends" && (x.spec === ops.extu_i32 || x.spec === ops.ext_i32) && isZeroTest(r, op)) {
      better = operation(ops.brcond, "i32", x.a, r.small("i32", 0), NONE, NONE, op.imm, op.imm2, op.cond);
      verdict = simplifyCondition(r, better);
    }
    if (this.#careful) verdict = "depends";
    if (verdict === "never") {
      this.#references[op.imm]!--;
      return NONE;
    }
    if (verdict === "always") {
      this.#jumpTo(op.imm);
      this.#reachable = false;
      return r.push(operation(ops.br, "i32", NONE, NONE, NONE, NONE, op.imm, 0, "eq"));
    }
    this.#jumpTo(op.imm);
    return r.push(better);
  }

  /** Dropped if its condition never holds, or has been tested on every path to here. */
  #guard(op: Op): Value {
    const r = this.#r;
    if (simplifyCondition(r, op) === "never") return NONE;
    for (const v of this.#guards) {
      const g = r.out[v]!;
      if (g.cond === op.cond && g.a === op.a && g.b === op.b && g.type === op.type && r.available(v)) return NONE;
    }
    const v = r.push(op);
    this.#guards.push(v);
    return v;
  }

  /** Remembers what holds at a branch that is the only one to its label. */
  #jumpTo(label: number): void {
    this.#written[label]!++;
    if (this.#references[label] !== 1) return;
    const { start, parent, length } = this.#r;
    this.#runs[label] = { start, end: length, parent };
    const known = (this.#knownAt[label] ??= new Int32Array(this.#known.length));
    for (let g = 0; g < known.length; g++) known[g] = this.#known[g]!;
  }

  #label(op: Op): Value {
    const r = this.#r;
    const label = op.imm;
    const last = r.length > 0 ? r.out[r.length - 1]! : op;
    if (!this.#reachable && last.spec === ops.br && last.imm === label) {
      // A branch to the next operation
      r.length--;
      this.#references[label]!--;
      this.#written[label]!--;
      this.#reachable = true;
    }
    if (this.#references[label] === 0 && !this.#careful) return NONE;
    const run = this.#runs[label];
    if (!this.#reachable && this.#references[label] === 1 && this.#written[label] === 1 && run !== undefined) {
      r.parent = run;
      this.#known.set(this.#knownAt[label]!);
    } else {
      r.parent = undefined;
      this.#known.fill(NONE);
    }
    r.start = r.length;
    this.#reachable = true;
    return r.push(op);
  }
}

/** Replaces the operands by the values that stand for them. */
function translate(op: Op, map: Int32Array): void {
  if (op.a >= 0) op.a = map[op.a]! as Value;
  if (op.b >= 0) op.b = map[op.b]! as Value;
  if (op.c >= 0) op.c = map[op.c]! as Value;
  if (op.d >= 0) op.d = map[op.d]! as Value;
  if (op.helper !== undefined) for (let i = 0; i < op.list.length; i++) op.list[i] = map[op.list[i]!]!;
}

const clone = (op: Op): Op => ({ ...op, list: op.helper === undefined ? op.list : [...op.list] });

function isZeroTest(r: Rewriter, op: Op): boolean {
  return (op.cond === "eq" || op.cond === "ne") && r.is(op.b, 0);
}
