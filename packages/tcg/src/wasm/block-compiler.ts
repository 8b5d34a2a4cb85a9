/** Compiles blocks to WebAssembly functions of type `(env, tb) -> i32`: globals in locals, expressions as trees. */
import { ENV, EXIT, TLB_ENTRIES, TLB_ENTRY_SIZE } from "../exec/contract.ts";
import type { Helper } from "../exec/contract.ts";
import { EXIT_LOOKUP, TB } from "../exec/descriptor.ts";
import { emitJumpCacheLookup } from "../interp/generate.ts";
import type { InterpreterImports, InterpreterTarget } from "../interp/generate.ts";
import { leavesPage } from "../interp/bytecode.ts";
import type { Block, Op } from "../ir/block.ts";
import { resultType } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { HelperSpec, IrType, Value } from "../ir/type.ts";
import { MEM_OPS, typeBytes } from "../ir/type.ts";
import type { WasmOps } from "../ir/wasm-ops.ts";
import { emitCond, emitPure } from "../ir/wasm-ops.ts";
import { ALIAS, analyse, CONST, DEAD, INLINE, isSelfEdge, LOCAL, Uncompilable } from "./analysis.ts";
import type { Analysis, HelperEffects } from "./analysis.ts";
import { Code, EMPTY, I32, I64, W } from "./encode.ts";
import { emitFromI64, emitLoad, emitStore, emitToI64, log2Bytes, VALUE_TYPE, wholeMem } from "./memory-ops.ts";

/** A compiled function body. */
export interface CompiledBlock {
  readonly locals: readonly number[];
  readonly code: Code;
}

const TLB_MASK = (TLB_ENTRIES - 1) * TLB_ENTRY_SIZE;
const TLB_SIZE = TLB_ENTRIES * TLB_ENTRY_SIZE;
const ENVP = 0;

/** Compiles block after block; keeps its tables between them. */
export class BlockCompiler implements WasmOps {
  readonly #imports: InterpreterImports;
  readonly #target: InterpreterTarget;
  readonly #pcGlobal: number;
  readonly #effects: (helper: HelperSpec) => HelperEffects;

  // The block being compiled.
  #block!: Block;
  #a!: Analysis;
  #tb = 0;
  #code!: Code;
  #locals: number[] = [];
  #valueLocal = new Int32Array(0);
  #globalLocal = new Int32Array(0);
  #op!: Op;
  /** Blocks open around the current code, within the fault stages. */
  #depth = 0;
  /** Labels already placed, of `a.labels`. */
  #placed = 0;
  #labelOrder: number[] = [];
  #site = 0;
  #siteLocal = -1;
  #entryLocal = -1;
  #addressLocal = -1;
  #resultLocal = -1;
  #scratch: { readonly i32: number[]; readonly i64: number[] } = { i32: [], i64: [] };

  constructor(
    imports: InterpreterImports, target: InterpreterTarget, pcGlobal: number,
    effects: (helper: HelperSpec) => HelperEffects,
  ) {
    this.#imports = imports;
    this.#target = target;
    this.#pcGlobal = pcGlobal;
    this.#effects = effects;
  } // prettier-ignore

  /** `tb` is the address of the block's descriptor. @throws Uncompilable */
  compile(block: Block, tb: number, insns: number): CompiledBlock {
    const a = analyse(block, this.#pcGlobal, this.#effects);
    this.#start(block, a, tb);
    const code = this.#code;
    this.#prologue(insns);
    for (let i = a.labels.length; i > 0; i--) code.block();
    this.#depth += a.labels.length;
    let reachable = true;
    for (let i = 0; i < block.ops.length; i++) {
      const op = block.ops[i]!;
      if (op.spec === ops.label) {
        code.end();
        this.#depth--;
        this.#placed++;
        reachable = true;
      } else if (reachable) {
        this.#operation(op, i);
        reachable = !op.spec.terminator;
      }
    }
    if (reachable) throw new Uncompilable("The block has no end");
    if (a.selfLoop) {
      code.end();
      code.op(W.unreachable);
    }
    this.#faultExits();
    return { locals: this.#locals, code };
  }

  #start(block: Block, a: Analysis, tb: number): void {
    this.#block = block;
    this.#a = a;
    this.#tb = tb;
    this.#code = new Code(1024);
    this.#locals = [];
    this.#valueLocal = new Int32Array(block.ops.length).fill(-1);
    this.#globalLocal = new Int32Array(block.globals.length).fill(-1);
    this.#depth = 0;
    this.#placed = 0;
    this.#labelOrder = [];
    a.labels.forEach((l, i) => (this.#labelOrder[l] = i));
    this.#site = 0;
    this.#siteLocal = this.#entryLocal = this.#addressLocal = this.#resultLocal = -1;
    this.#scratch = { i32: [], i64: [] };
  }

  #local(type: number): number {
    this.#locals.push(type);
    return this.#locals.length + 1;
  }

  #global(g: number): number {
    const known = this.#globalLocal[g]!;
    if (known >= 0) return known;
    return (this.#globalLocal[g] = this.#local(VALUE_TYPE[this.#block.globals[g]!.type]));
  }

  #temp(name: "site" | "entry" | "address"): number {
    if (name === "site") return this.#siteLocal >= 0 ? this.#siteLocal : (this.#siteLocal = this.#local(I32));
    if (name === "entry") return this.#entryLocal >= 0 ? this.#entryLocal : (this.#entryLocal = this.#local(I32));
    return this.#addressLocal >= 0 ? this.#addressLocal : (this.#addressLocal = this.#local(I64));
  }

  #result(): number {
    return this.#resultLocal >= 0 ? this.#resultLocal : (this.#resultLocal = this.#local(I64));
  }

  #prologue(insns: number): void {
    const code = this.#code;
    const a = this.#a;
    for (let i = 0; i < a.stages.length; i++) code.block();
    if (a.selfLoop) {
      this.#loadEntry();
      code.loop();
      this.#depth++;
    }
    const entry = this.#temp("entry");
    code.get(ENVP);
    code.mem(W.i32Load, ENV.budget, 2);
    code.i32(insns);
    code.op(W.i32Sub);
    code.tee(entry);
    code.i32(0);
    code.op(W.i32LtS);
    code.if();
    if (a.selfLoop) for (let g = 0; g < a.written.length; g++) if (a.written[g] === 1) this.#storeGlobal(g);
    code.i32(EXIT.budget);
    code.op(W.return);
    code.end();
    code.get(ENVP);
    code.get(entry);
    code.mem(W.i32Store, ENV.budget, 2);
    if (!a.selfLoop) this.#loadEntry();
  }

  #loadEntry(): void {
    const { entryLoad } = this.#a;
    for (let g = 0; g < entryLoad.length; g++) if (entryLoad[g] === 1) this.#loadGlobal(g);
  }

  #loadGlobal(g: number): void {
    const { type, offset } = this.#block.globals[g]!;
    this.#code.get(ENVP);
    emitLoad(this.#code, type, wholeMem(type), offset);
    this.#code.set(this.#global(g));
  }

  #storeGlobal(g: number): void {
    const { type, offset } = this.#block.globals[g]!;
    this.#code.get(ENVP);
    this.#code.get(this.#global(g));
    emitStore(this.#code, type, typeBytes(type), offset);
  }

  /** Stage by stage from the last: stores what was dirty there, and falls through to the stage before. */
  #faultExits(): void {
    const code = this.#code;
    const { stages } = this.#a;
    if (stages.length === 0) {
      code.op(W.unreachable);
      return;
    }
    for (let i = stages.length - 1; i >= 0; i--) {
      if (i === stages.length - 1) code.op(W.unreachable);
      code.end();
      for (const g of stages[i]!) this.#storeGlobal(g);
    }
    code.get(ENVP);
    code.i32(this.#tb);
    code.mem(W.i32Store, ENV.exitTb, 2);
    code.get(ENVP);
    code.get(this.#temp("site"));
    code.mem(W.i32Store, ENV.exitSite, 2);
    code.i32(EXIT.fault);
  }

  // WasmOps: the expansion of `#op`

  arg(n: number): void {
    const op = this.#op;
    this.#push(n === 0 ? op.a : n === 1 ? op.b : n === 2 ? op.c : op.d);
    this.#op = op;
  }
  imm32(value: number): void {
    this.#code.i32(value);
  }
  imm64(lo: number, hi: number): void {
    this.#code.i64(lo, hi);
  }
  const32(value: number): void {
    this.#code.i32(value);
  }
  const64(lo: number, hi: number): void {
    this.#code.i64(lo, hi);
  }
  raw(bytes: readonly number[]): void {
    this.#code.bytes(bytes);
  }
  #scratchLocal(type: "i32" | "i64", n: number): number {
    return (this.#scratch[type][n] ??= this.#local(type === "i32" ? I32 : I64));
  }
  get(type: "i32" | "i64", n: number): void {
    this.#code.get(this.#scratchLocal(type, n));
  }
  set(type: "i32" | "i64", n: number): void {
    this.#code.set(this.#scratchLocal(type, n));
  }
  tee(type: "i32" | "i64", n: number): void {
    this.#code.tee(this.#scratchLocal(type, n));
  }

  /** Pushes a value. */
  #push(v: Value): void {
    const op = this.#block.ops[v]!;
    switch (this.#a.kind[v]) {
      case CONST:
      case INLINE:
        this.#op = op;
        return emitPure(this, op);
      case ALIAS:
        return this.#code.get(this.#global(op.imm));
      case LOCAL:
        return this.#code.get(this.#valueLocal[v]!);
      default:
        throw new Uncompilable(`%${v} is used but not computed`);
    }
  }

  /** Takes the value on the stack as the result of operation `i`. */
  #define(op: Op, i: number): void {
    if (this.#a.kind[i] === DEAD) this.#code.op(W.drop);
    else this.#code.set((this.#valueLocal[i] = this.#local(VALUE_TYPE[resultType(op)])));
  }

  #operation(op: Op, i: number): void {
    const code = this.#code;
    const { spec } = op;
    switch (spec) {
      case ops.insn:
        this.#site = op.imm;
        return;
      case ops.mb:
      case ops.const:
        return;
      case ops.get:
        if (this.#a.kind[i] !== LOCAL) return;
        code.get(this.#global(op.imm));
        return this.#define(op, i);
      case ops.set:
        this.#push(op.a);
        return code.set(this.#global(op.imm));
      case ops.env_ld:
        if (this.#a.kind[i] !== LOCAL) return;
        code.get(ENVP);
        emitLoad(code, op.type, op.mem, op.imm);
        return this.#define(op, i);
      case ops.env_addr:
        if (this.#a.kind[i] !== LOCAL) return;
        code.get(ENVP);
        code.i32(op.imm);
        code.op(W.i32Add);
        return this.#define(op, i);
      case ops.env_st:
        code.get(ENVP);
        this.#push(op.a);
        return emitStore(code, op.type, MEM_OPS[op.mem].bytes, op.imm);
      case ops.br:
        return code.br(this.#labelDepth(op.imm));
      case ops.brcond:
        this.#op = op;
        emitCond(this, op.cond, op.type);
        return code.brIf(this.#labelDepth(op.imm));
      case ops.ld:
        return this.#load(op, i);
      case ops.st:
        return this.#store(op, i);
      case ops.call:
        return this.#call(op, i);
      case ops.goto_tb:
      case ops.goto_ptr:
      case ops.exit_tb:
        return this.#exit(op, i);
      default:
        if (!spec.pure) return this.#atomic(op, i);
        if (this.#a.kind[i] !== LOCAL) return;
        this.#op = op;
        emitPure(this, op);
        this.#define(op, i);
    }
  }

  #labelDepth(label: number): number {
    return this.#labelOrder[label]! - this.#placed;
  }

  /** Leaves the address of an access as an i64 in the local returned. */
  #address(op: Op): number {
    const code = this.#code;
    if (this.#target.word === "i64") {
      const kind = this.#a.kind[op.a];
      if (kind === LOCAL) return this.#valueLocal[op.a]!;
      if (kind === ALIAS) return this.#global(this.#block.ops[op.a]!.imm);
      this.#push(op.a);
    } else {
      this.#push(op.a);
      code.op(W.i64ExtendI32U);
    }
    const local = this.#temp("address");
    code.set(local);
    return local;
  }

  /** Pushes whether the TLB maps an aligned access; leaves its entry, less ENV.tlb and the mmu index's part. */
  #tlbHit(address: number, bytes: number, mmu: number, tag: number): void {
    const code = this.#code;
    const entry = this.#temp("entry");
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
    code.i64(-4096 | (bytes - 1), -1);
    code.op(W.i64And);
    code.op(W.i64Eq);
  }

  #hostAddress(address: number, mmu: number): void {
    const code = this.#code;
    code.get(address);
    code.op(W.i32WrapI64);
    code.get(this.#temp("entry"));
    code.mem(W.i32Load, ENV.tlb + mmu * TLB_SIZE + 24, 2);
    code.op(W.i32Add);
  }

  #setSite(): void {
    this.#code.i32(this.#site);
    this.#code.set(this.#temp("site"));
  }

  /** Branches to the fault exit of operation `i` if an exception is pending; `inside` blocks are open. */
  #checkFault(i: number, inside: number): void {
    const code = this.#code;
    code.get(ENVP);
    code.mem(W.i32Load, ENV.exception, 2);
    code.brIf(inside + this.#depth + this.#a.stages.length - 1 - this.#a.stage.get(i)!);
  }

  #checkAccess(op: Op): void {
    if (MEM_OPS[op.mem].bigEndian || op.type === "v128") throw new Uncompilable(`${op.spec.name} ${op.mem}`);
  }

  #load(op: Op, i: number): void {
    this.#checkAccess(op);
    const code = this.#code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.#address(op);
    this.#tlbHit(address, bytes, op.imm, 0);
    code.if(VALUE_TYPE[op.type]);
    this.#hostAddress(address, op.imm);
    emitLoad(code, op.type, op.mem, 0);
    code.else();
    this.#setSite();
    code.get(ENVP);
    code.get(address);
    code.i32(log2Bytes(op.mem) | (op.imm << 4));
    code.call(this.#imports.load);
    emitFromI64(code, op.type, op.mem);
    this.#checkFault(i, 1);
    code.end();
    this.#define(op, i);
  }

  #store(op: Op, i: number): void {
    this.#checkAccess(op);
    const code = this.#code;
    const { bytes } = MEM_OPS[op.mem];
    const address = this.#address(op);
    this.#tlbHit(address, bytes, op.imm, 8);
    code.if();
    this.#hostAddress(address, op.imm);
    this.#push(op.b);
    emitStore(code, op.type, bytes, 0);
    code.else();
    this.#setSite();
    code.get(ENVP);
    code.get(address);
    this.#push(op.b);
    emitToI64(code, op.type);
    code.i32(log2Bytes(op.mem) | (op.imm << 4));
    code.call(this.#imports.store);
    this.#checkFault(i, 1);
    code.end();
  }

  #atomic(op: Op, i: number): void {
    this.#checkAccess(op);
    const code = this.#code;
    const swap = op.spec === ops.atomic_cmpxchg;
    const address = this.#address(op);
    this.#setSite();
    code.get(ENVP);
    code.get(address);
    this.#push(op.b);
    emitToI64(code, op.type);
    if (swap) {
      this.#push(op.c);
      emitToI64(code, op.type);
    }
    const operation = swap ? 0 : op.spec.code - ops.atomic_xchg.code;
    code.i32(log2Bytes(op.mem) | (operation << 2) | (op.imm << 8));
    code.call(swap ? this.#imports.cmpxchg : this.#imports.atomic);
    const result = this.#result();
    code.set(result);
    this.#checkFault(i, 0);
    if (this.#a.kind[i] === DEAD) return;
    code.get(result);
    emitFromI64(code, op.type, op.mem);
    this.#define(op, i);
  }

  #call(op: Op, i: number): void {
    const code = this.#code;
    const helper = op.helper!;
    const js = (helper as Helper).impl.kind === "js";
    for (const g of this.#a.stores.get(i)!) this.#storeGlobal(g);
    if (helper.mayFault === true) this.#setSite();
    let n = 0;
    for (const param of helper.params) {
      if (param === "env") {
        if (!js) code.get(ENVP);
        continue;
      }
      const v = op.list[n++] as Value;
      this.#push(v);
      if (param !== "i64" || !js) continue;
      code.op(W.i32WrapI64);
      this.#push(v);
      code.i64(32, 0);
      code.op(W.i64ShrU);
      code.op(W.i32WrapI64);
    }
    code.call(this.#imports.helpers.get(helper.name)!);
    if (helper.result !== undefined) {
      if (js && helper.result === "i64") {
        code.get(ENVP);
        code.mem(W.i64Load, ENV.scratch, 3);
      }
      this.#define(op, i);
    }
    for (const g of this.#a.reloads.get(i)!) this.#loadGlobal(g);
    if (helper.mayFault === true) this.#checkFault(i, 0);
  }

  #exit(op: Op, i: number): void {
    const code = this.#code;
    if (op.spec === ops.goto_tb && isSelfEdge(this.#block, i, this.#pcGlobal)) {
      // Depth: the labels still open lie within the loop.
      return code.br(this.#depth - 1);
    }
    for (const g of this.#a.stores.get(i)!) this.#storeGlobal(g);
    if (op.spec === ops.exit_tb) {
      code.i32(op.imm);
      return code.op(W.return);
    }
    const entry = this.#temp("entry");
    if (op.spec === ops.goto_tb && !leavesPage(this.#block, i, this.#pcGlobal)) {
      code.i32(this.#tb);
      code.mem(W.i32Load, TB.link + 4 * op.imm, 2);
      code.tee(entry);
      code.if(EMPTY);
      this.#enter(entry);
      code.end();
      code.i32(this.#tb + 1 + op.imm);
      return code.op(W.return);
    }
    emitJumpCacheLookup(code, this.#target, ENVP, this.#temp("address"), entry);
    code.if(EMPTY);
    code.get(entry);
    code.mem(W.i32Load, ENV.jumpCache + 12, 2);
    code.set(entry);
    this.#enter(entry);
    code.end();
    code.i32(EXIT_LOOKUP);
    code.op(W.return);
  }

  /** Tail-calls the block whose descriptor is in a local. */
  #enter(entry: number): void {
    const code = this.#code;
    code.get(ENVP);
    code.get(entry);
    code.get(entry);
    code.mem(W.i32Load, TB.fn, 2);
    code.op(W.returnCallIndirect);
    code.u32(this.#imports.blockType);
    code.u32(0);
  }
}
