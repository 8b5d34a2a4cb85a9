/** Generates the interpreter: one WebAssembly function whose handlers come from the table of IR operations. */
import { ENV, TLB_ENTRIES, TLB_ENTRY_SIZE, EXIT } from "../exec/contract.ts";
import { EXIT_LOOKUP, TB } from "../exec/descriptor.ts";
import type { IrType } from "../ir/type.ts";
import { MEM_OPS, typeBytes } from "../ir/type.ts";
import { ops } from "../ir/ops.ts";
import type { WasmOps } from "../ir/wasm-ops.ts";
import { emitCond, emitPure } from "../ir/wasm-ops.ts";
import { Code, F32, F64, I32, I64, W } from "../wasm/encode.ts";
import { emitFromI64, emitLoad, emitStore, emitToI64, log2Bytes, wholeMem } from "../wasm/memory-ops.ts";
import type { Handler, Handlers } from "./handlers.ts";
import { operandType, sampleOp } from "./handlers.ts";

/** Functions the interpreter calls: indexes in its module. */
export interface InterpreterImports {
  /** (env, address i64, size log2 | mmu << 4) -> i64 */
  readonly load: number;
  /** (env, address i64, value i64, size log2 | mmu << 4) */
  readonly store: number;
  /** (env, address i64, operand i64, size log2 | operation << 2 | mmu << 8) -> i64 */
  readonly atomic: number;
  /** (env, address i64, expected i64, replacement i64, size log2 | mmu << 8) -> i64 */
  readonly cmpxchg: number;
  /** (env, tb): the block became hot. */
  readonly hot: number;
  /** By helper name. */
  readonly helpers: ReadonlyMap<string, number>;
  /** Type of `(env, tb) -> i32`. */
  readonly blockType: number;
}

/** Facts about the target that handlers depend on. */
export interface InterpreterTarget {
  readonly word: "i32" | "i64";
  readonly pcOffset: number;
}

/** Bits of a TLB's byte index that come from a page number, and the log2 of a TLB's size. */
const TLB_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_SIZE;
const TLB_SHIFT = 31 - Math.clz32(TLB_ENTRIES * TLB_ENTRY_SIZE);

// Locals: parameters env and tb, then these.
const ENVP = 0;
const TBP = 1;
const IP = 2;
const ENTRY = 3;
const S32 = 4;
const ADDR = 8;
const S64 = 9;
const R32 = 13;
const R64 = 14;
const RF32 = 15;
const RF64 = 16;

/** Types of the interpreter's locals behind its parameters. */
export const INTERPRETER_LOCALS: readonly number[] = [
  I32, I32, I32, I32, I32, I32, I64, I64, I64, I64, I64, I32, I64, F32, F64,
]; // prettier-ignore

const RESULT: Readonly<Partial<Record<IrType, number>>> = { i32: R32, i64: R64, f32: RF32, f64: RF64 };

/** Body of `(env, tb) -> i32`: runs `tb` and what it is chained to. */
export function generateInterpreter(handlers: Handlers, imports: InterpreterImports, target: InterpreterTarget): Code {
  return new Generator(handlers, imports, target).run();
}

class Generator implements WasmOps {
  readonly code: Code = new Code(65536);
  readonly handlers: Handlers;
  readonly imports: InterpreterImports;
  readonly target: InterpreterTarget;
  /** The handler being generated, and how many blocks enclose it. */
  #h!: Handler;
  #depth = 0;
  #nextImmediate = 0;

  constructor(handlers: Handlers, imports: InterpreterImports, target: InterpreterTarget) {
    this.handlers = handlers;
    this.imports = imports;
    this.target = target;
  }

  run(): Code {
    const { code } = this;
    const { all } = this.handlers;
    code.loop(); // each block
    this.#enterBlock();
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
      this.#h = all[i]!;
      this.#depth = all.length - 1 - i;
      this.#nextImmediate = 0;
      this.#handler();
    }
    code.end();
    code.end();
    code.op(W.unreachable);
    return code;
  }

  /** Tail-calls a compiled block; else charges the budget, counts the execution, and points at the bytecode. */
  #enterBlock(): void {
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

  /** Goes on with the next bytecode instruction. `inside`: blocks opened within the handler. */
  #next(inside = 0): void {
    this.code.get(IP);
    this.code.i32(this.#h.size);
    this.code.op(W.i32Add);
    this.code.set(IP);
    this.code.br(this.#depth + inside);
  }

  /** Goes on with the block whose descriptor is in the local. */
  #nextBlock(inside: number): void {
    this.code.br(this.#depth + inside + 1);
  }

  /** Pushes the 16-bit unit at an offset of the bytecode instruction. */
  #unit(at: number): void {
    this.code.get(IP);
    this.code.mem(W.i32Load16U, at, 1);
  }

  #slotAddress(at: number): void {
    this.#unit(at);
    this.code.get(ENVP);
    this.code.op(W.i32Add);
  }

  #operand(at: number, type: IrType): void {
    this.#slotAddress(at);
    emitLoad(this.code, type, wholeMem(type), 0);
  }

  /** Stores the value on the stack, pushed over the address of the result's slot. */
  #storeResult(type: IrType): void {
    emitStore(this.code, type, typeBytes(type), 0);
  }

  // WasmOps, for handlers of pure operations

  arg(n: number): void {
    const h = this.#h;
    const type = operandType(h.spec!, n, h.type, this.target.word);
    if (n === 1 && h.immediate) {
      this.code.get(IP);
      this.code.mem(type === "i64" ? W.i64Load16S : W.i32Load16S, h.args[n]!, 1);
    } else this.#operand(h.args[n]!, type);
  }
  imm32(): void {
    this.code.get(IP);
    this.code.mem(W.i32Load, this.#h.imms[this.#nextImmediate++]!.at, 1);
  }
  imm64(): void {
    this.code.get(IP);
    this.code.mem(W.i64Load, this.#h.imms[this.#nextImmediate++]!.at, 1);
  }
  const32(value: number): void {
    this.code.i32(value);
  }
  const64(lo: number, hi: number): void {
    this.code.i64(lo, hi);
  }
  raw(bytes: readonly number[]): void {
    this.code.bytes(bytes);
  }
  get(type: "i32" | "i64", n: number): void {
    this.code.get((type === "i32" ? S32 : S64) + n);
  }
  set(type: "i32" | "i64", n: number): void {
    this.code.set((type === "i32" ? S32 : S64) + n);
  }
  tee(type: "i32" | "i64", n: number): void {
    this.code.tee((type === "i32" ? S32 : S64) + n);
  }

  #handler(): void {
    const h = this.#h;
    const { spec, code } = this.#current();
    if (h.kind === "pure") {
      const type = spec!.result === "T" ? h.type : (spec!.result as IrType);
      this.#slotAddress(h.dst);
      emitPure(this, sampleOp(spec!, h.type, h.cond, h.mem));
      this.#storeResult(type);
      return this.#next();
    }
    switch (spec) {
      case undefined: // move
        this.#slotAddress(h.dst);
        this.#operand(h.args[0]!, h.type);
        this.#storeResult(h.type);
        return this.#next();
      case ops.env_ld:
        this.#slotAddress(h.dst);
        this.#slotAddress(h.extra);
        emitLoad(code, h.type, h.mem, 0);
        this.#storeResult(h.type);
        return this.#next();
      case ops.env_st:
        this.#slotAddress(h.extra);
        this.#operand(h.args[0]!, h.type);
        emitStore(code, h.type, MEM_OPS[h.mem].bytes, 0);
        return this.#next();
      case ops.env_addr:
        this.#slotAddress(h.dst);
        this.#slotAddress(h.extra);
        code.mem(W.i32Store, 0);
        return this.#next();
      case ops.br:
        code.get(IP);
        code.get(IP);
        code.mem(W.i32Load, h.extra, 1);
        code.op(W.i32Add);
        code.set(IP);
        return code.br(this.#depth);
      case ops.brcond:
        return this.#branchIf();
      case ops.ld:
        return this.#load();
      case ops.st:
        return this.#store();
      case ops.call:
        return this.#call();
      case ops.goto_tb:
        return this.#gotoTb();
      case ops.goto_ptr:
        return this.#gotoPtr();
      case ops.exit_tb:
        this.#unit(h.extra);
        return code.op(W.return);
      default:
        return this.#atomic();
    }
  }

  #current(): { spec: Handler["spec"]; code: Code } {
    return { spec: this.#h.spec, code: this.code };
  }

  #branchIf(): void {
    const { code } = this;
    const h = this.#h;
    code.get(IP);
    code.get(IP);
    code.mem(W.i32Load, h.extra, 1);
    code.i32(h.size);
    emitCond(this, h.cond, h.type);
    code.op(W.select);
    code.op(W.i32Add);
    code.set(IP);
    code.br(this.#depth);
  }

  /** Leaves ADDR = operand 0 plus the displacement, as an i64. */
  #address(): void {
    const { code } = this;
    const h = this.#h;
    const wide = this.target.word === "i64";
    this.#operand(h.args[0]!, this.target.word);
    code.get(IP);
    code.mem(wide ? W.i64Load16S : W.i32Load16S, h.extra, 1);
    code.op(wide ? W.i64Add : W.i32Add);
    if (!wide) code.op(W.i64ExtendI32U);
    code.set(ADDR);
  }

  /** Leaves ENTRY = the TLB entry of ADDR; pushes whether the tag at `tag` matches an aligned access. */
  #lookup(bytes: number, tag: number): void {
    const { code } = this;
    this.#unit(this.#h.extra + 4);
    code.i32(TLB_SHIFT);
    code.op(W.i32Shl);
    code.get(ADDR);
    code.op(W.i32WrapI64);
    code.i32(7);
    code.op(W.i32ShrU);
    code.i32(TLB_MASK);
    code.op(W.i32And);
    code.op(W.i32Add);
    code.get(ENVP);
    code.op(W.i32Add);
    code.tee(ENTRY);
    code.mem(W.i64Load, ENV.tlb + tag, 3);
    code.get(ADDR);
    code.i64(-4096 | (Math.min(bytes, 8) - 1), -1);
    code.op(W.i64And);
    code.op(W.i64Eq);
  }

  #hostAddress(): void {
    const { code } = this;
    code.get(ADDR);
    code.op(W.i32WrapI64);
    code.get(ENTRY);
    code.mem(W.i32Load, ENV.tlb + 24, 2);
    code.op(W.i32Add);
  }

  /** Pushes the description of the access for a slow path: log2 of the size and the mmu index. */
  #accessWord(constant: number, mmuShift: number): void {
    const { code } = this;
    this.#unit(this.#h.extra + 4);
    code.i32(mmuShift);
    code.op(W.i32Shl);
    code.i32(constant);
    code.op(W.i32Or);
  }

  /** Leaves through the fault exit if an exception is pending. */
  #checkFault(): void {
    const { code } = this;
    const h = this.#h;
    const site = h.spec === ops.call ? h.extra : h.extra + 2;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.exception, 2);
    code.if();
    code.get(ENVP);
    code.get(TBP);
    code.mem(W.i32Store, ENV.exitTb, 2);
    code.get(ENVP);
    this.#unit(site);
    code.mem(W.i32Store, ENV.exitSite, 2);
    code.i32(EXIT.fault);
    code.op(W.return);
    code.end();
  }

  #load(): void {
    const { code } = this;
    const h = this.#h;
    const { bytes } = MEM_OPS[h.mem];
    this.#address();
    this.#lookup(bytes, 0);
    code.if();
    this.#slotAddress(h.dst);
    this.#hostAddress();
    emitLoad(code, h.type, h.mem, 0);
    this.#storeResult(h.type);
    this.#next(1);
    code.end();
    // Halves of a vector are loaded one after the other.
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      code.get(ADDR);
      if (half > 0) {
        code.i64(half, 0);
        code.op(W.i64Add);
      }
      this.#accessWord(log2Bytes(h.mem), 4);
      code.call(this.imports.load);
      code.set(S64 + half / 8);
      this.#checkFault();
    }
    this.#slotAddress(h.dst);
    if (h.type === "v128") {
      code.get(S64);
      code.mem(W.i64Store, 0);
      this.#slotAddress(h.dst);
      code.get(S64 + 1);
      code.mem(W.i64Store, 8);
    } else {
      code.get(S64);
      emitFromI64(code, h.type, h.mem);
      this.#storeResult(h.type);
    }
    this.#next();
  }

  #store(): void {
    const { code } = this;
    const h = this.#h;
    const { bytes } = MEM_OPS[h.mem];
    this.#address();
    this.#lookup(bytes, 8);
    code.if();
    this.#hostAddress();
    this.#operand(h.args[1]!, h.type);
    emitStore(code, h.type, bytes, 0);
    this.#next(1);
    code.end();
    for (let half = 0; half < bytes; half += 8) {
      code.get(ENVP);
      code.get(ADDR);
      if (half > 0) {
        code.i64(half, 0);
        code.op(W.i64Add);
      }
      if (h.type === "v128") {
        this.#slotAddress(h.args[1]!);
        code.mem(W.i64Load, half);
      } else {
        this.#operand(h.args[1]!, h.type);
        emitToI64(code, h.type);
      }
      this.#accessWord(log2Bytes(h.mem), 4);
      code.call(this.imports.store);
      this.#checkFault();
    }
    this.#next();
  }

  #atomic(): void {
    const { code } = this;
    const h = this.#h;
    const swap = h.spec === ops.atomic_cmpxchg;
    this.#address();
    code.get(ENVP);
    code.get(ADDR);
    for (let n = 1; n < h.args.length; n++) {
      this.#operand(h.args[n]!, h.type);
      emitToI64(code, h.type);
    }
    const operation = swap ? 0 : h.spec!.code - ops.atomic_xchg.code;
    this.#accessWord(log2Bytes(h.mem) | (operation << 2), 8);
    code.call(swap ? this.imports.cmpxchg : this.imports.atomic);
    code.set(S64);
    this.#checkFault();
    this.#slotAddress(h.dst);
    code.get(S64);
    emitFromI64(code, h.type, h.mem);
    this.#storeResult(h.type);
    this.#next();
  }

  #call(): void {
    const { code } = this;
    const h = this.#h;
    const helper = h.helper!;
    const js = (helper as { impl?: { kind: string } }).impl?.kind === "js";
    let n = 0;
    for (const param of helper.params) {
      if (param === "env") {
        if (!js) code.get(ENVP);
      } else if (param === "i64" && js) {
        this.#slotAddress(h.args[n]!);
        code.mem(W.i32Load, 0);
        this.#slotAddress(h.args[n++]!);
        code.mem(W.i32Load, 4);
      } else this.#operand(h.args[n++]!, param);
    }
    code.call(this.imports.helpers.get(helper.name)!);
    if (helper.result !== undefined) {
      if (js && helper.result === "i64") {
        code.get(ENVP);
        code.mem(W.i64Load, ENV.scratch, 3);
      }
      code.set(RESULT[helper.result]!);
    }
    if (helper.mayFault === true) this.#checkFault();
    if (helper.result !== undefined) {
      this.#slotAddress(h.dst);
      code.get(RESULT[helper.result]!);
      this.#storeResult(helper.result);
    }
    this.#next();
  }

  #gotoTb(): void {
    const { code } = this;
    const h = this.#h;
    // The place of the link in the descriptor, in bytes.
    code.get(TBP);
    this.#unit(h.extra);
    code.op(W.i32Add);
    code.mem(W.i32Load, TB.link, 2);
    code.tee(ENTRY);
    code.if();
    code.get(ENTRY);
    code.set(TBP);
    this.#nextBlock(1);
    code.end();
    // tb + 1 + slot
    code.get(TBP);
    this.#unit(h.extra);
    code.i32(2);
    code.op(W.i32ShrU);
    code.op(W.i32Add);
    code.i32(1);
    code.op(W.i32Add);
    code.op(W.return);
  }

  #gotoPtr(): void {
    const { code } = this;
    emitJumpCacheLookup(code, this.target, ENVP, ADDR, ENTRY);
    code.if();
    code.get(ENTRY);
    code.mem(W.i32Load, ENV.jumpCache + 12, 2);
    code.set(TBP);
    this.#nextBlock(1);
    code.end();
    code.i32(EXIT_LOOKUP);
    code.op(W.return);
  }
}

/**
 * Pushes whether the jump cache knows the block at the global pc; leaves `env` plus the entry's offset in `entry`.
 * `pc` is a local of type i64.
 */
export function emitJumpCacheLookup(
  code: Code, target: InterpreterTarget, env: number, pc: number, entry: number,
): void {
  code.get(env);
  code.mem(target.word === "i64" ? W.i64Load : W.i64Load32U, target.pcOffset, 2);
  code.tee(pc);
  code.op(W.i32WrapI64);
  code.tee(entry);
  code.i32(3);
  code.op(W.i32Shl);
  code.get(entry);
  code.i32(9);
  code.op(W.i32ShrU);
  code.op(W.i32Xor);
  code.i32(0xfff0);
  code.op(W.i32And);
  code.get(env);
  code.op(W.i32Add);
  code.tee(entry);
  code.mem(W.i64Load, ENV.jumpCache, 3);
  code.get(pc);
  code.op(W.i64Eq);
  code.get(entry);
  code.mem(W.i32Load, ENV.jumpCache + 8, 2);
  code.get(env);
  code.mem(W.i32Load, ENV.tbFlags, 2);
  code.op(W.i32Eq);
  code.op(W.i32And);
} // prettier-ignore

/** Index of the jump cache's entry for a pc, as generated code computes it. */
export function jumpCacheIndex(pcLo: number): number {
  return (((pcLo << 3) ^ (pcLo >>> 9)) & 0xfff0) >>> 4;
}
