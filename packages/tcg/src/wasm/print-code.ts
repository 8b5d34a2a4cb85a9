/** Decodes the instructions of a function body into pieces of text with what they pop and push. */
import type { CodeNotes } from "./notes.ts";
import { index, valueType } from "./print-module.ts";
import type { DecodedModule, FuncBody, FuncType } from "./print-module.ts";
import { OPCODES } from "./print-opcodes.ts";
import type { Opcode } from "./print-opcodes.ts";
import { Reader } from "./print-reader.ts";
import { floatText, integerText } from "./print-numbers.ts";
import type { Identifiers } from "./print-names.ts";

/** Takes the instructions of a body in order. */
export interface CodeSink {
  comment(text: string): void;
  plain(head: string, pops: number, pushes: number): void;
  /** `head` is the keyword with the rest of its line, `label` its identifier. An `if` pops its condition too. */
  open(keyword: "block" | "loop" | "if", label: string, type: string, pops: number, pushes: number): void;
  otherwise(): void;
  /** `used`: there is a branch to the label. */
  close(used: boolean): void;
}

/** Identifiers of a module and of one of its functions. */
export interface CodeNames {
  readonly functions: readonly string[];
  readonly locals: readonly string[];
  readonly labels: Identifiers;
}

interface Label {
  readonly name: string;
  /** Values that a branch to it takes. */
  readonly arity: number;
  isIf: boolean;
  used: boolean;
}

const ESCAPES: Readonly<Record<number, number>> = { 0xfc: 0xfc0000, 0xfd: 0xfd0000 };

/** @throws IrError binary */
export function decodeCode(
  module: DecodedModule, body: FuncBody, names: CodeNames, notes: CodeNotes | undefined, exact: boolean, sink: CodeSink,
): void {
  new CodeDecoder(module, body, names, exact, sink).run(notes);
} // prettier-ignore

class CodeDecoder {
  readonly #module: DecodedModule;
  readonly #names: CodeNames;
  readonly #sink: CodeSink;
  readonly #r: Reader;
  readonly #start: number;
  readonly #exact: boolean;
  readonly #labels: Label[];
  #counter = 0;
  #notes: CodeNotes | undefined;

  constructor(module: DecodedModule, body: FuncBody, names: CodeNames, exact: boolean, sink: CodeSink) {
    this.#module = module;
    this.#names = names;
    this.#exact = exact;
    this.#sink = sink;
    this.#start = body.at;
    this.#r = new Reader(module.bytes, body.at, body.end);
    const { results } = module.types[body.type]!;
    this.#labels = [{ name: "", arity: results.length, isIf: false, used: false }];
  }

  run(notes: CodeNotes | undefined): void {
    this.#notes = notes;
    const r = this.#r;
    const comments = notes?.comments ?? [];
    let next = 0;
    while (this.#labels.length > 0) {
      for (; next < comments.length && comments[next]!.offset <= r.at - this.#start; next++)
        this.#sink.comment(comments[next]!.text);
      this.#instruction();
    }
    if (r.more) r.fail("code behind the end of its function");
  }

  #instruction(): void {
    const r = this.#r;
    const at = r.at;
    const first = r.byte();
    const escape = ESCAPES[first];
    const code = escape === undefined ? first : escape + Math.min(r.u32(), 0xffff);
    const op = OPCODES.get(code) ?? r.fail(`0x${code.toString(16)} is no instruction that is known here`, at);
    if (op.signature === undefined) return this.#control(op, at);
    const [params, results] = op.signature;
    const immediate = this.#immediate(op);
    this.#sink.plain(op.name + immediate, params.length, results.length);
  }

  #control(op: Opcode, at: number): void {
    const sink = this.#sink;
    switch (op.name) {
      case "block":
      case "loop":
      case "if":
        return this.#open(op.name, at);
      case "else":
        return this.#else(at);
      case "end": {
        const { used } = this.#labels.pop()!;
        return this.#labels.length > 0 ? sink.close(used) : undefined;
      }
      case "return":
        return sink.plain("return", this.#labels[0]!.arity, 0);
      case "br":
      case "br_if":
      case "br_table":
        return this.#branch(op);
      default:
        return this.#call(op);
    }
  }

  #open(keyword: "block" | "loop" | "if", at: number): void {
    const { params, results } = this.#blockType();
    const noted = this.#notes?.labels.get(at - this.#start);
    const name = this.#names.labels.add(noted ?? `${keyword[0]!.toUpperCase()}${this.#counter}`);
    this.#counter++;
    this.#labels.push({
      name,
      arity: keyword === "loop" ? params.length : results.length,
      isIf: keyword === "if",
      used: false,
    });
    const type = typeText(params, results);
    this.#sink.open(keyword, name, type, params.length + (keyword === "if" ? 1 : 0), results.length);
  }

  #else(at: number): void {
    const label = this.#labels.at(-1)!;
    if (!label.isIf) this.#r.fail("else without if", at);
    label.isIf = false;
    this.#sink.otherwise();
  }

  #blockType(): FuncType {
    const r = this.#r;
    const at = r.at;
    const code = r.byte();
    if (code === 0x40) return { params: [], results: [] };
    r.at = at;
    if (code >= 0x40 && code < 0x80) return { params: [], results: [valueType(r)] };
    const n = Number(r.signed(33));
    return this.#module.types[n] ?? r.fail(`type ${n} is not there`, at);
  }

  #label(): { text: string; arity: number } {
    const r = this.#r;
    const at = r.at;
    const depth = r.u32();
    const label = this.#labels[this.#labels.length - 1 - depth] ?? r.fail(`no block ${depth} outside`, at);
    label.used = true;
    return { text: label.name === "" ? String(depth) : label.name, arity: label.arity };
  }

  #branch({ name }: Opcode): void {
    if (name === "br_table") {
      const labels = Array.from({ length: this.#r.count() }, () => this.#label().text);
      const { text, arity } = this.#label();
      return this.#sink.plain(["br_table", ...labels, text].join(" "), arity + 1, 0);
    }
    const { text, arity } = this.#label();
    if (name === "br") this.#sink.plain(`br ${text}`, arity, 0);
    else this.#sink.plain(`br_if ${text}`, arity + 1, arity);
  }

  #call({ name, immediate }: Opcode): void {
    const r = this.#r;
    const { types, functions } = this.#module;
    const tail = name.startsWith("return_");
    if (immediate === "func") {
      const f = index(r, functions.length, "function");
      const { params, results } = types[functions[f]!]!;
      return this.#sink.plain(`${name} ${this.#names.functions[f]}`, params.length, tail ? 0 : results.length);
    }
    const t = index(r, types.length, "type");
    const table = r.u32();
    const { params, results } = types[t]!;
    const head = `${name}${table === 0 ? "" : ` ${table}`} (type $t${t})`;
    this.#sink.plain(head, params.length + 1, tail ? 0 : results.length);
  }

  /** The immediate as text behind the name, with a space before it. */
  #immediate({ immediate }: Opcode): string {
    const r = this.#r;
    switch (immediate) {
      case "":
        return "";
      case "local":
        return ` ${this.#names.locals[index(r, this.#names.locals.length, "local")]}`;
      case "i32":
        return ` ${integerText(r.signed(32), 32)}`;
      case "i64":
        return ` ${integerText(r.signed(64), 64)}`;
      case "f32":
      case "f64":
      case "v128":
        return ` ${this.#wide(immediate)}`;
      case "types":
        return ` (result ${Array.from({ length: r.count() }, () => valueType(r)).join(" ")})`;
      case "lanes":
        return Array.from({ length: 16 }, () => ` ${r.byte()}`).join("");
      case "lane":
        return ` ${r.byte()}`;
      case "global":
        return ` ${r.u32()}`;
      case "table":
      case "memory":
      case "segment":
        return zero(r.u32());
      case "segment0": {
        const segment = r.u32();
        return `${zero(r.u32())} ${segment}`;
      }
      case "elements": {
        const segment = r.u32();
        return `${zero(r.u32())} ${segment}`;
      }
      case "memories":
      case "tables": {
        const [to, from] = [r.u32(), r.u32()];
        return to === 0 && from === 0 ? "" : ` ${to} ${from}`;
      }
      default:
        return this.#memory(Number(immediate[1]), immediate.endsWith("lane"));
    }
  }

  #wide(type: "f32" | "f64" | "v128"): string {
    const bytes = this.#r.slice(type === "f32" ? 4 : type === "f64" ? 8 : 16);
    const view = new DataView(bytes.bytes.buffer, bytes.bytes.byteOffset + bytes.at, bytes.end - bytes.at);
    if (type !== "v128") return floatText(view, type);
    const half = (at: number): string => `0x${view.getBigUint64(at, true).toString(16)}`;
    return `i64x2 ${half(0)} ${half(8)}`;
  }

  #memory(natural: number, lane: boolean): string {
    const r = this.#r;
    const align = r.u32();
    if (align > 4) r.fail(`an alignment of 2^${align}`, r.at - 1);
    const offset = r.u32();
    const text = (offset === 0 ? "" : ` offset=${offset}`) + (this.#exact && align !== natural ? ` align=${2 ** align}` : "");
    return lane ? `${text} ${r.byte()}` : text;
  } // prettier-ignore
}

const zero = (n: number): string => (n === 0 ? "" : ` ${n}`);

/** `(param …) (result …)`, each where there are any, with a space before. */
export function typeText(params: readonly string[], results: readonly string[]): string {
  const list = (word: string, types: readonly string[]): string =>
    types.length === 0 ? "" : ` (${word} ${types.join(" ")})`;
  return list("param", params) + list("result", results);
}
