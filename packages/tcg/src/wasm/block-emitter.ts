/** What compiled blocks are written with: locals for globals and values, expressions as trees. */
import type { HelperEffects } from "../exec/chains.ts";
import type { Block, Op } from "../ir/block.ts";
import { resultType } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { HelperSpec, Value } from "../ir/type.ts";
import { typeBytes } from "../ir/type.ts";
import type { WasmOps } from "../ir/wasm-ops.ts";
import { emitPure } from "../ir/wasm-ops.ts";
import { ALIAS, CONST, DEAD, INLINE, LOCAL, Uncompilable } from "./analysis.ts";
import type { Analysis } from "./analysis.ts";
import { Code, I32, I64, NO_LOCAL, W } from "./encode.ts";
import type { CodeTarget } from "./jump-cache.ts";
import { CodeNotes } from "./notes.ts";
import type { WatTrace } from "./wat-trace.ts";
import { emitLoad, emitStore, VALUE_TYPE, wholeMem } from "./memory-ops.ts";

/** What the module of a block offers it. Type 0 is `(env, tb) -> i32`. */
export interface BlockImports {
  /** Blocks are entered through the function table; else by a tail call of the interpreter, which passes them on. */
  readonly viaTable: boolean;
  /** Blocks count their executions. */
  readonly profile: boolean;
  /** Shows the code; undefined: nobody looks. */
  readonly trace: WatTrace | undefined;
  /** Address of the one state block that the code will see; 0: there are several vCPUs. */
  readonly env: number;
  /** Index of a function that the runtime exports under this name. */
  call(name: string): number;
}

/** Operations whose result's low half depends on the low halves of their operands, and how it is computed from these. */
const NARROW: ReadonlyMap<Op["spec"], number> = new Map([
  [ops.add, W.i32Add],
  [ops.sub, W.i32Sub],
  [ops.mul, W.i32Mul],
  [ops.and, W.i32And],
  [ops.or, W.i32Or],
  [ops.xor, W.i32Xor],
  // By a constant, taken modulo 64, less than 32.
  [ops.shl, W.i32Shl],
]);

/** No locals for `count` things: −1 for each, in the same array where it has room. */
export function noLocals(old: Int32Array, count: number): Int32Array {
  return (old.length < count ? new Int32Array(2 * count) : old).fill(-1, 0, count);
}

/** The local that holds `env`. */
export const ENVP: number = 0;

/** Emits the code of blocks, one at a time. */
export class BlockEmitter implements WasmOps {
  protected readonly imports: BlockImports;
  protected readonly target: CodeTarget;
  protected readonly pcGlobal: number;
  protected readonly effects: (helper: HelperSpec) => HelperEffects;
  // The block being compiled.
  protected block!: Block;
  protected a!: Analysis;
  protected tb = 0;
  protected readonly code: Code = new Code(4096);
  protected locals: number[] = [];
  protected notes: CodeNotes | undefined;
  protected valueLocal: Int32Array = new Int32Array(0);
  protected globalLocal: Int32Array = new Int32Array(0);
  protected op!: Op;
  /** Blocks open around the current code, within the fault stages. */
  protected depth = 0;
  /** Labels already placed, of `a.labels`. */
  protected placed = 0;
  protected labelOrder: number[] = [];
  protected site = 0;
  protected siteLocal = -1;
  protected entryLocal = -1;
  protected addressLocal = -1;
  protected resultLocal = -1;
  protected scratch: { readonly i32: number[]; readonly i64: number[] } = { i32: [], i64: [] };

  constructor(
    imports: BlockImports, target: CodeTarget, pcGlobal: number,
    effects: (helper: HelperSpec) => HelperEffects,
  ) {
    this.imports = imports;
    this.target = target;
    this.pcGlobal = pcGlobal;
    this.effects = effects;
  } // prettier-ignore

  protected start(block: Block, a: Analysis, tb: number): void {
    this.block = block;
    this.a = a;
    this.tb = tb;
    this.code.clear();
    // A constant takes no register of the host, and becomes a part of the offsets in the state block.
    const { env } = this.imports;
    this.code.pin(env === 0 ? NO_LOCAL : ENVP, env);
    this.locals = [];
    this.notes = this.imports.trace === undefined ? undefined : new CodeNotes();
    this.notes?.local(ENVP, "env");
    this.notes?.local(1, "tb");
    this.valueLocal = noLocals(this.valueLocal, block.ops.length);
    this.globalLocal = noLocals(this.globalLocal, block.globals.length);
    this.depth = 0;
    this.placed = 0;
    this.labelOrder = [];
    a.labels.forEach((l, i) => (this.labelOrder[l] = i));
    this.site = 0;
    this.siteLocal = this.entryLocal = this.addressLocal = this.resultLocal = -1;
    this.scratch = { i32: [], i64: [] };
  }

  /** A new local; the name is for readers. */
  protected local(type: number, name: string = "v"): number {
    this.locals.push(type);
    const index = this.locals.length + 1;
    this.notes?.local(index, name);
    return index;
  }

  protected global(g: number): number {
    const known = this.globalLocal[g]!;
    if (known >= 0) return known;
    return (this.globalLocal[g] = this.local(VALUE_TYPE[this.block.globals[g]!.type], this.block.globals[g]!.name));
  }

  protected temp(name: "site" | "entry" | "address"): number {
    if (name === "site") return this.siteLocal >= 0 ? this.siteLocal : (this.siteLocal = this.local(I32, name));
    if (name === "entry") return this.entryLocal >= 0 ? this.entryLocal : (this.entryLocal = this.local(I32, name));
    return this.addressLocal >= 0 ? this.addressLocal : (this.addressLocal = this.local(I64, "address"));
  }

  protected result(): number {
    return this.resultLocal >= 0 ? this.resultLocal : (this.resultLocal = this.local(I64, "result"));
  }

  /** Code of instruction `site` of the block begins. */
  protected beginInsn(site: number): void {
    this.site = site;
    this.notes?.comment(this.code.length, this.imports.trace!.insn(this.tb, site));
  }

  protected loadGlobal(g: number): void {
    const { type, offset } = this.block.globals[g]!;
    this.code.get(ENVP);
    emitLoad(this.code, type, wholeMem(type), offset);
    this.code.set(this.global(g));
  }

  protected storeGlobal(g: number): void {
    const { type, offset } = this.block.globals[g]!;
    this.code.get(ENVP);
    this.code.get(this.global(g));
    emitStore(this.code, type, typeBytes(type), offset);
  }

  // WasmOps: the expansion of `#op`

  arg(n: number): void {
    const op = this.op;
    this.push(n === 0 ? op.a : n === 1 ? op.b : n === 2 ? op.c : op.d);
    this.op = op;
  }

  imm32(value: number): void {
    this.code.i32(value);
  }

  imm64(lo: number, hi: number): void {
    this.code.i64(lo, hi);
  }

  readonly immediatesInCode: boolean = true;

  imm128(bytes: readonly number[]): void {
    this.code.bytes([0xfd, 0x0c]);
    this.code.bytes(bytes);
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

  protected scratchLocal(type: "i32" | "i64", n: number): number {
    return (this.scratch[type][n] ??= this.local(type === "i32" ? I32 : I64, "scratch"));
  }

  get(type: "i32" | "i64", n: number): void {
    this.code.get(this.scratchLocal(type, n));
  }

  set(type: "i32" | "i64", n: number): void {
    this.code.set(this.scratchLocal(type, n));
  }

  tee(type: "i32" | "i64", n: number): void {
    this.code.tee(this.scratchLocal(type, n));
  }

  /** Emits a pure operation: its result is left on the stack. */
  protected pure(op: Op): void {
    if (op.type === "i64" && (op.spec === ops.ext32s || op.spec === ops.ext32u) && this.#narrows(op.a)) {
      this.#pushLow(op.a);
      return this.code.op(op.spec === ops.ext32s ? W.i64ExtendI32S : W.i64ExtendI32U);
    }
    emitPure(this, op);
  }

  /** Whether the low half of a value that is computed here can be computed from low halves. */
  #narrows(v: Value): boolean {
    if (this.a.kind[v] !== INLINE) return false;
    const { spec, b } = this.block.ops[v]!;
    return spec === ops.shl ? this.a.kind[b] === CONST && (this.block.ops[b]!.imm & 63) < 32 : NARROW.has(spec);
  }

  /**
   * Pushes the low half of an i64. An instruction on words is then one on the host: as one on all 64 bits, with an extension behind it,
   * it is two more, as V8 clears the upper half first.
   */
  #pushLow(v: Value): void {
    const op = this.block.ops[v]!;
    if (this.a.kind[v] === CONST) return this.code.i32(op.imm);
    if (!this.#narrows(v)) {
      this.push(v);
      return this.code.op(W.i32WrapI64);
    }
    this.#pushLow(op.a);
    this.#pushLow(op.b);
    this.code.op(NARROW.get(op.spec)!);
  }

  /** Pushes a value. */
  protected push(v: Value): void {
    const op = this.block.ops[v]!;
    switch (this.a.kind[v]) {
      case CONST:
      case INLINE:
        this.op = op;
        return this.pure(op);
      case ALIAS:
        return this.code.get(this.global(op.imm));
      case LOCAL:
        return this.code.get(this.valueLocal[v]!);
      default:
        throw new Uncompilable(`%${v} is used but not computed`);
    }
  }

  /** Takes the value on the stack as the result of operation `i`. */
  protected define(op: Op, i: number): void {
    if (this.a.kind[i] === DEAD) this.code.op(W.drop);
    else this.code.set((this.valueLocal[i] = this.local(VALUE_TYPE[resultType(op)])));
  }
}
