import { definesValue, type Block, type Op } from "../ir/block.ts";
import { OPS, ops } from "../ir/ops.ts";
import { MEM_OPS, NONE, type EnvField, type HelperSpec, type Value } from "../ir/type.ts";
import { lowPart } from "./bits.ts";
import { simplifyCondition } from "./conditions.ts";
import { operation, Rewriter, type Run } from "./rewriter.ts";

/** What is known at a branch, for a label that nothing else reaches. */
interface Snapshot {
  readonly run: Run;
  readonly known: Int32Array;
}

const PURE = 0, GET = 1, SET = 2, LABEL = 3, BR = 4, BRCOND = 5, CALL = 6, STORE = 7, OTHER = 8; // prettier-ignore

/** How the pass treats each operation, by code. */
const KIND = Uint8Array.from(OPS, (spec) => {
  if (spec.pure) return PURE;
  const kinds: Partial<Record<string, number>> = {
    get: GET,
    set: SET,
    label: LABEL,
    br: BR,
    brcond: BRCOND,
    call: CALL,
    st: STORE,
    env_st: STORE,
  };
  return kinds[spec.name] ?? OTHER;
});

/**
 * The forward pass: writes the block anew, with globals replaced by the values they hold, operations simplified, equal
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
  #snapshots: (Snapshot | undefined)[] = [];
  #reachable = true;
  /** Decides no branch and leaves nothing out: see `run`. */
  #careful = false;

  run(block: Block): Block {
    // Whether a label that only later code branches to is reached cannot be told in one pass over code of which a part
    // is left out. This is rare: then nothing is left out.
    this.#careful = false;
    if (!this.#rewriteAll(block)) {
      this.#careful = true;
      this.#rewriteAll(block);
    }
    return { name: block.name, pc: block.pc, ops: this.#r.out, labels: block.labels, globals: block.globals };
  }

  /** False if the block must be done again with care. */
  #rewriteAll(block: Block): boolean {
    this.#begin(block);
    const from = block.ops;
    for (let i = 0; i < from.length; i++) {
      const op = from[i]!;
      const kind = KIND[op.spec.code]!;
      if (!this.#reachable && !this.#careful) {
        if (kind === BR || kind === BRCOND) this.#references[op.imm]!--;
        if (kind !== LABEL) continue;
        if (this.#written[op.imm] === 0 && this.#references[op.imm]! > 0) return false;
      }
      this.#map[i] = this.#rewrite(op, kind);
    }
    return true;
  }

  #begin(block: Block): void {
    this.#r.begin();
    this.#reachable = true;
    if (block.ops.length > this.#map.length) this.#map = new Int32Array(block.ops.length * 2);
    if (block.globals !== this.#globals) this.#setGlobals(block.globals);
    this.#known.fill(NONE);
    if (block.labels === 0) return;
    if (block.labels > this.#references.length) {
      this.#references = new Int32Array(block.labels * 2);
      this.#written = new Int32Array(block.labels * 2);
    }
    this.#references.fill(0, 0, block.labels);
    this.#written.fill(0, 0, block.labels);
    this.#snapshots.length = 0;
    for (const op of block.ops) if (op.spec === ops.br || op.spec === ops.brcond) this.#references[op.imm]!++;
  }

  #setGlobals(globals: readonly EnvField[]): void {
    this.#globals = globals;
    this.#known = new Int32Array(globals.length);
    this.#names = new Map(globals.map((g, i) => [g.name, i]));
  }

  /** Writes one operation; the value that stands for its result. */
  #rewrite(op: Op, kind: number): number {
    const r = this.#r;
    switch (kind) {
      case PURE:
        return r.pure(this.#copy(op));
      case GET:
        return this.#known[op.imm]! >= 0 ? this.#known[op.imm]! : (this.#known[op.imm] = r.push(this.#copy(op)));
      case SET:
        return this.#set(op);
      case LABEL:
        return this.#label(op);
      case BR:
        return this.#branch(op);
      case BRCOND:
        return this.#conditionalBranch(op);
      case CALL:
        return this.#call(op);
      case STORE:
        return this.#store(op);
      default:
        if (op.spec.terminator) this.#reachable = false;
        return r.push(this.#copy(op));
    }
  }

  /** The operation with operands of the new block. */
  #copy(op: Op): Op {
    const map = this.#map;
    return {
      spec: op.spec,
      type: op.type,
      a: (op.a < 0 ? NONE : map[op.a]!) as Value,
      b: (op.b < 0 ? NONE : map[op.b]!) as Value,
      c: (op.c < 0 ? NONE : map[op.c]!) as Value,
      d: (op.d < 0 ? NONE : map[op.d]!) as Value,
      imm: op.imm,
      imm2: op.imm2,
      cond: op.cond,
      mem: op.mem,
      helper: op.helper,
      list: op.helper === undefined ? op.list : op.list.map((v) => map[v]!),
    };
  }

  /** A global that holds the value already is left alone. */
  #set(op: Op): Value {
    const v = this.#map[op.a]!;
    if (this.#known[op.imm] === v) return NONE;
    this.#known[op.imm] = v;
    return this.#r.push(this.#copy(op));
  }

  /** Only the bits that go to memory matter. */
  #store(op: Op): Value {
    const copy = this.#copy(op);
    const bits = MEM_OPS[op.mem].bytes * 8;
    if (op.type === "i32" || op.type === "i64") {
      if (op.spec === ops.st) copy.b = lowPart(this.#r, copy.b, bits);
      else copy.a = lowPart(this.#r, copy.a, bits);
    }
    return this.#r.push(copy);
  }

  #call(op: Op): Value {
    const r = this.#r;
    const helper = op.helper!;
    const copy = this.#copy(op);
    const v = r.push(copy);
    this.#forgetWritten(helper);
    return definesValue(op) ? v : NONE;
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
    return this.#r.push(this.#copy(op));
  }

  #conditionalBranch(op: Op): Value {
    const r = this.#r;
    const copy = this.#copy(op);
    let verdict = simplifyCondition(r, copy);
    // A truth value of the other width: compare what it was made of
    let type = copy.type;
    const x = r.out[copy.a]!;
    if (verdict === "depends" && (x.spec === ops.extu_i32 || x.spec === ops.ext_i32) && isZeroTest(r, copy)) {
      const narrow = operation(ops.brcond, "i32", x.a, r.small("i32", 0), NONE, NONE, copy.imm, 0, copy.cond);
      verdict = simplifyCondition(r, narrow);
      copy.a = narrow.a;
      copy.b = narrow.b;
      copy.cond = narrow.cond;
      type = "i32";
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
    return r.push(type === copy.type ? copy : { ...copy, type });
  }

  /** Remembers what holds at a branch that is the only one to its label. */
  #jumpTo(label: number): void {
    this.#written[label]!++;
    if (this.#references[label] !== 1) return;
    const { start, parent, out } = this.#r;
    this.#snapshots[label] = { run: { start, end: out.length, parent }, known: this.#known.slice() };
  }

  #label(op: Op): Value {
    const r = this.#r;
    const label = op.imm;
    const last = r.out.at(-1);
    if (!this.#reachable && last !== undefined && last.spec === ops.br && last.imm === label) {
      // A branch to the next operation
      r.out.pop();
      this.#references[label]!--;
      this.#written[label]!--;
      this.#reachable = true;
    }
    if (this.#references[label] === 0 && !this.#careful) return NONE;
    const snapshot = this.#snapshots[label];
    if (!this.#reachable && this.#references[label] === 1 && this.#written[label] === 1 && snapshot !== undefined) {
      r.parent = snapshot.run;
      this.#known.set(snapshot.known);
    } else {
      r.parent = undefined;
      this.#known.fill(NONE);
    }
    r.start = r.out.length;
    this.#reachable = true;
    return r.push(operation(ops.label, "i32", NONE, NONE, NONE, NONE, label, 0, "eq"));
  }
}

function isZeroTest(r: Rewriter, op: Op): boolean {
  return (op.cond === "eq" || op.cond === "ne") && r.is(op.b, 0);
}
