/** Generates the interpreter: one WebAssembly function whose handlers come from the table of IR operations. */
import { ENV, EXIT } from "../exec/contract.ts";
import { EXIT_LOOKUP, TB } from "../exec/descriptor.ts";
import type { IrType } from "../ir/type.ts";
import { MEM_OPS } from "../ir/type.ts";
import { ops } from "../ir/ops.ts";
import { emitCond, emitPure } from "../ir/wasm-ops.ts";
import { W } from "../wasm/encode.ts";
import type { Code } from "../wasm/encode.ts";
import { emitJumpCacheLookup } from "../wasm/jump-cache.ts";
import type { CodeTarget } from "../wasm/jump-cache.ts";
import { emitLoad, emitStore } from "../wasm/memory-ops.ts";
import { ADDR, ENTRY, ENVP, IP, RESULT, TBP } from "./handler-emitter.ts";
import type { InterpreterImports } from "./handler-emitter.ts";
import type { Handlers } from "./handlers.ts";
import { sampleOp } from "./handlers.ts";
import { MemoryHandlers } from "./memory-handlers.ts";

/** Body of `(env, tb) -> i32`: runs `tb` and what it is chained to. */
export function generateInterpreter(handlers: Handlers, imports: InterpreterImports, target: CodeTarget): Code {
  return new Generator(handlers, imports, target).run();
}

class Generator extends MemoryHandlers {
  run(): Code {
    const { code } = this;
    const { all } = this.handlers;
    code.loop(); // each block
    this.enterBlock();
    code.loop(); // each bytecode instruction
    for (let i = 0; i < all.length; i++) code.block();
    code.get(IP);
    code.mem(W.i32Load16U, 0);
    code.op(W.brTable);
    code.u32(all.length);
    for (let i = 0; i < all.length; i++) code.u32(i);
    code.u32(0);
    for (let i = 0; i < all.length; i++) {
      code.end();
      this.h = all[i]!;
      this.depth = all.length - 1 - i;
      this.nextImmediate = 0;
      this.handler();
    }
    code.end();
    code.end();
    code.op(W.unreachable);
    return code;
  }

  /** Tail-calls a compiled block; else charges the budget, counts the execution, and points at the bytecode. */
  protected enterBlock(): void {
    const { code } = this;
    code.get(TBP);
    code.mem(W.i32Load, TB.fn, 2);
    code.tee(ENTRY);
    code.if();
    code.get(ENVP);
    code.get(TBP);
    code.get(ENTRY);
    code.op(W.returnCallIndirect);
    code.u32(this.imports.blockType);
    code.u32(0);
    code.end();
    code.get(ENVP);
    code.mem(W.i32Load, ENV.budget, 2);
    code.get(TBP);
    code.mem(W.i32Load, TB.insns, 2);
    code.op(W.i32Sub);
    code.tee(ENTRY);
    code.i32(0);
    code.op(W.i32LtS);
    code.if();
    code.i32(EXIT.budget);
    code.op(W.return);
    code.end();
    code.get(ENVP);
    code.get(ENTRY);
    code.mem(W.i32Store, ENV.budget, 2);
    code.get(TBP);
    code.get(TBP);
    code.mem(W.i32Load, TB.counter, 2);
    code.i32(1);
    code.op(W.i32Sub);
    code.tee(ENTRY);
    code.mem(W.i32Store, TB.counter, 2);
    code.get(ENTRY);
    code.op(W.i32Eqz);
    code.if();
    code.get(ENVP);
    code.get(TBP);
    code.call(this.imports.hot);
    code.end();
    code.get(TBP);
    code.mem(W.i32Load, TB.code, 2);
    code.set(IP);
  }

  protected handler(): void {
    const h = this.h;
    const { spec } = h;
    const { code } = this;
    if (h.kind === "pure") {
      const type = spec!.result === "T" ? h.type : (spec!.result as IrType);
      this.slotAddress(h.dst);
      emitPure(this, sampleOp(spec!, h.type, h.cond, h.mem));
      if (spec === ops.const) this.storeExactly(type);
      else this.storeResult(type);
      return this.next();
    }
    switch (spec) {
      case undefined: // move
        this.slotAddress(h.dst);
        this.operand(h.args[0]!, h.type);
        this.storeExactly(h.type);
        return this.next();
      case ops.env_ld:
        this.slotAddress(h.dst);
        this.slotAddress(h.extra);
        emitLoad(code, h.type, h.mem, 0);
        this.storeResult(h.type);
        return this.next();
      case ops.env_st:
        this.slotAddress(h.extra);
        this.operand(h.args[0]!, h.type);
        emitStore(code, h.type, MEM_OPS[h.mem].bytes, 0);
        return this.next();
      case ops.env_addr:
        this.slotAddress(h.dst);
        this.slotAddress(h.extra);
        code.mem(W.i32Store, 0);
        return this.next();
      case ops.br:
        code.get(IP);
        code.get(IP);
        code.mem(W.i32Load, h.extra, 1);
        code.op(W.i32Add);
        code.set(IP);
        return code.br(this.depth);
      case ops.brcond:
        return this.branchIf();
      case ops.ld:
        return this.load();
      case ops.st:
        return this.store();
      case ops.call:
        return this.call();
      case ops.goto_tb:
        return this.gotoTb();
      case ops.goto_ptr:
        return this.gotoPtr();
      case ops.exit_tb:
        this.unit(h.extra);
        return code.op(W.return);
      default:
        return this.atomic();
    }
  }

  protected branchIf(): void {
    const { code } = this;
    const h = this.h;
    code.get(IP);
    code.get(IP);
    code.mem(W.i32Load, h.extra, 1);
    code.i32(h.size);
    emitCond(this, h.cond, h.type);
    code.op(W.select);
    code.op(W.i32Add);
    code.set(IP);
    this.jumpNext(true);
    this.jumpNext(false);
    code.br(this.depth);
  }

  /**
   * Goes straight to the chained jump that mostly comes after a conditional branch, on both ways: the processor guesses a comparison
   * right where it has not seen this bytecode yet, and the table of handlers not.
   */
  protected jumpNext(also: boolean): void {
    const { code } = this;
    const { index } = this.handlers.jump(ops.goto_tb, also);
    code.get(IP);
    code.mem(W.i32Load16U, 0, 1);
    code.i32(index);
    code.op(W.i32Eq);
    code.brIf(index - this.h.index - 1);
  }

  protected call(): void {
    const { code } = this;
    const h = this.h;
    const helper = h.helper!;
    const js = (helper as { impl?: { kind: string } }).impl?.kind === "js";
    let n = 0;
    for (const param of helper.params) {
      if (param === "env") {
        if (!js) code.get(ENVP);
      } else if (param === "i64" && js) {
        this.slotAddress(h.args[n]!);
        code.mem(W.i32Load, 0);
        this.slotAddress(h.args[n++]!);
        code.mem(W.i32Load, 4);
      } else this.operand(h.args[n++]!, param);
    }
    code.call(this.imports.helpers.get(helper.name)!);
    if (helper.result !== undefined) {
      if (js && helper.result === "i64") {
        code.get(ENVP);
        code.mem(W.i64Load, ENV.scratch, 3);
      }
      code.set(RESULT[helper.result]!);
    }
    if (helper.mayFault === true) this.checkFault();
    if (helper.result !== undefined) {
      this.slotAddress(h.dst);
      code.get(RESULT[helper.result]!);
      this.storeResult(helper.result);
    }
    this.next();
  }

  /** Sets pc to the jump's own constant, if it has one, and puts the other one into its slot. */
  protected setPc(): void {
    if (!this.h.immediate) return;
    if (this.h.dst >= 0) {
      this.slotAddress(this.h.dst);
      this.code.get(IP);
      this.code.mem(W.i32Load, this.h.imms[1]!.at, 1);
      this.code.mem(W.i32Store, 0, 2);
    }
    const { code } = this;
    const wide = this.target.word === "i64";
    code.get(ENVP);
    code.get(IP);
    code.mem(wide ? W.i64Load : W.i32Load, this.h.imms[0]!.at, 1);
    code.mem(wide ? W.i64Store : W.i32Store, this.target.pcOffset, 2);
  }

  protected gotoTb(): void {
    const { code } = this;
    const h = this.h;
    this.setPc();
    // The place of the link in the descriptor, in bytes.
    code.get(TBP);
    this.unit(h.extra);
    code.op(W.i32Add);
    code.mem(W.i32Load, TB.link, 2);
    code.tee(ENTRY);
    code.if();
    code.get(ENTRY);
    code.set(TBP);
    this.nextBlock(1);
    code.end();
    // tb + 1 + slot
    code.get(TBP);
    this.unit(h.extra);
    code.i32(2);
    code.op(W.i32ShrU);
    code.op(W.i32Add);
    code.i32(1);
    code.op(W.i32Add);
    code.op(W.return);
  }

  protected gotoPtr(): void {
    const { code } = this;
    this.setPc();
    emitJumpCacheLookup(code, this.target, ENVP, ADDR, ENTRY);
    code.if();
    code.get(ENTRY);
    code.mem(W.i32Load, ENV.jumpCache + 12, 2);
    code.set(TBP);
    this.nextBlock(1);
    code.end();
    code.i32(EXIT_LOOKUP);
    code.op(W.return);
  }
}
