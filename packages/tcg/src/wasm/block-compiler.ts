/** Compiles blocks to WebAssembly functions of type `(env, tb) -> i32`: globals in locals, expressions as trees. */
import { chainSlot, isSelfEdge } from "../exec/chains.ts";
import { ENV, EXIT } from "../exec/contract.ts";
import type { Helper } from "../exec/contract.ts";
import { EXIT_LOOKUP, TARGETS, TB } from "../exec/descriptor.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { Value } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { emitCond } from "../ir/wasm-ops.ts";
import { analyse, LOCAL, Uncompilable } from "./analysis.ts";
import { ENVP } from "./block-emitter.ts";
import { EMPTY, W } from "./encode.ts";
import type { Code } from "./encode.ts";
import type { CodeNotes } from "./notes.ts";
import { emitJumpCacheLookup } from "./jump-cache.ts";
import { MemoryEmitter } from "./memory-emitter.ts";
import { emitLoad, emitStore } from "./memory-ops.ts";

/** A compiled function body. */
export interface CompiledBlock {
  readonly locals: readonly number[];
  readonly code: Code;
  /** For readers of its text, if there are any. */
  readonly notes: CodeNotes | undefined;
}

/** Compiles block after block; keeps its tables between them. */
export class BlockCompiler extends MemoryEmitter {
  /** Address of the list that the block's indirect jump notes its targets in; 0: it does not. */
  #targets = 0;

  /** `tb` is the address of the block's descriptor. @throws Uncompilable */
  compile(block: Block, tb: number, insns: number, targets: number = 0): CompiledBlock {
    this.#targets = targets;
    const a = analyse(block, this.pcGlobal, this.effects);
    this.start(block, a, tb);
    const code = this.code;
    this.prologue(insns);
    this.emitOperations();
    if (a.selfLoop) {
      code.end();
      code.op(W.unreachable);
    }
    this.notes?.comment(code.length, "faults");
    this.faultExits();
    return { locals: this.locals, code, notes: this.notes };
  }

  /** The operations of the current block. @throws Uncompilable */
  protected emitOperations(): void {
    const { block, code, a } = this;
    for (let i = a.labels.length; i > 0; i--) code.block();
    this.depth += a.labels.length;
    let reachable = true;
    for (let i = 0; i < block.ops.length; i++) {
      const op = block.ops[i]!;
      if (op.spec === ops.label) {
        code.end();
        this.depth--;
        this.placed++;
        this.placeLabel(op.imm, reachable);
        reachable = a.reached[op.imm] === 1;
      } else if (op.spec === ops.insn) {
        // Also where control does not get: what follows the next label belongs to it.
        this.beginInsn(op.imm);
      } else if (reachable) {
        this.operation(op, i);
        reachable = !op.spec.terminator;
      }
    }
    if (reachable) throw new Uncompilable("The block has no end");
  }

  /** A label has been placed; `falls`: the code above goes on there. */
  protected placeLabel(_label: number, _falls: boolean): void {}

  protected prologue(insns: number): void {
    const code = this.code;
    const a = this.a;
    for (let i = 0; i < a.stages.length; i++) code.block();
    if (a.selfLoop) {
      this.loadEntry();
      code.loop();
      this.depth++;
    }
    const entry = this.temp("entry");
    code.get(ENVP);
    code.mem(W.i32Load, ENV.budget, 2);
    code.i32(insns);
    code.op(W.i32Sub);
    code.tee(entry);
    code.i32(0);
    code.op(W.i32LtS);
    code.rarely();
    code.if();
    if (a.selfLoop) for (let g = 0; g < a.written.length; g++) if (a.written[g] === 1) this.storeGlobal(g);
    code.i32(EXIT.budget);
    code.op(W.return);
    code.end();
    code.get(ENVP);
    code.get(entry);
    code.mem(W.i32Store, ENV.budget, 2);
    if (this.imports.profile) this.count();
    if (!a.selfLoop) this.loadEntry();
  }

  /** Counts the execution; at zero the block is hot. */
  protected count(): void {
    const code = this.code;
    const entry = this.temp("entry");
    code.i32(this.tb);
    code.i32(this.tb);
    code.mem(W.i32Load, TB.counter, 2);
    code.i32(1);
    code.op(W.i32Sub);
    code.tee(entry);
    code.mem(W.i32Store, TB.counter, 2);
    code.get(entry);
    code.op(W.i32Eqz);
    code.if();
    code.get(ENVP);
    code.i32(this.tb);
    code.call(this.imports.call("hot"));
    code.end();
  }

  /** Notes the pc in the state block in the block's list of targets. */
  protected noteTarget(): void {
    const code = this.code;
    code.i32(this.tb);
    code.mem(W.i32Load, TB.counter, 2);
    code.i32(TARGETS - 1);
    code.op(W.i32And);
    code.i32(2);
    code.op(W.i32Shl);
    code.get(ENVP);
    code.mem(W.i32Load, this.target.pcOffset, 2);
    code.mem(W.i32Store, this.#targets, 2);
  }

  protected loadEntry(): void {
    const { entryLoad } = this.a;
    for (let g = 0; g < entryLoad.length; g++) if (entryLoad[g] === 1) this.loadGlobal(g);
  }

  /** Stage by stage from the last: stores what was dirty there, and falls through to the stage before. */
  protected faultExits(): void {
    const code = this.code;
    const { stages } = this.a;
    if (stages.length === 0) {
      code.op(W.unreachable);
      return;
    }
    for (let i = stages.length - 1; i >= 0; i--) {
      if (i === stages.length - 1) code.op(W.unreachable);
      code.end();
      for (const g of stages[i]!) this.storeGlobal(g);
    }
    code.get(ENVP);
    code.i32(this.tb);
    code.mem(W.i32Store, ENV.exitTb, 2);
    code.get(ENVP);
    code.get(this.temp("site"));
    code.mem(W.i32Store, ENV.exitSite, 2);
    code.i32(EXIT.fault);
  }

  protected operation(op: Op, i: number): void {
    const code = this.code;
    const { spec } = op;
    switch (spec) {
      case ops.mb:
      case ops.const:
        return;
      case ops.get:
        if (this.a.kind[i] !== LOCAL) return;
        code.get(this.global(op.imm));
        return this.define(op, i);
      case ops.set:
        this.push(op.a);
        return code.set(this.global(op.imm));
      case ops.env_ld:
        if (this.a.kind[i] !== LOCAL) return;
        code.get(ENVP);
        emitLoad(code, op.type, op.mem, op.imm);
        return this.define(op, i);
      case ops.env_addr:
        if (this.a.kind[i] !== LOCAL) return;
        code.get(ENVP);
        code.i32(op.imm);
        code.op(W.i32Add);
        return this.define(op, i);
      case ops.env_st:
        code.get(ENVP);
        this.push(op.a);
        return emitStore(code, op.type, MEM_OPS[op.mem].bytes, op.imm);
      case ops.br:
        return code.br(this.labelDepth(op.imm));
      case ops.brcond:
        this.op = op;
        emitCond(this, op.cond, op.type);
        if (op.imm2 === 1) code.rarely();
        return code.brIf(this.labelDepth(op.imm));
      case ops.guard:
        return this.guard(op, i);
      case ops.ld:
        return this.load(op, i);
      case ops.st:
        return this.store(op, i);
      case ops.call:
        return this.call(op, i);
      case ops.goto_tb:
      case ops.goto_ptr:
      case ops.exit_tb:
        return this.exit(op, i);
      default:
        if (!spec.pure) return this.atomic(op, i);
        if (this.a.kind[i] !== LOCAL) return;
        this.op = op;
        this.pure(op);
        this.define(op, i);
    }
  }

  /** Regions leave for the interpreter; a block by itself has no need to. */
  protected guard(op: Op, _i: number): void {
    throw new Uncompilable(op.spec.name);
  }

  protected labelDepth(label: number): number {
    return this.labelOrder[label]! - this.placed;
  }

  protected call(op: Op, i: number): void {
    const code = this.code;
    const helper = op.helper!;
    const js = (helper as Helper).impl.kind === "js";
    for (const g of this.a.stores.get(i)!) this.storeGlobal(g);
    if (helper.mayFault === true) this.setSite();
    let n = 0;
    for (const param of helper.params) {
      if (param === "env") {
        if (!js) code.get(ENVP);
        continue;
      }
      const v = op.list[n++] as Value;
      this.push(v);
      if (param !== "i64" || !js) continue;
      code.op(W.i32WrapI64);
      this.push(v);
      code.i64(32, 0);
      code.op(W.i64ShrU);
      code.op(W.i32WrapI64);
    }
    code.call(this.imports.call(`h.${helper.name}`));
    if (helper.result !== undefined) {
      if (js && helper.result === "i64") {
        code.get(ENVP);
        code.mem(W.i64Load, ENV.scratch, 3);
      }
      this.define(op, i);
    }
    for (const g of this.a.reloads.get(i)!) this.loadGlobal(g);
    if (helper.mayFault === true) this.checkFault(i, 0);
  }

  protected exit(op: Op, i: number): void {
    const code = this.code;
    if (op.spec === ops.goto_tb && isSelfEdge(this.block, i, this.pcGlobal)) {
      // Depth: the labels still open lie within the loop.
      return code.br(this.depth - 1);
    }
    for (const g of this.a.stores.get(i)!) this.storeGlobal(g);
    if (op.spec === ops.exit_tb) {
      code.i32(op.imm);
      return code.op(W.return);
    }
    const entry = this.temp("entry");
    const slot = this.linkOf(i);
    if (slot >= 0) {
      code.i32(this.tb);
      code.mem(W.i32Load, TB.link + 4 * slot, 2);
      code.tee(entry);
      code.if(EMPTY);
      this.enter(entry);
      code.end();
      code.i32(this.tb + 1 + slot);
      return code.op(W.return);
    }
    if (this.#targets !== 0 && op.spec === ops.goto_ptr) this.noteTarget();
    this.goByJumpCache();
  }

  /** The link of the block's descriptor that the exit at a position takes, -1 none. */
  protected linkOf(i: number): number {
    return chainSlot(this.block, i, this.pcGlobal);
  }

  /** Leaves for the block at the pc in the state block. */
  protected goByJumpCache(): void {
    const code = this.code;
    const entry = this.temp("entry");
    emitJumpCacheLookup(code, this.target, ENVP, this.temp("address"), entry);
    code.if(EMPTY);
    code.get(entry);
    code.mem(W.i32Load, ENV.jumpCache + 12, 2);
    code.set(entry);
    this.enter(entry);
    code.end();
    code.i32(EXIT_LOOKUP);
    code.op(W.return);
  }

  /** Tail-calls the block whose descriptor is in a local. */
  protected enter(entry: number): void {
    const code = this.code;
    code.get(ENVP);
    code.get(entry);
    if (this.imports.viaTable) {
      code.get(entry);
      code.mem(W.i32Load, TB.fn, 2);
      code.op(W.returnCallIndirect);
      code.u32(0);
      code.u32(0);
    } else {
      code.op(W.returnCall);
      code.u32(this.imports.call("run"));
    }
  }
}
