/** Puts compiled blocks into modules and modules into the function table. */
import { helperEffects } from "../exec/chains.ts";
import { helperSignature, RUNTIME } from "../exec/runtime.ts";
import type { Runtime } from "../exec/runtime.ts";
import type { Target, WasmMemory } from "../exec/contract.ts";
import type { Block } from "../ir/block.ts";
import { Uncompilable } from "./analysis.ts";
import { BlockCompiler } from "./block-compiler.ts";
import type { BlockImports } from "./block-emitter.ts";
import type { CompiledRegion } from "../region/region-compiler.ts";
import { Bytes, I32, I64 } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";
import { isShared } from "./share-memory.ts";
import { wasm } from "./types.ts";
import type { TracedFunction, WatTrace } from "./wat-trace.ts";
import type { WasmInstance, WasmTable } from "./types.ts";

/** A block to compile. */
export interface BlockInput {
  readonly block: Block;
  /** Address of its descriptor. */
  readonly tb: number;
  readonly insns: number;
  /** Address of the list of the addresses that its indirect jump goes to; 0: it has none. */
  readonly targets: number;
}

/** What became of a batch. */
export interface BatchResult {
  /** Per input: index in the function table; 0 when the interpreter has to do. */
  readonly functions: number[];
  readonly bytes: number;
}

/** Compiles batches of blocks. */
export class BlockModules implements BlockImports {
  readonly #memory: WasmMemory;
  readonly #shared: boolean;
  readonly #table: WasmTable;
  readonly #runtime: Runtime;
  readonly #compiler: BlockCompiler;
  readonly #signatures: Map<string, { params: number[]; results: number[] }> = new Map();
  /** Bodies of the functions of the current module. */
  readonly #code: Bytes = new Bytes(65536);
  #builder: ModuleBuilder = new ModuleBuilder(this.#code);
  /** Functions that the current module imports. */
  readonly #imported: Map<string, number> = new Map();
  viaTable = true;
  trace: WatTrace | undefined;
  /** Blocks count their executions, and call `hot` when the counter is used up. */
  profile = false;
  env = 0;
  /** Next free index of the table; 0 is the interpreter. */
  #next = 1;
  /** Free indexes below it. */
  readonly #free: number[] = [];

  constructor(memory: WasmMemory, table: WasmTable, target: Target, runtime: Runtime, pcOffset: number) {
    this.#memory = memory;
    this.#shared = isShared(memory);
    this.#table = table;
    this.#runtime = runtime;
    const declare = (name: string, params: number[], results: number[]): void =>
      void this.#signatures.set(name, { params, results });
    declare(RUNTIME.load, [I32, I64, I32], [I64]);
    declare(RUNTIME.store, [I32, I64, I64, I32], []);
    declare(RUNTIME.atomic, [I32, I64, I64, I32], [I64]);
    declare(RUNTIME.cmpxchg, [I32, I64, I64, I64, I32], [I64]);
    declare(RUNTIME.probe, [I32, I64, I32], []);
    declare("run", [I32, I32], [I32]);
    declare(RUNTIME.hot, [I32, I32], []);
    for (const helper of target.helpers) this.#signatures.set(`h.${helper.name}`, helperSignature(helper));
    const pcGlobal = target.globals.findIndex((g) => g.name === target.pcGlobal);
    const word = { word: target.wordType, pcOffset, unaligned: target.unaligned === true };
    this.#compiler = new BlockCompiler(this, word, pcGlobal, helperEffects(target.globals));
  }

  /** What is compiled from now on is run by `vcpus` vCPUs, one of which has its state block at `env`. */
  serve(env: number, vcpus: number): void {
    this.env = vcpus === 1 ? env : 0;
  }

  /** All functions are dead: the table's places are free again. */
  reset(): void {
    this.#next = 1;
    this.#free.length = 0;
  }

  /** A function is of no use any more. */
  release(slot: number): void {
    this.#table.set(slot, null);
    this.#free.push(slot);
  }

  /** Whether the error says that the engine does not take the code, as with too large a function. */
  isRefusal(error: unknown): boolean {
    return error instanceof wasm.CompileError;
  }

  /** Compiles one region in a module of its own. @throws Uncompilable, CompileError */
  compileRegion(
    tb: number,
    about: string,
    compile: () => CompiledRegion,
  ): { slot: number; bytes: number; numbers: Int32Array } {
    this.viaTable = true;
    this.#begin();
    const m = this.#builder;
    const { locals, code, notes, selfCalls, shape } = compile();
    const slot = this.#free.pop() ?? this.#next++;
    if (this.#next > this.#table.length) this.#table.grow(this.#table.length);
    for (const at of selfCalls) code.patch32(at, m.importedFunctions);
    m.function(0, locals, code);
    m.elements(slot, m.importedFunctions, 1);
    try {
      const bytes = m.finish();
      this.trace?.show(bytes, [{ kind: "region", tb, about, notes }]);
      this.#instantiate(bytes);
      return { slot, bytes: bytes.length, numbers: shape.number };
    } catch (error) {
      this.#free.push(slot);
      throw error;
    }
  }

  #instantiate(bytes: Uint8Array<ArrayBuffer>): WasmInstance {
    return new wasm.Instance(new wasm.Module(bytes), {
      env: { memory: this.#memory, table: this.#table },
      runtime: this.#runtime.exports,
    });
  }

  /** Imports a function of the runtime into the current module, once. */
  call(name: string): number {
    let index = this.#imported.get(name);
    if (index === undefined) {
      const { params, results } = this.#signatures.get(name)!;
      index = this.#builder.importFunction("runtime", name, this.#builder.type(params, results));
      this.#imported.set(name, index);
    }
    return index;
  }

  compile(inputs: readonly BlockInput[]): BatchResult {
    // A module that imports the table costs several times one that does not: for a single block that is the most.
    this.viaTable = inputs.length > 1;
    this.#begin();
    const m = this.#builder;
    const functions: number[] = [];
    const shown: TracedFunction[] = [];
    const base = this.#next;
    for (const { block, tb, insns, targets } of inputs) {
      try {
        const { locals, code, notes } = this.#compiler.compile(block, tb, insns, targets);
        if (this.trace !== undefined) shown.push({ kind: "block", tb, about: `${insns} instructions`, notes });
        m.function(0, locals, code);
        functions.push(this.#next++);
      } catch (error) {
        if (!(error instanceof Uncompilable)) throw error;
        functions.push(0);
      }
    }
    const count = this.#next - base;
    if (count === 0) return { functions, bytes: 0 };
    if (this.#next > this.#table.length) this.#table.grow(Math.max(this.#table.length, count));
    // No more imports: now the functions' own indexes are known.
    if (this.viaTable) m.elements(base, m.importedFunctions, count);
    else m.exportFunction("f", m.importedFunctions);
    const bytes = m.finish();
    this.trace?.show(bytes, shown);
    // Instantiation runs the element segment.
    const instance = this.#instantiate(bytes);
    if (!this.viaTable) this.#table.set(base, instance.exports["f"]);
    return { functions, bytes: bytes.length };
  }

  #begin(): void {
    this.#builder = new ModuleBuilder(this.#code);
    this.#imported.clear();
    this.#builder.type([I32, I32], [I32]);
    this.#builder.importMemory("env", "memory", this.#shared);
    if (this.viaTable) this.#builder.importTable("env", "table");
  }
}
