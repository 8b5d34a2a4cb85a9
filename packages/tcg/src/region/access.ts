/** How code in regions reaches the memory of user-mode emulation, and how it leaves for the interpreter. */
import { EXIT, ENV } from "../exec/contract.ts";
import type { DirectMemory } from "../exec/contract.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { Value } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { emitCond } from "../ir/wasm-ops.ts";
import { ALIAS, INLINE, LOCAL } from "../wasm/analysis.ts";
import type { Analysis } from "../wasm/analysis.ts";
import { ENVP } from "../wasm/block-emitter.ts";
import { W } from "../wasm/encode.ts";
import { emitLoad, emitStore, VALUE_TYPE } from "../wasm/memory-ops.ts";
import type { RegionSettings } from "./region-compiler.ts";
import { covers, meet, moved, NOWHERE_REACHED, widened } from "./reach.ts";
import type { Reach } from "./reach.ts";
import { SpanEmitter, UNCOMMON } from "./span-emitter.ts";

/** A window reaches so far. */
const REACH = 2048;
/** Where the window is looked at for a negative displacement: a header's length below the base, or a multiple of a frame's. */
const HEADER = 16;
const FRAME = 128;

/** Displacement at which the window is looked at for one of an access: what lies above it is then known for some way. */
const lowest = (offset: number): number =>
  offset >= 0 ? 0 : offset >= -HEADER ? -HEADER : -FRAME * Math.ceil(-offset / FRAME);

/** Keys of values in the set of checked bases; those below are globals. */
const VALUE_KEY = 0x10000;
const NO_KEY = -1;

/** Emits blocks one after the other into one function. */
export abstract class AccessEmitter extends SpanEmitter {
  readonly #direct: DirectMemory | undefined;
  /** What windows that were looked at allow, by base: globals, and values of the block. */
  #reach: Map<number, Reach> = new Map();
  readonly #atLabel: Map<number, Map<number, Reach>> = new Map();
  /** The same on all ways to a node so far, of globals. */
  readonly #arriving: Map<number, Map<number, Reach>> = new Map();

  constructor(settings: RegionSettings) {
    super(settings);
    this.#direct = settings.direct;
  }

  protected override startRegion(first: Block): void {
    super.startRegion(first);
    this.#arriving.clear();
  }

  protected override startBlock(block: Block, a: Analysis, tb: number): void {
    super.startBlock(block, a, tb);
    this.#reach = new Map();
    this.#atLabel.clear();
  }

  /** Registers are not what they were. */
  protected override forgetReach(): void {
    super.forgetReach();
    this.#reach = new Map();
  }

  /** Code goes to a node from here. */
  protected override leaveForNode(node: number): void {
    super.leaveForNode(node);
    const known = this.#arriving.get(node);
    if (known !== undefined) this.#arriving.set(node, meet(known, this.#reach));
    else this.#arriving.set(node, new Map([...this.#reach].filter(([key]) => key < VALUE_KEY)));
  }

  /** A node begins that is reached by the ways already emitted alone. */
  protected override arriveAtNode(node: number): void {
    super.arriveAtNode(node);
    this.#reach = new Map(this.#arriving.get(node));
  }

  protected override call(op: Op, i: number): void {
    super.call(op, i);
    const { writes } = this.effects(op.helper!);
    if (writes === "all") this.#reach.clear();
    else for (const g of writes) this.#reach.delete(g);
  }

  /** `uncharged`: instructions of the block that the budget was not charged for; who handles the fault takes it that it was. */
  protected override faultExits(uncharged: number = 0): void {
    const { code } = this;
    const { stages } = this.a;
    if (stages.length > 0) this.notes?.comment(code.length, "faults");
    for (let i = stages.length - 1; i >= 0; i--) {
      code.end();
      for (const g of stages[i]!) this.storeGlobal(g);
    }
    if (stages.length === 0) return;
    this.storeBudget();
    if (uncharged > 0) {
      code.get(ENVP);
      code.get(ENVP);
      code.mem(W.i32Load, ENV.budget, 2);
      code.i32(uncharged);
      code.op(W.i32Sub);
      code.mem(W.i32Store, ENV.budget, 2);
    }
    code.get(ENVP);
    code.i32(this.tb);
    code.mem(W.i32Store, ENV.exitTb, 2);
    code.get(ENVP);
    code.get(this.temp("site"));
    code.mem(W.i32Store, ENV.exitSite, 2);
    // EXIT.fault, or EXIT.uncommon with the site's mark.
    code.get(this.temp("site"));
    code.i32(31 - Math.clz32(UNCOMMON));
    code.op(W.i32ShrU);
    code.i32(EXIT.uncommon - EXIT.fault);
    code.op(W.i32Mul);
    code.i32(EXIT.fault);
    code.op(W.i32Add);
    code.op(W.return);
  }

  protected override operation(op: Op, i: number): void {
    const { spec } = op;
    if (spec === ops.br || spec === ops.brcond) this.#leaveFor(op.imm);
    super.operation(op, i);
    if (spec === ops.set) this.#note(op.imm, this.#reachOf(op.a));
    else if (spec === ops.add && this.a.kind[i] === LOCAL) this.#note(VALUE_KEY + i, this.#derived(op));
  }

  #note(key: number, reach: Reach | undefined): void {
    if (reach === undefined) this.#reach.delete(key);
    else this.#reach.set(key, reach);
  }

  #reachOf(v: Value): Reach | undefined {
    const key = this.#key(v);
    return key === NO_KEY ? this.#derived(this.block.ops[v]!) : this.#reach.get(key);
  }

  /** Of a sum of a base and a constant. */
  #derived({ spec, a: base, b }: Op): Reach | undefined {
    if (spec !== ops.add) return undefined;
    const by = this.block.ops[b]!;
    const key = this.#key(base);
    const reach =
      key === NO_KEY || by.spec !== ops.const || by.imm2 !== by.imm >> 31 ? undefined : this.#reach.get(key);
    return reach === undefined ? undefined : moved(reach, by.imm);
  }

  /** What is known at a label is what is known on every way to it. */
  #leaveFor(label: number): void {
    const known = this.#atLabel.get(label);
    this.#atLabel.set(label, known === undefined ? new Map(this.#reach) : meet(known, this.#reach));
  }

  /** A label that can be reached is placed; `falls`: also from the code above. */
  protected override placeLabel(label: number, falls: boolean): void {
    super.placeLabel(label, falls);
    const known = this.#atLabel.get(label);
    if (known !== undefined) this.#reach = falls ? meet(known, this.#reach) : known;
  }

  #key(v: Value): number {
    const kind = this.a.kind[v];
    if (kind === ALIAS) return this.block.ops[v]!.imm;
    return kind === LOCAL ? VALUE_KEY + v : NO_KEY;
  }

  protected override load(op: Op, i: number): void {
    const { code } = this;
    const direct = this.#direct;
    if (direct === undefined || op.type === "v128") return super.load(op, i);
    const { base, offset } = this.#split(op);
    const local = this.#base(base);
    const { bytes } = MEM_OPS[op.mem];
    const known = this.#allows(base, false, offset, bytes);
    if (!known && this.isSlowSite(this.tb, this.site)) {
      this.#pushAllowed(local, lowest(offset), false);
      code.if(VALUE_TYPE[op.type]);
      this.#pushAddress(local);
      emitLoad(code, op.type, op.mem, direct.base + offset);
      code.else();
      this.depth++;
      this.loadThroughTlb(op, i);
      this.depth--;
      code.end();
    } else {
      if (!known) this.#need(base, local, false, offset, i);
      this.#pushAddress(local);
      emitLoad(code, op.type, op.mem, direct.base + offset);
    }
    this.define(op, i);
  }

  protected override store(op: Op, i: number): void {
    const { code } = this;
    const direct = this.#direct;
    if (direct === undefined || op.type === "v128") return super.store(op, i);
    const { base, offset } = this.#split(op);
    const local = this.#base(base);
    const { bytes } = MEM_OPS[op.mem];
    const known = this.#allows(base, true, offset, bytes);
    const slow = !known && this.isSlowSite(this.tb, this.site);
    if (slow) {
      this.#pushAllowed(local, lowest(offset), true);
      code.if();
    } else if (!known) this.#need(base, local, true, offset, i);
    this.#pushAddress(local);
    this.push(op.b);
    emitStore(code, op.type, bytes, direct.base + offset);
    if (!slow) return;
    code.else();
    this.depth++;
    super.store(op, i);
    this.depth--;
    code.end();
  }

  #pushAddress(local: number): void {
    this.code.get(local);
    if (this.target.word === "i64") this.code.op(W.i32WrapI64);
  }

  /** The address of an access as base and displacement. */
  #split({ a: v, mem }: Op): { base: Value; offset: number } {
    const op = this.block.ops[v]!;
    if (op.spec === ops.add && this.a.kind[v] === INLINE) {
      const by = this.block.ops[op.b]!;
      const near = by.imm >= -REACH && by.imm + MEM_OPS[mem].bytes <= REACH && by.imm2 === by.imm >> 31;
      if (by.spec === ops.const && near) return { base: op.a, offset: by.imm };
    }
    return { base: v, offset: 0 };
  }

  /** The local with a base. */
  #base(base: Value): number {
    const kind = this.a.kind[base];
    if (kind === ALIAS) return this.global(this.block.ops[base]!.imm);
    if (kind === LOCAL) return this.valueLocal[base]!;
    const local = this.#baseLocal();
    this.push(base);
    this.code.set(local);
    return local;
  }

  #allows(base: Value, write: boolean, offset: number, bytes: number): boolean {
    const reach = this.#reachOf(base);
    return reach !== undefined && covers(reach, write, offset, bytes);
  }

  /** Leaves for the interpreter unless the base's window allows an access near it, above it where `offset` is not negative. */
  #need(base: Value, local: number, write: boolean, offset: number, i: number): void {
    const { code } = this;
    code.i32(this.site | UNCOMMON);
    code.set(this.temp("site"));
    const low = lowest(offset);
    this.#pushAllowed(local, low, write);
    code.op(W.i32Eqz);
    this.uncommonIf(i);
    const key = this.#key(base);
    if (key === NO_KEY) return;
    const before = this.#reach.get(key) ?? NOWHERE_REACHED;
    this.#reach.set(key, widened(before, write, low, low + REACH + 1));
  }

  /**
   * Pushes whether the base's window allows the access: the window says below which address, all or none. So one comparison does
   * for the end of the address space too.
   */
  #pushAllowed(local: number, low: number, write: boolean): void {
    const { code } = this;
    const { readable, writable, windowShift } = this.#direct!;
    const wide = this.target.word === "i64";
    const push = (): void => {
      code.get(local);
      if (low === 0) return;
      if (wide) code.i64(low, -1);
      else code.i32(low);
      code.op(wide ? W.i64Add : W.i32Add);
    };
    push();
    push();
    if (wide) code.op(W.i32WrapI64);
    code.i32(11);
    code.op(W.i32ShrU);
    code.mem(wide ? W.i64Load8U : W.i32Load8U, write ? writable : readable, 0);
    if (wide) code.i64(windowShift, 0);
    else code.i32(windowShift);
    code.op(wide ? W.i64Shl : W.i32Shl);
    code.op(wide ? W.i64LtU : W.i32LtU);
  }

  protected override guard(op: Op, i: number): void {
    this.code.i32(this.site | UNCOMMON);
    this.code.set(this.temp("site"));
    this.op = op;
    emitCond(this, op.cond, op.type);
    this.uncommonIf(i);
  }

  #baseLocal(): number {
    return this.target.word === "i64" ? this.temp("address") : this.scratchLocal("i32", 7);
  }
}
