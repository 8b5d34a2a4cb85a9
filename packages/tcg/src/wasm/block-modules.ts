/** Puts compiled blocks into modules and modules into the function table. */
import { helperEffects } from "../exec/chains.ts";
import { helperSignature } from "../exec/runtime.ts";
import type { Runtime } from "../exec/runtime.ts";
import type { Target, WasmMemory } from "../exec/contract.ts";
import type { InterpreterImports } from "../interp/handler-emitter.ts";
import type { Block } from "../ir/block.ts";
import { Uncompilable } from "./analysis.ts";
import { BlockCompiler } from "./block-compiler.ts";
import { I32, I64 } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";
import { wasm } from "./types.ts";
import type { WasmTable } from "./types.ts";

/** A block to compile. */
export interface BlockInput {
  readonly block: Block;
  /** Address of its descriptor. */
  readonly tb: number;
  readonly insns: number;
}

/** What became of a batch. */
export interface BatchResult {
  /** Per input: index in the function table; 0 when the interpreter has to do. */
  readonly functions: number[];
  readonly bytes: number;
}

/** Compiles batches of blocks. */
export class BlockModules {
  readonly #memory: WasmMemory;
  readonly #table: WasmTable;
  readonly #target: Target;
  readonly #runtime: Runtime;
  readonly #compiler: BlockCompiler;
  readonly #imports: InterpreterImports;
  /** Next free index of the table; 0 is the interpreter. */
  #next = 1;

  constructor(memory: WasmMemory, table: WasmTable, target: Target, runtime: Runtime, pcOffset: number) {
    this.#memory = memory;
    this.#table = table;
    this.#target = target;
    this.#runtime = runtime;
    const helpers = new Map<string, number>();
    target.helpers.forEach((h, i) => helpers.set(h.name, 4 + i));
    // The order in which every module imports and declares types: see `#builder`.
    this.#imports = { load: 0, store: 1, atomic: 2, cmpxchg: 3, hot: -1, helpers, blockType: 0 };
    const pcGlobal = target.globals.findIndex((g) => g.name === target.pcGlobal);
    const word = { word: target.wordType, pcOffset };
    this.#compiler = new BlockCompiler(this.#imports, word, pcGlobal, helperEffects(target.globals));
  }

  /** All functions are dead: the table's places are free again. */
  reset(): void {
    this.#next = 1;
  }

  compile(inputs: readonly BlockInput[]): BatchResult {
    const builder = this.#builder();
    const functions: number[] = [];
    const base = this.#next;
    let first = -1;
    for (const { block, tb, insns } of inputs) {
      try {
        const { locals, code } = this.#compiler.compile(block, tb, insns);
        const index = builder.function(0, locals, code);
        if (first < 0) first = index;
        functions.push(this.#next++);
      } catch (error) {
        if (!(error instanceof Uncompilable)) throw error;
        functions.push(0);
      }
    }
    const count = this.#next - base;
    if (count === 0) return { functions, bytes: 0 };
    if (this.#next > this.#table.length) this.#table.grow(Math.max(this.#table.length, count));
    builder.elements(base, first, count);
    const bytes = builder.finish();
    const module = new wasm.Module(bytes);
    // Instantiation runs the element segment; nothing else of the instance is needed.
    void new wasm.Instance(module, {
      env: { memory: this.#memory, table: this.#table },
      runtime: this.#runtime.exports,
    });
    return { functions, bytes: bytes.length };
  }

  #builder(): ModuleBuilder {
    const m = new ModuleBuilder(16384);
    m.type([I32, I32], [I32]);
    m.importMemory("env", "memory");
    m.importTable("env", "table");
    m.importFunction("runtime", "load", m.type([I32, I64, I32], [I64]));
    m.importFunction("runtime", "store", m.type([I32, I64, I64, I32], []));
    m.importFunction("runtime", "atomic", m.type([I32, I64, I64, I32], [I64]));
    m.importFunction("runtime", "cmpxchg", m.type([I32, I64, I64, I64, I32], [I64]));
    for (const helper of this.#target.helpers) {
      const { params, results } = helperSignature(helper);
      m.importFunction("runtime", `h.${helper.name}`, m.type(params, results));
    }
    return m;
  }
}
