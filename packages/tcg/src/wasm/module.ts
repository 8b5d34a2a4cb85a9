import { Bytes, Code } from "./encode.ts";

/**
 * Builds a module: types, imports, functions, exports. Imports come before functions.
 * Source: WebAssembly Core Specification 3.0, 5.5 "Modules".
 */
export class ModuleBuilder {
  readonly #types: Bytes = new Bytes(64);
  readonly #typeIndex: Map<string, number> = new Map();
  readonly #imports: Bytes = new Bytes(256);
  #importCount = 0;
  /** Functions imported so far: the index of the first function of the module itself. */
  importedFunctions = 0;
  readonly #functionTypes: number[] = [];
  readonly #exports: Bytes = new Bytes(256);
  #exportCount = 0;
  readonly #elements: Bytes = new Bytes(64);
  #elementCount = 0;
  readonly #code: Bytes;
  /** Entries of the section of branch hints. */
  readonly #hints: Bytes = new Bytes(64);
  #hintCount = 0;

  /** `code` is emptied, and takes the functions' bodies. */
  constructor(code: Bytes = new Bytes(1024)) {
    code.clear();
    this.#code = code;
  }

  type(params: readonly number[], results: readonly number[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#typeIndex.get(key);
    if (known !== undefined) return known;
    const index = this.#typeIndex.size;
    this.#typeIndex.set(key, index);
    this.#types.byte(0x60);
    this.#types.u32(params.length);
    this.#types.bytes(params);
    this.#types.u32(results.length);
    this.#types.bytes(results);
    return index;
  }

  importFunction(module: string, name: string, type: number): number {
    this.#import(module, name);
    this.#imports.byte(0x00);
    this.#imports.u32(type);
    return this.importedFunctions++;
  }

  /** Any memory will do: the limits are 0 pages at least, and for one that threads share 65536 at most. */
  importMemory(module: string, name: string, shared = false): void {
    this.#import(module, name);
    this.#imports.bytes(shared ? [0x02, 0x03, 0x00, 0x80, 0x80, 0x04] : [0x02, 0x00, 0x00]);
  }

  importTable(module: string, name: string): void {
    this.#import(module, name);
    this.#imports.bytes([0x01, 0x70, 0x00, 0x00]);
  }

  /** A global that is set outside: its index among the globals is the number of those imported before. */
  importGlobal(module: string, name: string, type: number): void {
    this.#import(module, name);
    this.#imports.bytes([0x03, type, 0x01]);
  }

  #import(module: string, name: string): void {
    this.#imports.name(module);
    this.#imports.name(name);
    this.#importCount++;
  }

  /** Adds a function with a finished body (without its final `end`); returns its index. */
  function(type: number, locals: readonly number[], code: Bytes): number {
    const head = new Bytes(16);
    const runs: number[] = [];
    for (let i = 0; i < locals.length;) {
      let j = i + 1;
      while (j < locals.length && locals[j] === locals[i]) j++;
      runs.push(j - i, locals[i]!);
      i = j;
    }
    head.u32(runs.length / 2);
    for (let i = 0; i < runs.length; i += 2) {
      head.u32(runs[i]!);
      head.byte(runs[i + 1]!);
    }
    this.#code.u32(head.length + code.length + 1);
    this.#code.append(head);
    this.#code.append(code);
    this.#code.byte(0x0b);
    if (code instanceof Code && code.hints.length > 0) this.#addHints(code.hints, head.length);
    this.#functionTypes.push(type);
    return this.importedFunctions + this.#functionTypes.length - 1;
  }

  /** Hints of the function that is added now; offsets count from its local declarations, `head` bytes. */
  #addHints(hints: readonly number[], head: number): void {
    const out = this.#hints;
    out.u32(this.importedFunctions + this.#functionTypes.length);
    out.u32(hints.length / 2);
    for (let i = 0; i < hints.length; i += 2) {
      out.u32(head + hints[i]!);
      out.byte(1);
      out.byte(hints[i + 1]!);
    }
    this.#hintCount++;
  }

  exportFunction(name: string, index: number): void {
    this.#exports.name(name);
    this.#exports.byte(0x00);
    this.#exports.u32(index);
    this.#exportCount++;
  }

  /** The module's functions `first`… go into the table at `at`… when it is instantiated. */
  elements(at: number, first: number, count: number): void {
    const e = this.#elements;
    e.byte(0x00);
    e.byte(0x41);
    e.s32(at);
    e.byte(0x0b);
    e.u32(count);
    for (let i = 0; i < count; i++) e.u32(first + i);
    this.#elementCount++;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Bytes(this.#code.length + this.#imports.length + this.#exports.length + this.#types.length + 256);
    out.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
    section(out, 1, this.#typeIndex.size, this.#types);
    section(out, 2, this.#importCount, this.#imports);
    const functions = new Bytes(this.#functionTypes.length * 2);
    for (const type of this.#functionTypes) functions.u32(type);
    section(out, 3, this.#functionTypes.length, functions);
    section(out, 7, this.#exportCount, this.#exports);
    section(out, 9, this.#elementCount, this.#elements);
    custom(out, "metadata.code.branch_hint", this.#hintCount, this.#hints);
    section(out, 10, this.#functionTypes.length, this.#code);
    return out.buffer.subarray(0, out.length);
  }
}

function custom(out: Bytes, name: string, count: number, body: Bytes): void {
  if (count === 0) return;
  const head = new Bytes(32);
  head.name(name);
  head.u32(count);
  out.byte(0);
  out.u32(head.length + body.length);
  out.append(head);
  out.append(body);
}

function section(out: Bytes, id: number, count: number, body: Bytes): void {
  if (count === 0) return;
  const head = new Bytes(8);
  head.u32(count);
  out.byte(id);
  out.u32(head.length + body.length);
  out.append(head);
  out.append(body);
}
