/** Compiles blocks to WebAssembly functions of type `(env, tb) -> i32`: globals in locals, expressions as trees. */
import { chainSlot, isSelfEdge } from "../exec/chains.ts";
import { ENV, EXIT, TLB_ENTRIES, TLB_ENTRY_SIZE } from "../exec/contract.ts";
import type { Helper } from "../exec/contract.ts";
import { EXIT_LOOKUP, TARGETS, TB } from "../exec/descriptor.ts";
import type { Block, Op } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { Value } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { emitCond, emitPure } from "../ir/wasm-ops.ts";
import { ALIAS, analyse, DEAD, LOCAL, Uncompilable } from "./analysis.ts";
import { BlockEmitter, ENVP } from "./block-emitter.ts";
import { EMPTY, W } from "./encode.ts";
import type { Code } from "./encode.ts";
import type { CodeNotes } from "./notes.ts";
import { emitJumpCacheLookup } from "./jump-cache.ts";
import { atomicIndex, emitFromI64, emitHalf, emitJoin, emitLoad, emitStore, emitToI64, log2Bytes, VALUE_TYPE } from "./memory-ops.ts";

/** A compiled function body. */
export interface CompiledBlock {
  readonly locals: readonly number[];
  readonly code: Code;
  /** For readers of its text, if there are any. */
  readonly notes: CodeNotes | undefined;
}

const TLB_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_SIZE;
const TLB_SIZE = TLB_ENTRIES * TLB_ENTRY_SIZE;

/** Compiles block after block; keeps its tables between them. */
export class BlockCompiler extends BlockEmitter {
  /** Address of the list that the block's indirect jump notes its targets in; 0: it does not. */
  #targets = 0;

  /** `tb` is the address of the block's descriptor. @throws Uncompilable */
  compile(block: Block, tb: number, insns: number, targets: number = 0): CompiledBlock {
    this.#targets = targets;
    const a = analyse(block, this.pcGlobal, this.effects);
    this.start(block, a, tb);
    const code = this.code;
    this.prologue(insns);
    for (let i = a.labels.length; i > 0; i--) code.block();
    this.depth += a.labels.length;
    let reachable = true;
    for (let i = 0; i < block.ops.length; i++) {
      const op = block.ops[i]!;
      if (op.spec === ops.label) {
        code.end();
        this.depth--;
        this.placed++;
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
    if (a.selfLoop) {
      code.end();
      code.op(W.unreachable);
    }
    this.notes?.comment(code.length, "faults");
    this.faultExits();
    return { locals: this.locals, code, notes: this.notes };
  }

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
        emitPure(this, op);
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

  /** Leaves the address of an access as an i64 in the local returned. */
  protected address(op: Op): number {
    const code = this.code;
    if (this.target.word === "i64") {
      const kind = this.a.kind[op.a];
      if (kind === LOCAL) return this.valueLocal[op.a]!;
      if (kind === ALIAS) return this.global(this.block.ops[op.a]!.imm);
      this.push(op.a);
    } else {
      this.push(op.a);
      code.op(W.i64ExtendI32U);
    }
    const local = this.temp("address");
    code.set(local);
    return local;
  }

  /**
   * Pushes whether the TLB maps an aligned access; leaves its entry, less ENV.tlb and the mmu index's part. An access
   * of 16 bytes need not be aligned, but must lie in one page.
   */
  protected tlbHit(address: number, bytes: number, mmu: number, tag: number): void {
    const code = this.code;
    const entry = this.temp("entry");
    code.get(address);
    code.op(W.i32WrapI64);
    code.i32(7);
    code.op(W.i32ShrU);
    code.i32(TLB_MASK);
    code.op(W.i32And);
    code.get(ENVP);
    code.op(W.i32Add);
    code.tee(entry);
    code.mem(W.i64Load, ENV.tlb + mmu * TLB_SIZE + tag, 3);
    code.get(address);
    if (bytes === 16) {
      code.i64(15, 0);
      code.op(W.i64Add);
    }
    code.i64(bytes === 16 ? -4096 : -4096 | (bytes - 1), -1);
    code.op(W.i64And);
    code.op(W.i64Eq);
  }

  protected hostAddress(address: number, mmu: number): void {
    const code = this.code;
    code.get(address);
    code.op(W.i32WrapI64);
    code.get(this.temp("entry"));
    code.mem(W.i32Load, ENV.tlb + mmu * TLB_SIZE + 24, 2);
    code.op(W.i32Add);
  }

  protected setSite(): void {
    this.code.i32(this.site);
    this.code.set(this.temp("site"));
  }

  /** Branches to the fault exit of operation `i` if an exception is pending; `inside` blocks are open. */
  protected checkFault(i: number, inside: number): void {
    const code = this.code;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.exception, 2);
    code.rarely();
    code.brIf(inside + this.depth + this.a.stages.length - 1 - this.a.stage.get(i)!);
  }

  /** Calls the slow path of a load, of `half` bytes behind the address; its result is on the stack. */
  protected callLoad(op: Op, address: number, half: number): void {
    const code = this.code;
    code.get(ENVP);
    this.pushAddress(address, half);
    code.i32(log2Bytes(op.mem) | (op.imm << 4));
    code.call(this.imports.call("load"));
  }

  protected pushAddress(address: number, half: number): void {
    const code = this.code;
    code.get(address);
    if (half === 0) return;
    code.i64(half, 0);
    code.op(W.i64Add);
  }

  protected load(op: Op, i: number): void {
    this.loadThroughTlb(op, i);
    this.define(op, i);
  }

  /** Pushes the value of a load. */
  protected loadThroughTlb(op: Op, i: number): void {
    const code = this.code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    this.tlbHit(address, bytes, op.imm, 0);
    code.mostly();
    code.if(VALUE_TYPE[op.type]);
    this.hostAddress(address, op.imm);
    emitLoad(code, op.type, op.mem, 0);
    code.else();
    this.setSite();
    this.callLoad(op, address, 0);
    emitFromI64(code, op.type, op.mem);
    this.checkFault(i, 1);
    if (bytes === 16) {
      this.callLoad(op, address, 8);
      this.checkFault(i, 1);
      emitJoin(code);
    }
    code.end();
  }

  protected store(op: Op, i: number): void {
    const code = this.code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.address(op);
    this.tlbHit(address, bytes, op.imm, 8);
    code.mostly();
    code.if();
    this.hostAddress(address, op.imm);
    this.push(op.b);
    emitStore(code, op.type, bytes, 0);
    code.else();
    this.setSite();
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      this.pushAddress(address, half);
      this.push(op.b);
      if (bytes === 16) emitHalf(code, half / 8);
      else emitToI64(code, op.type);
      code.i32(log2Bytes(op.mem) | (op.imm << 4));
      code.call(this.imports.call("store"));
      this.checkFault(i, 1);
    }
    code.end();
  }

  protected atomic(op: Op, i: number): void {
    const code = this.code;
    const swap = op.spec === ops.atomic_cmpxchg;
    const address = this.address(op);
    this.setSite();
    code.get(ENVP);
    code.get(address);
    this.push(op.b);
    emitToI64(code, op.type);
    if (swap) {
      this.push(op.c);
      emitToI64(code, op.type);
    }
    const operation = swap ? 0 : op.spec.code - ops.atomic_xchg.code;
    code.i32(log2Bytes(op.mem) | (operation << 2) | (atomicIndex(op) << 8));
    code.call(this.imports.call(swap ? "cmpxchg" : "atomic"));
    const result = this.result();
    code.set(result);
    this.checkFault(i, 0);
    if (this.a.kind[i] === DEAD) return;
    code.get(result);
    emitFromI64(code, op.type, op.mem);
    this.define(op, i);
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
    const slot = chainSlot(this.block, i, this.pcGlobal);
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
