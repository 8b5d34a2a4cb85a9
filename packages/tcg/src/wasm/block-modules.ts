/** Puts compiled blocks into modules and modules into the function table. */
import { helperEffects } from "../exec/chains.ts";
import { helperSignature, RUNTIME } from "../exec/runtime.ts";
import type { Runtime } from "../exec/runtime.ts";
import type { Target, WasmMemory } from "../exec/contract.ts";
import type { Block } from "../ir/block.ts";
import { Uncompilable } from "./analysis.ts";
import { BlockCompiler } from "./block-compiler.ts";
import type { BlockImports } from "./block-emitter.ts";
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
export class BlockModules implements BlockImports {
  readonly #memory: WasmMemory;
  readonly #table: WasmTable;
  readonly #runtime: Runtime;
  readonly #compiler: BlockCompiler;
  readonly #signatures: Map<string, { params: number[]; results: number[] }> = new Map();
  #builder: ModuleBuilder = new ModuleBuilder();
  /** Functions that the current module imports. */
  readonly #imported: Map<string, number> = new Map();
  viaTable = true;
  /** Next free index of the table; 0 is the interpreter. */
  #next = 1;

  constructor(memory: WasmMemory, table: WasmTable, target: Target, runtime: Runtime, pcOffset: number) {
    this.#memory = memory;
    this.#table = table;
    this.#runtime = runtime;
    const declare = (name: string, params: number[], results: number[]): void =>
      void this.#signatures.set(name, { params, results });
    declare(RUNTIME.load, [I32, I64, I32], [I64]);
    declare(RUNTIME.store, [I32, I64, I64, I32], []);
    declare(RUNTIME.atomic, [I32, I64, I64, I32], [I64]);
    declare(RUNTIME.cmpxchg, [I32, I64, I64, I64, I32], [I64]);
    declare("run", [I32, I32], [I32]);
    for (const helper of target.helpers) this.#signatures.set(`h.${helper.name}`, helperSignature(helper));
    const pcGlobal = target.globals.findIndex((g) => g.name === target.pcGlobal);
    const word = { word: target.wordType, pcOffset };
    this.#compiler = new BlockCompiler(this, word, pcGlobal, helperEffects(target.globals));
  }

  /** All functions are dead: the table's places are free again. */
  reset(): void {
    this.#next = 1;
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
    this.#begin(inputs.length);
    const m = this.#builder;
    const functions: number[] = [];
    const base = this.#next;
    for (const { block, tb, insns } of inputs) {
      try {
        const { locals, code } = this.#compiler.compile(block, tb, insns);
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
    // Instantiation runs the element segment.
    const instance = new wasm.Instance(new wasm.Module(bytes), {
      env: { memory: this.#memory, table: this.#table },
      runtime: this.#runtime.exports,
    });
    if (!this.viaTable) this.#table.set(base, instance.exports["f"]);
    return { functions, bytes: bytes.length };
  }

  #begin(blocks: number): void {
    this.#builder = new ModuleBuilder(512 * blocks);
    this.#imported.clear();
    this.#builder.type([I32, I32], [I32]);
    this.#builder.importMemory("env", "memory");
    if (this.viaTable) this.#builder.importTable("env", "table");
  }
}
