/** What becomes of the values of a block, as far as the bytecode writer has to know it. */
import { helperEffects } from "../exec/chains.ts";
import type { HelperEffects } from "../exec/chains.ts";
import type { Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { EnvField, HelperSpec, Value } from "../ir/type.ts";
import { isSmall, isZero } from "./constants.ts";

const NEVER = 0x7fffffff;

/** Uses of values, by operation; one object serves all blocks of a machine. */
export class Uses {
  /** Last position that uses the value; -1: there is none. */
  lastUse: Int32Array = new Int32Array(512);
  /** For an address: 1 when it is folded into the accesses that use it. */
  folded: Uint8Array = new Uint8Array(512);
  /** For a constant: 1 when some use needs it in a slot. */
  needed: Uint8Array = new Uint8Array(512);
  /**
   * 1 where there is nothing to do: for a change between i32 and i64, its value is what its operand's slot holds; for a `set`, nothing sees
   * it.
   */
  absent: Uint8Array = new Uint8Array(512);
  /** For a `get` or `set`: the next position behind it that writes its global. */
  nextWrite: Int32Array = new Int32Array(512);
  /** No branch goes backwards, so that a slot is free once its value was used for the last time. */
  reuse = true;

  readonly #effects: (helper: HelperSpec) => HelperEffects;
  /** Results of type i32 fill their slot, with zeros above. */
  readonly #wide: boolean;
  // Per global, while going backwards.
  /** The next position that writes it. */
  readonly #write: Int32Array;
  /** The stretch in which it is written further on, and nothing sees it before that. */
  readonly #overwritten: Int32Array;
  /** Number of the stretch that is entered only at its beginning, and left only at its end. */
  #stretch = 0;
  /** By label: 1 when it was met. */
  #seen = new Uint8Array(64);

  constructor(globals: readonly EnvField[], wide: boolean) {
    this.#effects = helperEffects(globals);
    this.#wide = wide;
    this.#write = new Int32Array(globals.length);
    this.#overwritten = new Int32Array(globals.length);
  }

  #reset(count: number, labels: number): void {
    if (count > this.lastUse.length) this.#grow(count * 2);
    if (labels > this.#seen.length) this.#seen = new Uint8Array(labels * 2);
    // Most blocks are short: a loop is over sooner than four calls.
    const { lastUse, folded, needed, absent } = this;
    for (let i = 0; i < count; i++) {
      lastUse[i] = -1;
      folded[i] = needed[i] = absent[i] = 0;
    }
    for (let l = 0; l < labels; l++) this.#seen[l] = 0;
    this.reuse = true;
  }

  #grow(size: number): void {
    this.lastUse = new Int32Array(size);
    this.folded = new Uint8Array(size);
    this.needed = new Uint8Array(size);
    this.absent = new Uint8Array(size);
    this.nextWrite = new Int32Array(size);
  }

  /**
   * From the end: finds uses, what writes a global next, loops, addresses and constants that fold into their users, values that share
   * a slot, stores to globals that nothing sees. What is not used, its operands are not used by.
   */
  find(all: readonly Op[], labels: number): void {
    this.#reset(all.length, labels);
    const write = this.#write.fill(NEVER);
    const next = this.nextWrite;
    const lastUse = this.lastUse;
    const overwritten = this.#overwritten.fill(-1);
    this.#stretch = 0;
    let clobber = NEVER;
    for (let i = all.length - 1; i >= 0; i--) {
      const op = all[i]!;
      const { spec } = op;
      if (spec === ops.get) {
        if (lastUse[i]! < 0) continue;
        const at = write[op.imm]!;
        next[i] = at < clobber ? at : clobber;
        overwritten[op.imm] = -1;
        continue;
      }
      if (spec === ops.set) {
        if (overwritten[op.imm] === this.#stretch) {
          this.absent[i] = 1;
          continue;
        }
        const at = write[op.imm]!;
        next[i] = at < clobber ? at : clobber;
        write[op.imm] = i;
        overwritten[op.imm] = this.#stretch;
      } else if (spec.pure) {
        if (lastUse[i]! < 0 || spec === ops.const) continue;
      } else if (spec === ops.call) {
        if (this.#effectsOf(op, i, write)) clobber = i;
      } else if (spec === ops.label) {
        this.#seen[op.imm] = 1;
        this.#stretch++;
      } else if (spec.terminator || spec.mayFault || spec === ops.brcond) {
        if ((spec === ops.br || spec === ops.brcond) && this.#seen[op.imm] === 0) this.reuse = false;
        this.#stretch++;
      }
      if (op.a >= 0) this.#use(all, op, op.a, 0, i);
      if (op.b >= 0) this.#use(all, op, op.b, 1, i);
      if (op.c >= 0) this.#use(all, op, op.c, 2, i);
      if (op.d >= 0) this.#use(all, op, op.d, 3, i);
      if (spec === ops.call) for (const v of op.list) this.#use(all, op, v as Value, 1, i);
      else if (spec === ops.add ? this.folded[i] === 1 : this.#shares(all, op)) {
        // The operand is read where this value is.
        if (spec !== ops.add) this.absent[i] = 1;
        if (lastUse[op.a]! < lastUse[i]!) lastUse[op.a] = lastUse[i]!;
      }
    }
  }

  /** Notes what a helper reads and writes. @returns whether it may write any global */
  #effectsOf(op: Op, at: number, write: Int32Array): boolean {
    const { reads, writes } = this.#effects(op.helper!);
    if (op.helper!.mayFault === true || reads === "all") this.#stretch++;
    else for (const g of reads) this.#overwritten[g] = -1;
    if (writes === "all") return true;
    for (const g of writes) write[g] = at;
    return false;
  }

  /** The value is what its operand's slot holds: the low half of an i64, or an i32 with zeros above it. */
  #shares(all: readonly Op[], op: Op): boolean {
    if (!this.#wide) return false;
    if (op.spec === ops.extrl) return true;
    if (op.spec !== ops.extu_i32) return false;
    const { spec } = all[op.a]!;
    return spec !== ops.const && spec !== ops.get && spec !== ops.extrl && spec !== ops.env_addr;
  }

  /** The operation whose slot a value is in. */
  root(all: readonly Op[], v: Value): Value {
    let root = v;
    while (this.absent[root] === 1) root = all[root]!.a;
    return root;
  }

  #use(all: readonly Op[], user: Op, v: Value, n: number, at: number): void {
    const op = all[v]!;
    if (this.lastUse[v]! < at) this.lastUse[v] = at;
    if (op.spec === ops.const) {
      if (!this.#takesConstant(user, n, op)) this.needed[v] = 1;
      return;
    }
    // An address is foldable (1) while every use seen is an address; 2 says it is not.
    if (op.spec === ops.add) {
      if (n !== 0 || !user.spec.mayFault || user.spec === ops.call) this.folded[v] = 2;
      else if (this.folded[v] === 0) this.folded[v] = isSmall(all[op.b]!) ? 1 : 2;
    }
  }

  /** Whether operand `n` of `user` can be the constant without it being in a slot. */
  #takesConstant(user: Op, n: number, constant: Op): boolean {
    const { spec } = user;
    if (spec === ops.set) return true;
    if (isZero(constant) && constant.type !== "v128") return true; // the zero slot
    if (spec.pure || spec === ops.brcond) {
      return n === 1 && isSmall(constant) && (spec.operands[1] === "T" || spec.operands[1] === constant.type);
    }
    return false;
  }
}
