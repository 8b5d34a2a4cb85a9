/** Assembler: source text to bytes, encodings from the decode tables. */
import { DecodeTreeError, parseInsn, type Entry } from "@mimus/decodetree";
import { partsOf } from "../isa.ts";
import { OPERANDS } from "../operands.ts";
import type { Xlen } from "../state.ts";
import { Conditional } from "./conditional.ts";
import { AsmError } from "./errors.ts";
import { evaluate } from "./expression.ts";
import { expandPseudo, isPseudo } from "./pseudo.ts";
import { parseSource, stringBytes, type Statement } from "./source.ts";

/** Options of {@link assemble}. */
export interface AsmOptions {
  readonly xlen: Xlen;
  /** Address of the first byte; default 0. */
  readonly origin?: bigint;
  /** Symbols known from outside. */
  readonly symbols?: Readonly<Record<string, bigint>>;
}

/** What {@link assemble} makes. */
export interface Assembly {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Addresses of labels and values of assigned symbols. */
  readonly symbols: ReadonlyMap<string, bigint>;
}

type Code = Extract<Statement, { kind: "code" }>;
const DATA: Readonly<Record<string, number>> = {
  ".byte": 1, ".half": 2, ".short": 2, ".2byte": 2, ".word": 4, ".long": 4, ".4byte": 4, ".dword": 8, ".quad": 8, ".8byte": 8,
}; // prettier-ignore
const IGNORED = new Set([
  ".text",
  ".data",
  ".rodata",
  ".bss",
  ".section",
  ".globl",
  ".global",
  ".option",
  ".type",
  ".size",
  ".attribute",
  ".file",
]);
/** Most bytes one program may have. */
const LIMIT = 1 << 28;

const TABLES: Map<Xlen, ReadonlyMap<string, Entry>> = new Map();
function entriesOf(xlen: Xlen): ReadonlyMap<string, Entry> {
  let found = TABLES.get(xlen);
  if (!found) {
    const entries = [...partsOf(32, xlen), ...partsOf(16, xlen)].flatMap((p) => p.entries);
    found = new Map(entries.map((e) => [e.mnemonic, e]));
    TABLES.set(xlen, found);
  }
  return found;
}

/** @throws AsmError naming the line. */
export function assemble(source: string, options: AsmOptions): Assembly {
  return new Assembler(parseSource(source), options).run();
}

class Assembler {
  readonly #statements: readonly Statement[];
  readonly #xlen: Xlen;
  readonly #origin: bigint;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #symbols: Map<string, bigint>;
  /** Addresses of numeric labels, in order. */
  readonly #numeric: Map<string, bigint[]> = new Map();
  #out: number[] = [];
  /** Second pass: every symbol has its value. */
  #final = false;
  #line = 0;

  constructor(statements: readonly Statement[], options: AsmOptions) {
    this.#statements = statements;
    this.#xlen = options.xlen;
    this.#origin = options.origin ?? 0n;
    this.#entries = entriesOf(options.xlen);
    this.#symbols = new Map(Object.entries(options.symbols ?? {}));
  }

  run(): Assembly {
    this.#pass();
    this.#final = true;
    this.#out = [];
    this.#pass();
    return { bytes: Uint8Array.from(this.#out), symbols: this.#symbols };
  }

  get #pc(): bigint {
    return this.#origin + BigInt(this.#out.length);
  }

  #pass(): void {
    const conditional = new Conditional();
    for (const s of this.#statements) {
      this.#line = s.line;
      if (s.kind === "code" && this.#conditional(s, conditional)) continue;
      if (!conditional.active) continue;
      if (s.kind === "label") this.#label(s.name);
      else if (s.name.startsWith(".")) this.#directive(s);
      else this.#instruction(s);
      if (this.#out.length > LIMIT) this.#fail("directive", `the program exceeds ${LIMIT} bytes`);
    }
    if (conditional.depth > 0) this.#fail("directive", ".if without .endif");
  }

  #conditional({ name, operands }: Code, conditional: Conditional): boolean {
    try {
      return conditional.take(name, () => this.#need(operands[0], true) !== 0n);
    } catch (error) {
      if (error instanceof RangeError) this.#fail("directive", error.message);
      throw error;
    }
  }

  #fail(kind: AsmError["kind"], message: string, cause?: unknown): never {
    throw new AsmError(kind, message, this.#line, cause);
  }

  #label(name: string): void {
    const numeric = /^\d/.test(name);
    if (this.#final) {
      // Sizes do not depend on addresses, so both passes must agree.
      if (!numeric && this.#symbols.get(name) !== this.#pc)
        this.#fail("expression", `label ${name} moved between passes`);
      return;
    }
    if (numeric) {
      const list = this.#numeric.get(name) ?? [];
      list.push(this.#pc);
      this.#numeric.set(name, list);
    } else {
      if (this.#symbols.has(name)) this.#fail("duplicate-symbol", `${name} is defined twice`);
      this.#symbols.set(name, this.#pc);
    }
  }

  #lookup(name: string, pc: bigint): bigint | undefined {
    if (name === ".") return pc;
    const local = /^(\d+)([bf])$/.exec(name);
    if (local) {
      const list = this.#numeric.get(local[1] ?? "") ?? [];
      return local[2] === "b" ? list.findLast((a) => a <= pc) : list.find((a) => a > pc);
    }
    return this.#symbols.get(name);
  }

  /** While sizes are found, an unknown symbol counts as the current address. */
  #value(text: string, pc: bigint, exact = false): bigint | undefined {
    return evaluate(text, (name) => this.#lookup(name, pc) ?? (this.#final || exact ? undefined : pc));
  }

  #need(text: string | undefined, exact = false): bigint {
    const v = text === undefined ? undefined : this.#value(text, this.#pc, exact);
    return v ?? this.#fail("expression", `"${text ?? ""}" has no value here`);
  }

  #count(text: string | undefined): number {
    const v = this.#need(text, true);
    if (v < 0n || v > BigInt(LIMIT)) this.#fail("directive", `${v} is not a size`);
    return Number(v);
  }

  #instruction({ name, operands }: Code): void {
    const pc = this.#pc;
    const context = { pc, xlen: this.#xlen, evaluate: (text: string) => this.#value(text, pc, name === "li") };
    const expansion = expandPseudo(name, operands, context);
    if (!expansion) return this.#encode(name, operands.join(", "));
    for (const [mnemonic, text] of expansion) this.#encode(mnemonic, text);
  }

  #encode(name: string, text: string): void {
    const [entry, suffix] = this.#entry(name);
    if (!this.#final) {
      this.#emit(0n, entry.width / 8);
      return;
    }
    const pc = this.#pc;
    try {
      const word = parseInsn(entry, suffix, text, OPERANDS, {
        pc,
        xlen: this.#xlen,
        evaluate: (t) => this.#value(t, pc),
      });
      this.#emit(BigInt(word), entry.width / 8);
    } catch (error) {
      if (error instanceof DecodeTreeError) this.#fail("operand", error.message, error);
      throw error;
    }
  }

  /** The table row of a mnemonic; `.aq` and `.rl` are a suffix. */
  #entry(name: string): [Entry, string] {
    const entry = this.#entries.get(name);
    if (entry) return [entry, ""];
    const m = /^(.+?)(\.aqrl|\.aq|\.rl)$/.exec(name);
    const base = m ? this.#entries.get(m[1] ?? "") : undefined;
    if (base?.format[0]?.kind === "suffix") return [base, m?.[2] ?? ""];
    if (isPseudo(name)) return this.#fail("operand", `${name}: the operands do not fit, or have no value here`);
    return this.#fail("unknown-mnemonic", `"${name}" is no instruction of RV${this.#xlen}`);
  }

  #emit(value: bigint, size: number): void {
    for (let i = 0; i < size; i++) this.#out.push(Number((value >> BigInt(8 * i)) & 0xffn));
  }

  #fill(length: number, value = 0): void {
    if (this.#out.length + length > LIMIT) this.#fail("directive", `the program exceeds ${LIMIT} bytes`);
    for (let i = 0; i < length; i++) this.#out.push(value);
  }

  #directive({ name, operands }: Code): void {
    if (IGNORED.has(name)) return;
    const size = DATA[name];
    if (size !== undefined) {
      for (const o of operands) this.#emit(this.#need(o), size);
      return;
    }
    switch (name) {
      case ".ascii":
      case ".asciz":
      case ".string":
        for (const o of operands) {
          const bytes = stringBytes(o) ?? this.#fail("directive", `${o} is no string`);
          for (const b of bytes) this.#out.push(b);
          if (name !== ".ascii") this.#out.push(0);
        }
        return;
      case ".align":
      case ".p2align":
        return this.#align(2 ** this.#count(operands[0]));
      case ".balign":
        return this.#align(this.#count(operands[0]));
      case ".zero":
      case ".space":
      case ".skip":
        return this.#fill(this.#count(operands[0]), operands[1] === undefined ? 0 : this.#count(operands[1]) & 0xff);
      case ".org":
        return this.#org(this.#need(operands[0], true));
      case ".set":
      case ".equ": {
        const symbol = operands[0] ?? this.#fail("directive", "a name is missing");
        this.#symbols.set(symbol, this.#need(operands[1]));
        return;
      }
      default:
        this.#fail("directive", `${name} is not known`);
    }
  }

  #org(target: bigint): void {
    const gap = target - this.#pc;
    if (gap < 0n || gap > BigInt(LIMIT)) this.#fail("directive", `.org ${target} lies behind ${this.#pc}`);
    this.#fill(Number(gap));
  }

  #align(to: number): void {
    if (!Number.isInteger(Math.log2(to)) || to > 1 << 20)
      this.#fail("directive", `${to} is no power of two up to 2^20`);
    const rest = Number(this.#pc % BigInt(to));
    if (rest > 0) this.#fill(to - rest);
  }
}
