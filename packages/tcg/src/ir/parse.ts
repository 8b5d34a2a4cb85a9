import { NO_LIST, definesValue, type Block, type Op } from "./block.ts";
import type { IrContext } from "./context.ts";
import { IrError } from "./errors.ts";
import { ops, type OpName, type OpSpec, type Slot } from "./ops.ts";
import {
  CONDS, HINTS, IR_TYPES, MEM_OPS, NONE, TB_EXITS, type Cond, type HelperSpec, type IrType, type MemOp, type Value,
} from "./type.ts"; // prettier-ignore

/** Reads one block. @throws IrError parse, unknown */
export function parse(text: string, context: IrContext): Block {
  const blocks = parseAll(text, context);
  if (blocks.length !== 1) throw new IrError("parse", `The text holds ${blocks.length} blocks, not one`);
  return blocks[0]!;
}

/** Reads every block of a text. Lines outside of blocks are an error unless empty; `;` starts a comment. */
export function parseAll(text: string, context: IrContext): Block[] {
  const blocks: Block[] = [];
  let reader: BlockReader | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/;.*/, "").trim();
    if (line === "") continue;
    if (reader === undefined) {
      const head = /^func @([\w-]+)\s*\((?:pc (0x[0-9a-f]+|\d+))?\) \{$/.exec(line);
      if (head === null)
        throw new IrError("parse", `Line ${index + 1}: a block starts with "func @name(pc 0x0) {"`, index + 1);
      const [, name, pc] = head;
      reader = new BlockReader(
        { name: name!, pc: BigInt(pc ?? 0), ops: [], labels: 0, globals: context.globals },
        context,
      );
      blocks.push(reader.block);
    } else if (line === "}") {
      reader = undefined;
    } else {
      reader.read(line, index + 1);
    }
  }
  if (reader !== undefined) throw new IrError("parse", `Block @${reader.block.name} has no closing "}"`);
  return blocks;
}

/** An operation under construction: the fields that the text's slots fill in. */
type Draft = { -readonly [K in keyof Op]: Op[K] };

class BlockReader {
  readonly block: Block;
  readonly #context: IrContext;
  readonly #values = new Map<string, Value>();
  #line = 0;

  constructor(block: Block, context: IrContext) {
    this.block = block;
    this.#context = context;
  }

  read(text: string, line: number): void {
    this.#line = line;
    const label = /^L(\d+):$/.exec(text);
    if (label !== null) {
      this.block.ops.push({ ...draft(ops.label, "i32"), imm: this.#label(label[1]!) });
      return;
    }
    const match = /^(?:(%\w+) = )?([\w.]+)(?:\s+(.*))?$/.exec(text);
    if (match === null) this.#fail(`"${text}" is not an operation`);
    const [, result, mnemonic, rest] = match;
    const op = this.#mnemonic(mnemonic!);
    const words = (rest ?? "").split(/[,\s]+/).filter((w) => w !== "");
    for (const slot of op.spec.format) this.#slot(op, slot, words);
    if (words.length > 0) this.#fail(`"${words[0]}" is too much`);
    if (definesValue(op) !== (result !== undefined))
      this.#fail(`${mnemonic} ${result === undefined ? "defines a value" : "defines no value"}`);
    if (result !== undefined) {
      if (this.#values.has(result)) this.#fail(`${result} is defined twice`);
      this.#values.set(result, this.block.ops.length as Value);
    }
    this.block.ops.push(op);
  }

  #mnemonic(text: string): Draft {
    const [name, ...suffixes] = text.split(".");
    const spec = Object.hasOwn(ops, name!) ? ops[name as OpName] : this.#fail(`There is no operation "${name}"`);
    const cond = spec.hasCond ? this.#oneOf(suffixes.shift(), CONDS, "a condition") : "eq";
    const untyped = spec.types.length === 0 || (spec.result === "call" && suffixes.length === 0);
    const type = untyped ? bareType(spec) : this.#oneOf(suffixes.shift(), IR_TYPES, "a type");
    const mem = spec.hasMem
      ? this.#oneOf(suffixes.shift(), Object.keys(MEM_OPS) as MemOp[], "a memory operation")
      : "u8";
    if (suffixes.length > 0) this.#fail(`"${text}" has the suffix .${suffixes[0]} too many`);
    return draft(spec, type, cond, mem);
  }

  #slot(op: Draft, slot: Slot, words: string[]): void {
    if (slot === "args") {
      op.list = words.splice(0).map((w) => this.#value(w));
      return;
    }
    if (slot === "words") {
      op.list = words.splice(0).map((w) => Number(this.#integer(w)));
      return;
    }
    if (slot === "lanes") {
      op.list = words.splice(0).map((w) => Number(this.#integer(w)));
      return;
    }
    if (slot === "rare") {
      if (words[0] === "rare") op.imm2 = words.splice(0, 1).length;
      return;
    }
    const word = words.shift() ?? this.#fail(`${op.spec.name} lacks its operand "${slot}"`);
    switch (slot) {
      case "a":
      case "b":
      case "c":
      case "d":
        op[slot] = this.#value(word);
        break;
      case "constant": {
        const value = this.#integer(word);
        op.imm = Number(BigInt.asIntN(32, value));
        op.imm2 = op.type === "i32" || op.type === "f32" ? op.imm >> 31 : Number(BigInt.asIntN(32, value >> 32n));
        break;
      }
      case "global":
        op.imm = this.#context.global(word);
        break;
      case "label":
        op.imm = this.#label(word.replace(/^L/, ""));
        break;
      case "mmu":
        op.imm = Number(this.#integer(word.replace(/^mmu=/, "")));
        break;
      case "hint":
        op.imm = HINTS.indexOf(this.#oneOf(word.replace(/^hint=/, ""), HINTS, "a hint"));
        break;
      case "exit":
        op.imm = TB_EXITS.indexOf(this.#oneOf(word, TB_EXITS, "a reason to leave"));
        break;
      case "helper":
        op.helper = this.#helper(word, op);
        break;
      case "length":
        op.imm2 = Number(this.#integer(word));
        break;
      case "bytes": {
        const value = this.#integer(word);
        op.list = Array.from({ length: 16 }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
        break;
      }
      case "lane":
      case "offset":
      case "bit":
      case "slot":
      case "number":
        op.imm = Number(this.#integer(word));
        break;
    }
  }

  #helper(name: string, op: Draft): HelperSpec {
    const helper = this.#context.helper(name);
    if (helper.result !== undefined && helper.result !== op.type) this.#fail(`${name} gives ${helper.result}`);
    return helper;
  }

  #value(word: string): Value {
    return this.#values.get(word) ?? this.#fail(`${word} is not defined above`);
  }

  #label(digits: string): number {
    const n = Number(this.#integer(digits));
    this.block.labels = Math.max(this.block.labels, n + 1);
    return n;
  }

  #integer(word: string): bigint {
    const match = /^(-?)(0x[0-9a-fA-F]+|\d+)$/.exec(word);
    if (match === null) this.#fail(`"${word}" is not an integer`);
    return match[1] === "-" ? -BigInt(match[2]!) : BigInt(match[2]!);
  }

  #oneOf<T extends string>(word: string | undefined, all: readonly T[], what: string): T {
    if (word === undefined) this.#fail(`${what} is missing`);
    if (!all.includes(word as T)) this.#fail(`"${word}" is not ${what} (${all.join(", ")})`);
    return word as T;
  }

  #fail(message: string): never {
    throw new IrError("parse", `Line ${this.#line}: ${message}`, this.#line);
  }
}

/** T of an operation that is written without it. */
function bareType(spec: OpSpec): IrType {
  return spec.result === "none" || spec.result === "call" || spec.result === "T" ? "i32" : spec.result;
}

function draft(spec: OpSpec, type: IrType, cond: Cond = "eq", mem: MemOp = "u8"): Draft {
  return {
    spec,
    type,
    a: NONE,
    b: NONE,
    c: NONE,
    d: NONE,
    imm: 0,
    imm2: 0,
    cond,
    mem,
    helper: undefined,
    list: NO_LIST,
  };
}
