/** What the handlers of the interpreter are written with: operands, results, and the way to the next instruction. */
import type { IrType } from "../ir/type.ts";
import { typeBytes } from "../ir/type.ts";
import type { WasmOps } from "../ir/wasm-ops.ts";
import { Code, F32, F64, I32, I64, W } from "../wasm/encode.ts";
import type { CodeTarget } from "../wasm/jump-cache.ts";
import { emitLoad, emitStore, wholeMem } from "../wasm/memory-ops.ts";
import type { Handler, Handlers } from "./handlers.ts";
import { operandType } from "./handlers.ts";

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

// Locals: parameters env and tb, then these.
export const ENVP: number = 0;
export const TBP: number = 1;
export const IP: number = 2;
export const ENTRY: number = 3;
const S32 = 4;
export const ADDR: number = 8;
export const S64: number = 9;
const R32 = 13;
const R64 = 14;
const RF32 = 15;
const RF64 = 16;

/** Types of the interpreter's locals behind its parameters. */
export const INTERPRETER_LOCALS: readonly number[] = [
  I32, I32, I32, I32, I32, I32, I64, I64, I64, I64, I64, I32, I64, F32, F64,
]; // prettier-ignore

export const RESULT: Readonly<Partial<Record<IrType, number>>> = {
  i32: R32,
  i64: R64,
  f32: RF32,
  f64: RF64,
};

/** Emits code of handlers; one at a time is current. */
export class HandlerEmitter implements WasmOps {
  readonly code: Code = new Code(65536);
  readonly handlers: Handlers;
  readonly imports: InterpreterImports;
  readonly target: CodeTarget;
  /** The handler being generated, and how many blocks enclose it. */
  protected h!: Handler;
  protected depth = 0;
  protected nextImmediate = 0;

  constructor(handlers: Handlers, imports: InterpreterImports, target: CodeTarget) {
    this.handlers = handlers;
    this.imports = imports;
    this.target = target;
  }

  /** Goes on with the next bytecode instruction. `inside`: blocks opened within the handler. */
  protected next(inside = 0): void {
    this.code.get(IP);
    this.code.i32(this.h.size);
    this.code.op(W.i32Add);
    this.code.set(IP);
    this.code.br(this.depth + inside);
  }

  /** Goes on with the block whose descriptor is in the local. */
  protected nextBlock(inside: number): void {
    this.code.br(this.depth + inside + 1);
  }

  /** Pushes the 16-bit unit at an offset of the bytecode instruction. */
  protected unit(at: number): void {
    this.code.get(IP);
    this.code.mem(W.i32Load16U, at, 1);
  }

  protected slotAddress(at: number): void {
    this.unit(at);
    this.code.get(ENVP);
    this.code.op(W.i32Add);
  }

  protected operand(at: number, type: IrType): void {
    this.slotAddress(at);
    emitLoad(this.code, type, wholeMem(type), 0);
  }

  /**
   * Stores the value on the stack, pushed over the address of the result's slot. Where registers have 64 bits an i32 fills its slot, with
   * zeros above: so it is also the i64 that it mostly becomes next.
   */
  protected storeResult(type: IrType): void {
    if (type === "i32" && this.target.word === "i64") {
      this.code.op(W.i64ExtendI32U);
      emitStore(this.code, "i64", 8, 0);
    } else this.storeExactly(type);
  }

  /** The same, of no more bytes than the type has. */
  protected storeExactly(type: IrType): void {
    emitStore(this.code, type, typeBytes(type), 0);
  }

  // WasmOps, for handlers of pure operations

  arg(n: number): void {
    const h = this.h;
    const type = operandType(h.spec!, n, h.type, this.target.word);
    if (n === 1 && h.immediate) {
      this.code.get(IP);
      this.code.mem(type === "i64" ? W.i64Load16S : W.i32Load16S, h.args[n]!, 1);
    } else this.operand(h.args[n]!, type);
  }

  imm32(): void {
    this.code.get(IP);
    this.code.mem(W.i32Load, this.h.imms[this.nextImmediate++]!.at, 1);
  }

  imm64(): void {
    this.code.get(IP);
    this.code.mem(W.i64Load, this.h.imms[this.nextImmediate++]!.at, 1);
  }

  readonly immediatesInCode: boolean = false;

  imm128(): void {
    this.code.get(IP);
    emitLoad(this.code, "v128", "v128", this.h.imms[this.nextImmediate]!.at);
    this.nextImmediate += 2;
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
}
