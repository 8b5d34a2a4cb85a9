import { encode } from "./encode.ts";
import { DecodeTreeError } from "./errors.ts";
import type { FormatPart } from "./format.ts";
import type { Entry } from "./table.ts";

/** How operands of one kind look in text. `Ctx` carries what they depend on (pc, labels). */
export interface OperandKind<Ctx> {
  /** Text of a value; "" leaves an optional part away. */
  print(value: number, ctx: Ctx): string;
  /** Value of a text, undefined when it is none. "" asks for the default of an optional operand. */
  parse(text: string, ctx: Ctx): number | undefined;
}
/** Operand kinds by name. */
export type OperandKinds<Ctx> = Readonly<Record<string, OperandKind<Ctx>>>;

/** Text of the instruction `word`, an encoding of `entry`: mnemonic, and after a space the operands. */
export function formatInsn<Ctx>(entry: Entry, word: number, kinds: OperandKinds<Ctx>, ctx: Ctx): string {
  let suffix = "";
  const print = (name: string): string => {
    const field = fieldOf(entry, name);
    return kindOf(kinds, field.kind, entry).print(field.extract(word), ctx);
  };
  const walk = (parts: readonly FormatPart[]): string =>
    parts
      .map((p) => {
        if (p.kind === "literal") return p.text;
        if (p.kind === "field") return print(p.name);
        if (p.kind === "suffix") suffix += print(p.name);
        if (p.kind === "optional")
          return p.parts.some((q) => q.kind === "field" && print(q.name) !== "") ? walk(p.parts) : "";
        return "";
      })
      .join("");
  const operands = walk(entry.format);
  return operands === "" ? entry.mnemonic + suffix : `${entry.mnemonic}${suffix} ${operands}`;
}

/**
 * The encoding of `entry` with operands in the text form of its format. `suffix` is what follows the mnemonic.
 * @throws DecodeTreeError "syntax" naming the operand that cannot be read, or what {@link encode} throws.
 */
export function parseInsn<Ctx>(entry: Entry, suffix: string, text: string, kinds: OperandKinds<Ctx>, ctx: Ctx): number {
  const values: Record<string, number> = {};
  const read = (name: string, source: string): void => {
    const value = kindOf(kinds, fieldOf(entry, name).kind, entry).parse(source.trim(), ctx);
    if (value === undefined)
      throw new DecodeTreeError("syntax", `"${source.trim()}" is not possible as operand ${name}`, entry.mnemonic);
    values[name] = value;
  };
  let rest = text.trim();
  const take = (parts: readonly FormatPart[], after: readonly FormatPart[]): void => {
    parts.forEach((p, i) => {
      const following = [...parts.slice(i + 1), ...after];
      if (p.kind === "literal") rest = expect(rest, p.text, entry);
      else if (p.kind === "suffix") read(p.name, suffix);
      else if (p.kind === "field") {
        const end = operandEnd(rest, following);
        read(p.name, rest.slice(0, end));
        rest = rest.slice(end).trimStart();
      } else if (p.kind === "optional") {
        if (startsOptional(rest, p.parts)) take(p.parts, following);
        else for (const q of p.parts) if (q.kind === "field") read(q.name, "");
      }
    });
  };
  take(entry.format, []);
  if (rest !== "") throw new DecodeTreeError("syntax", `"${rest}" after the last operand`, entry.mnemonic);
  for (const [name, field] of entry.fields) values[name] ??= field.bias;
  return encode(entry, values);
}

function startsOptional(rest: string, parts: readonly FormatPart[]): boolean {
  const first = parts[0];
  return first?.kind === "literal" ? rest.startsWith(first.text.trim()) : rest !== "";
}

function expect(rest: string, literal: string, entry: Entry): string {
  const want = literal.trim();
  if (!rest.startsWith(want))
    throw new DecodeTreeError("syntax", `"${want}" expected before "${rest}"`, entry.mnemonic);
  return rest.slice(want.length).trimStart();
}

/** Where the operand at the start of `rest` ends: before the next literal that can follow it. */
function operandEnd(rest: string, following: readonly FormatPart[]): number {
  let end = rest.length;
  for (const p of following) {
    const literal = p.kind === "optional" ? p.parts[0] : p;
    if (literal?.kind === "literal") {
      const at = rest.indexOf(literal.text.trim());
      if (at >= 0 && at < end) end = at;
    }
    if (p.kind !== "optional") break;
  }
  return end;
}

function fieldOf(entry: Entry, name: string): Entry["fields"][number][1] {
  const found = entry.fields.find(([n]) => n === name);
  if (!found) throw new DecodeTreeError("unknown-format-field", `has no field ${name}`, entry.mnemonic);
  return found[1];
}

function kindOf<Ctx>(kinds: OperandKinds<Ctx>, kind: string, entry: Entry): OperandKind<Ctx> {
  const k = kinds[kind];
  if (!k) throw new DecodeTreeError("unknown-operand-kind", `operand kind "${kind}" is not known`, entry.mnemonic);
  return k;
}
