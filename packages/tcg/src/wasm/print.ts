/** The text format of generated modules and functions, from their bytes. */
import type { CodeNotes } from "./notes.ts";
import { decodeCode, typeText } from "./print-code.ts";
import { FlatText } from "./print-flat.ts";
import { FoldedText, TooDeep } from "./print-folded.ts";
import { decodeModule } from "./print-module.ts";
import type { DecodedModule } from "./print-module.ts";
import { Identifiers } from "./print-names.ts";

/** How the text looks, and what is known besides the bytes. */
export interface WatOptions {
  /** Expressions as trees (default), or one instruction a line. */
  readonly style?: "folded" | "flat";
  /** Alignments that differ from the natural one are written; default true. Without them the text gives other bytes. */
  readonly align?: boolean;
  /** Names of the module's own functions, by order. */
  readonly functions?: readonly (string | undefined)[];
  /** Comments and names of the module's own functions, by order. */
  readonly notes?: readonly (CodeNotes | undefined)[];
}

/** A decoded module that gives its parts as text. */
export class WatPrinter {
  readonly #module: DecodedModule;
  readonly #options: WatOptions;
  readonly #functions: readonly string[];
  /** Imported functions. */
  readonly #imported: number;

  /** @throws IrError binary */
  constructor(bytes: Uint8Array, options: WatOptions = {}) {
    this.#module = decodeModule(bytes);
    this.#options = options;
    const { imports, functions } = this.#module;
    const names = imports.filter(({ what }) => what.kind === "func").map(({ name }) => name.slice(1, -1));
    this.#imported = names.length;
    const identifiers = new Identifiers();
    this.#functions = functions.map((_, i) =>
      identifiers.add(names[i] ?? options.functions?.[i - names.length] ?? `f${i - names.length}`),
    );
  }

  /** The module's own function `n`. @throws IrError binary */
  function(n: number, indent = 0): string {
    const body = this.#module.bodies[n];
    if (body === undefined) throw new RangeError(`The module has ${this.#module.bodies.length} functions, not ${n + 1}`);
    const { params, results } = this.#module.types[body.type]!;
    const notes = this.#options.notes?.[n];
    const identifiers = new Identifiers();
    const types = [...params, ...body.locals];
    const locals = types.map((_, i) => identifiers.add(notes?.locals[i] ?? `${i < params.length ? "p" : "l"}${i}`));
    const named = params.map((type, i) => `(param ${locals[i]} ${type})`);
    const head = [`(func ${this.#functions[this.#imported + n]} (type $t${body.type})`, ...named].join(" ");
    const pad = " ".repeat(indent);
    const declared = packed(types.map((type, i) => `(local ${locals[i]} ${type})`).slice(params.length), indent + 2);
    const lines = [...declared, ...this.#code(n, locals, indent + 2)];
    return [`${pad}${head}${typeText([], results)}`, ...lines, `${pad})`, ""].join("\n");
  } // prettier-ignore

  #code(n: number, locals: readonly string[], indent: number): string[] {
    const body = this.#module.bodies[n]!;
    const notes = this.#options.notes?.[n];
    const names = { functions: this.#functions, locals };
    const exact = this.#options.align ?? true;
    if (this.#options.style !== "flat") {
      try {
        const folded = new FoldedText();
        decodeCode(this.#module, body, { ...names, labels: new Identifiers() }, notes, exact, folded);
        return folded.lines(indent);
      } catch (error) {
        if (!(error instanceof TooDeep)) throw error;
      }
    }
    const flat = new FlatText(indent);
    decodeCode(this.#module, body, { ...names, labels: new Identifiers() }, notes, exact, flat);
    return flat.lines;
  }

  /** The whole module. @throws IrError binary */
  module(): string {
    const { types, imports, bodies, exports, elements } = this.#module;
    const lines = types.map(({ params, results }, i) => `  (type $t${i} (func${typeText(params, results)}))`);
    let f = 0;
    for (const { module, name, what } of imports) {
      const text = what.kind === "func" ? `(func ${this.#functions[f++]} (type $t${what.type}))` : `(${what.kind} ${what.text})`; // prettier-ignore
      lines.push(`  (import ${module} ${name} ${text})`);
    }
    for (let n = 0; n < bodies.length; n++) lines.push(this.function(n, 2).trimEnd());
    for (const { name, kind, index } of exports)
      lines.push(`  (export ${name} (${kind} ${kind === "func" ? this.#functions[index] : index}))`);
    for (const { at, functions } of elements)
      lines.push(`  (elem (i32.const ${at}) ${functions.map((i) => this.#functions[i]).join(" ")})`);
    return ["(module", ...lines, ")", ""].join("\n");
  }
}

/** Declarations, several a line. */
function packed(items: readonly string[], indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const item of items) {
    if (line !== "" && line.length + item.length + 1 > 110) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? " ".repeat(indent) + item : `${line} ${item}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** The text of a module. @throws IrError binary: the bytes are none that the encoder makes */
export function printWat(bytes: Uint8Array, options: WatOptions = {}): string {
  return new WatPrinter(bytes, options).module();
}
