/** Compiles a region to one WebAssembly function of type `(env, tb) -> i32`. */
import { ENV, EXIT } from "../exec/contract.ts";
import type { DirectMemory } from "../exec/contract.ts";
import { TB } from "../exec/descriptor.ts";
import type { Op } from "../ir/block.ts";
import type { CompiledBlock } from "../wasm/block-compiler.ts";
import { analyse } from "../wasm/analysis.ts";
import type { BlockImports } from "../wasm/block-emitter.ts";
import { ENVP } from "../wasm/block-emitter.ts";
import { I32, W } from "../wasm/encode.ts";
import type { CodeTarget } from "../wasm/jump-cache.ts";
import type { HelperEffects } from "../exec/chains.ts";
import type { HelperSpec } from "../ir/type.ts";
import { exitAt, exitsOf } from "./exits.ts";
import type { BlockExit } from "./exits.ts";
import { changesFlags, needsPc, owedBudget, regionFlow } from "./flow.ts";
import type { RegionFlow } from "./flow.ts";
import { compared, edgesOf, nodeFor, returnAddress } from "./plan.ts";
import type { RegionBlock, RegionPlan } from "./plan.ts";
import { hubHash } from "./hub.ts";
import type { Hub } from "./hub.ts";
import { BudgetEmitter } from "./budget.ts";
import { ENTRY_NODE, shapeOf } from "./shape.ts";
import { UNCOMMON } from "./span-emitter.ts";
import { carryingLoops, spansOf } from "./span-plan.ts";
import type { BlockSpans, LoopSpans } from "./span-plan.ts";
import type { ResumeEdge, Shape } from "./shape.ts";

/** A compiled region. */
export interface CompiledRegion extends CompiledBlock {
  /** Resume number by node; 0: no entry there, but for the head. */
  readonly shape: Shape;
  /** Offsets in the code of calls of the function itself, whose index is not known yet: five bytes each. */
  readonly selfCalls: readonly number[];
}

/** What the regions of one machine have in common. */
export interface RegionSettings {
  readonly imports: BlockImports;
  readonly target: CodeTarget;
  readonly pcGlobal: number;
  /** Index of the global that is `tbFlags`, -1 when there is none. */
  readonly flagsGlobal: number;
  readonly effects: (helper: HelperSpec) => HelperEffects;
  readonly direct: DirectMemory | undefined;
  /** The budget is checked before each block, not only where loops begin. */
  readonly exact: boolean;
  /** Accesses, by block and instruction, that must not leave the region for a closer look. */
  readonly isSlowSite: (tb: number, site: number) => boolean;
}

const TB_PARAMETER = 1;
/** Ways into a region from which on they are found in a table. */
const FROM_TABLE = 5;
/** An odd address, at which no node begins. */
const NOWHERE = 1;

/** Compiles region after region. */
export class RegionCompiler extends BudgetEmitter {
  readonly #settings: RegionSettings;
  #plan!: RegionPlan;
  #shape!: Shape;
  #flow!: RegionFlow;
  /** By node, but the entry. */
  #spans: readonly BlockSpans[] = [];
  /** By node. */
  #loops: ReadonlyMap<number, LoopSpans> = new Map();
  #node = 0;
  /** Constructs open around the node's own code, and, by node, the one that a branch to it leaves or repeats. */
  #nest = 0;
  readonly #open: Map<number, number> = new Map();
  #top = 0;
  /**
   * By node: instructions executed since the budget was charged last, on the one way there; 0 where ways meet.
   * A loop is charged once a round: 2 fewer accesses to the host's stack.
   */
  #owed: Int32Array = new Int32Array(0);
  #resume = 0;

  constructor(settings: RegionSettings) {
    super(settings);
    this.#settings = settings;
  }

  /** @throws Uncompilable */
  compileRegion(plan: RegionPlan): CompiledRegion {
    const { pcGlobal, effects } = this.#settings;
    this.#plan = plan;
    const { successors, continuation } = edgesOf(plan, (it) => this.exitsOf(it));
    this.#shape = shapeOf(successors, 1);
    this.#owed = owedBudget(plan, successors, continuation, this.#shape);
    this.#flow = regionFlow(plan, successors, continuation, pcGlobal, effects);
    if (this.#settings.direct === undefined) {
      const edges = { successors, continuation };
      this.#spans = spansOf(plan, edges, this.#shape, effects, !this.target.unaligned);
      this.#loops = carryingLoops(plan, edges, this.#shape, this.#spans);
    }
    this.selfCalls = [];
    this.#open.clear();
    this.startRegion(plan.blocks[0]!.block);
    this.#nest = this.#top = 0;
    this.budget = this.local(I32, "budget");
    this.#resume = this.local(I32, "resume");
    this.#entry();
    this.#tree(ENTRY_NODE);
    if (this.#top > 0) {
      this.code.op(W.unreachable);
      this.code.end();
    }
    this.code.op(W.unreachable);
    return { locals: this.locals, code: this.code, notes: this.notes, shape: this.#shape, selfCalls: this.selfCalls };
  }

  /** Where a block leads, as regions see it. */
  exitsOf(it: RegionBlock): BlockExit[] {
    return exitsOf(it.block, this.#settings.pcGlobal, this.#settings.flagsGlobal) ?? [];
  }

  /** Loads budget, resume number and the globals that anything behind an entry needs. */
  #entry(): void {
    const { code } = this;
    const { live } = this.#flow;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.budget, 2);
    code.set(this.budget);
    const head = live[1]!;
    head.forEach((l, g) => {
      if (l === 1) this.loadGlobal(g);
    });
    if (this.#shape.greatest > 0) {
      code.get(TB_PARAMETER);
      code.mem(W.i32Load, TB.resume, 2);
      code.tee(this.#resume);
      code.rarely();
      code.if();
      const needed = new Uint8Array(head.length);
      this.#shape.number.forEach((number, node) => {
        if (number > 0) live[node]!.forEach((l, g) => (needed[g]! |= l));
      });
      needed.forEach((l, g) => {
        if (l === 1 && head[g] === 0) this.loadGlobal(g);
      });
      this.startResuming(() => code.get(this.#resume));
      code.end();
    }
    if (this.#shape.cut.size === 0 && this.#plan.hub === undefined) return;
    code.loop();
    this.#top = ++this.#nest;
  }

  /** The node's code, then that of the nodes it dominates, each behind the block that a branch to it leaves. */
  #tree(node: number): void {
    const { code } = this;
    const children = this.#shape.children[node]!;
    const loop = this.#shape.header[node] === 1;
    if (loop) {
      this.#beforeLoop(node);
      this.#name("loop", node);
      code.loop();
      this.#open.set(node, ++this.#nest);
    }
    for (const child of children.toReversed()) {
      this.#name("to", child);
      code.block();
      this.#open.set(child, ++this.#nest);
    }
    if (node === ENTRY_NODE) this.#start();
    else this.#block(node);
    for (const child of children) {
      code.end();
      this.#open.delete(child);
      this.#nest--;
      this.#tree(child);
    }
    if (!loop) return;
    code.op(W.unreachable);
    code.end();
    this.#open.delete(node);
    this.#nest--;
  }

  /** The loop around a node that carries spans; not one before which they often were not found. */
  #loopOf(node: number): LoopSpans | undefined {
    const loop = this.#loops.get(node);
    if (loop === undefined) return undefined;
    return this.isSlowSite(this.#plan.blocks[loop.header - 1]!.tb.address, 0) ? undefined : loop;
  }

  /** Whatever goes to the loop from outside comes by here: from before it, or to resume in it. */
  #beforeLoop(node: number): void {
    const loop = this.#loopOf(node);
    if (loop?.header !== node) return;
    const { code } = this;
    const { tb, block } = this.#plan.blocks[node - 1]!;
    this.block = block;
    this.lookBeforeLoop(loop, () => {
      this.pushResuming();
      code.if();
      this.endResuming();
      code.end();
      this.#flow.dirty[node]!.forEach((d, g) => {
        if (d === 1) this.storeGlobal(g);
      });
      this.storeBudgetLess(tb.insns);
      code.get(ENVP);
      code.i32(tb.address);
      code.mem(W.i32Store, ENV.exitTb, 2);
      code.get(ENVP);
      code.i32(UNCOMMON);
      code.mem(W.i32Store, ENV.exitSite, 2);
      code.i32(EXIT.uncommon);
      code.op(W.return);
    });
  }

  /** Names the construct that begins here after a node, for readers. */
  #name(what: string, node: number): void {
    const trace = this.#settings.imports.trace;
    if (trace === undefined) return;
    this.notes!.label(this.code.length, `${what}.${trace.pc(this.#plan.blocks[node - 1]!.tb.address).slice(2)}`);
  }

  /** Goes where the resume number says, to the head without one. */
  #start(): void {
    const { code } = this;
    const { hub } = this.#plan;
    const edges = this.#shape.resume[ENTRY_NODE]!;
    if (hub === undefined && edges.length < FROM_TABLE) {
      this.#dispatch();
      return this.#branch(1, 0);
    }
    // One for each target, within one for what is none: the first target's code follows the innermost.
    const targets = hub?.targets ?? [];
    const inside = hub === undefined ? 0 : targets.length + 1;
    for (let n = 0; n < inside; n++) code.block();
    const depths: number[] = [this.#nest + inside - this.#open.get(1)!];
    for (const { node, low, high } of edges)
      for (let n = low; n <= high; n++) depths[n] = this.#nest + inside - this.#open.get(node)!;
    if (hub !== undefined) {
      // Behind the resume numbers.
      const base = 1 + this.#shape.greatest;
      for (let n = 0; n < 1 << hub.bits; n++) depths.push(targets.length);
      targets.forEach(({ target }, n) => (depths[base + hubHash(target, hub.factor, hub.bits)] = n));
    }
    code.get(this.#resume);
    code.op(W.brTable);
    code.u32(depths.length - 1);
    for (const depth of depths) code.u32(depth);
    if (hub !== undefined) this.#hub(hub);
  }

  /** What the hub's table leads to: the hash says which target it may be. */
  #hub({ targets }: Hub): void {
    const { code } = this;
    const pc = this.global(this.pcGlobal);
    const high = this.#plan.blocks[0]!.tb.pcHi;
    let inside = targets.length + 1;
    for (const { target, node } of targets) {
      code.end();
      inside--;
      code.get(pc);
      this.pushPc(target, high);
      code.op(this.target.word === "i64" ? W.i64Eq : W.i32Eq);
      code.brIf(this.#nest + inside - this.#open.get(node)!);
      code.br(inside - 1);
    }
    code.end();
    this.#flow.dirty[ENTRY_NODE]!.forEach((d, g) => {
      if (d === 1) this.storeGlobal(g);
    });
    this.storeGlobal(this.pcGlobal);
    this.storeBudgetLess(0);
    this.goByJumpCache();
  }

  /** Goes where the resume number says; falls through without one. */
  #dispatch(): void {
    const { code } = this;
    const edges = this.#shape.resume[ENTRY_NODE]!;
    if (edges.length === 0) return;
    code.get(this.#resume);
    code.rarely();
    code.if();
    this.#nest++;
    this.#dispatchTo(edges, () => code.get(this.#resume), 0);
    code.end();
    this.#nest--;
  }

  /** Goes to the node in whose loop nest the number lies; falls through where it lies in none. */
  #dispatchTo(edges: readonly ResumeEdge[], pushNumber: () => void, inside: number): void {
    const { code } = this;
    for (const { node, low, high } of edges) {
      pushNumber();
      code.i32(low);
      code.op(W.i32Sub);
      code.i32(high - low);
      code.op(W.i32LeU);
      code.brIf(this.#nest + inside - this.#open.get(node)!);
    }
  }

  /** Branches to a node from where `inside` constructs are open within the node's own nest. */
  #branch(to: number, inside: number): void {
    this.code.br(this.#nest + inside - this.#open.get(to)!);
  }

  #block(node: number): void {
    const { code } = this;
    const it = this.#plan.blocks[node - 1]!;
    const { block, tb } = it;
    const { pcGlobal, effects, exact } = this.#settings;
    const a = analyse(block, pcGlobal, effects, { touched: this.#flow.touched, dirty: this.#flow.dirty[node]! });
    this.#node = node;
    this.startBlock(block, a, tb.address);
    this.useSpans(this.#spans[node - 1]);
    const number = this.#shape.number[node]!;
    const loop = this.#loopOf(node);
    this.useLoop(loop);
    if ((number === 0 && node !== 1) || loop?.header === node) this.arriveAtNode(node);
    this.notes?.comment(code.length, `block ${node}${number > 0 ? `, loop ${number}` : ""}`);
    // Every cycle passes a node with a number, or the head.
    this.#charge(it, number > 0 || node === 1 || exact);
    for (let i = 0; i < a.stages.length; i++) code.block();
    this.#nest += a.stages.length;
    if (needsPc(block, pcGlobal, effects)) {
      this.pushPc(tb.pcLo, tb.pcHi);
      code.set(this.global(pcGlobal));
      this.storeGlobal(pcGlobal);
    }
    this.emitOperations();
    this.faultExits(tb.insns - it.insns);
    this.#nest -= a.stages.length;
  }

  /** Takes the block's instructions off the budget, later; where `check`ed, leaves before it when they do not fit. */
  #charge({ tb, insns }: RegionBlock, check: boolean): void {
    const { code } = this;
    const before = this.#owed[this.#node]!;
    this.owing = before + insns;
    if (!check) return;
    this.pushTooLittle();
    code.rarely();
    code.if();
    if (this.#shape.number[this.#node]! > 0) this.#resumeHere();
    this.#flow.dirty[this.#node]!.forEach((d, g) => {
      if (d === 1) this.storeGlobal(g);
    });
    this.storePc(tb.pcLo, tb.pcHi);
    this.storeBudgetLess(before);
    code.i32(EXIT.budget);
    code.op(W.return);
    code.end();
  }

  /** The code may be on its way to this loop or to one within it. */
  #resumeHere(): void {
    const { code } = this;
    this.pushResuming();
    code.if();
    this.#dispatchTo(this.#shape.resume[this.#node]!, () => this.pushResumeNumber(), 2);
    this.endResuming();
    // A loop begins again: were this way to meet the other one behind the check, V8 would keep the budget on the stack.
    if (this.#shape.header[this.#node] === 1) this.#branch(this.#node, 2);
    else {
      this.pushTooLittle();
      code.op(W.i32Eqz);
      code.brIf(1);
    }
    code.end();
  }

  protected override exit(op: Op, i: number): void {
    const it = this.#plan.blocks[this.#node - 1]!;
    const exit: BlockExit = changesFlags(it.block, this.#settings.flagsGlobal)
      ? { at: i, kind: "leave", target: 0 }
      : exitAt(this.block, i, this.pcGlobal);
    const to = nodeFor(this.#plan, this.#node, exit.target);
    if (exit.kind === "jump" && to > 0) return this.#go(to);
    if (exit.kind === "call" && it.callees !== undefined) return this.#go(it.callees[0]!.node);
    if (exit.kind === "indirect-call") this.#compareTargets(it, it.callees ?? []);
    const places =
      exit.kind === "indirect" ? compared(this.#plan, it) : exit.kind === "return" ? [it.returnsTo ?? NOWHERE] : [];
    const nodes = places.map((target) => ({ target, node: nodeFor(this.#plan, this.#node, target) }));
    this.#compareTargets(
      it,
      nodes.filter(({ node }) => node > 0),
    );
    if (exit.kind === "indirect" && this.#plan.hub !== undefined) return this.#goByHub(this.#plan.hub);
    const back = nodeFor(this.#plan, this.#node, returnAddress(it));
    if ((exit.kind === "call" || exit.kind === "indirect-call") && back > 0) {
      const head = this.#plan.blocks[0]!.tb;
      this.guestCall(i, exit, it.tb, exit.kind === "call" && exit.target === head.pcLo ? head : undefined);
      this.loadBudget();
      this.forgetReach();
      this.#flow.live[back]!.forEach((l, g) => {
        if (l === 1) this.loadGlobal(g);
      });
      return this.#go(back);
    }
    this.storeBudget();
    if (exit.kind === "return") return this.guestReturn(i);
    super.exit(op, i);
  }

  /** The links of a descriptor are those of the whole block: one that was cut short here ends elsewhere. */
  protected override linkOf(i: number): number {
    const { tb, insns } = this.#plan.blocks[this.#node - 1]!;
    return insns < tb.insns ? -1 : super.linkOf(i);
  }

  /** To another node of the region, by way of the entry where the graph is not reducible. */
  #go(to: number): void {
    const { code } = this;
    this.leaveForNode(to);
    if (this.#owed[to] === 0) this.spend();
    if (!this.#shape.cut.has(this.#node * this.#shape.size + to)) return this.#branch(to, this.depth);
    const number = this.#shape.number[to]!;
    code.i32(number);
    code.set(this.#resume);
    if (!this.#shape.resume[ENTRY_NODE]!.some(({ node }) => node === to)) {
      this.storeBudgetLess(0);
      this.startResuming(() => code.i32(number));
    }
    code.br(this.#nest + this.depth - this.#top);
  }

  /** To the address in the global pc, by way of the hub. */
  #goByHub({ factor, bits }: Hub): void {
    const { code } = this;
    this.spend();
    code.get(this.global(this.pcGlobal));
    if (this.target.word === "i64") code.op(W.i32WrapI64);
    code.i32(factor);
    code.op(W.i32Mul);
    code.i32(32 - bits);
    code.op(W.i32ShrU);
    code.i32(1 + this.#shape.greatest);
    code.op(W.i32Add);
    code.set(this.#resume);
    code.br(this.#nest + this.depth - this.#top);
  }

  /** Branches to where the jump went before; falls through for other places. */
  #compareTargets({ tb }: RegionBlock, places: readonly { target: number; node: number }[]): void {
    const { code } = this;
    const pc = this.global(this.pcGlobal);
    for (const { target, node } of places) {
      code.get(pc);
      this.pushPc(target, tb.pcHi);
      code.op(this.target.word === "i64" ? W.i64Eq : W.i32Eq);
      code.if();
      this.depth++;
      this.#go(node);
      this.depth--;
      code.end();
    }
  }
}
