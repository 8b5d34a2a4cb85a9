import { DecodeTreeError } from "./errors.ts";
import type { Field } from "./field.ts";
import { parsePattern } from "./pattern.ts";
import { parseFormat, type FormatPart } from "./format.ts";

/** The operands of an instruction, by name. */
export type FieldSet = Readonly<Record<string, Field>>;
/** One row: pattern, operands, operand text (absent: no operands shown). */
export type InsnRow = readonly [pattern: string, fields: FieldSet, format?: string];
/** The rows of a table, by instruction name. */
export type Insns = Readonly<Record<string, InsnRow>>;
/** The extracted operands of a row. */
export type Values<R extends InsnRow> = { readonly [F in keyof R[1]]: number };

/** One instruction of a table, checked. */
export interface Entry {
  /** Of the instruction. */
  readonly name: string;
  /** Text form of the name: `fadd_s` is `fadd.s`. */
  readonly mnemonic: string;
  /** Encoding size in bits. */
  readonly width: number;
  /** Bits that are fixed. */
  readonly mask: number;
  /** What the fixed bits are. */
  readonly value: number;
  /** Operands by name. */
  readonly fields: readonly (readonly [name: string, field: Field])[];
  /** The fields that exclude values. */
  readonly restricted: readonly Field[];
  /** How it is written. */
  readonly format: readonly FormatPart[];
}

/** A checked table. `insns` keeps the literal types for {@link Translators}. */
export interface Table<T extends Insns = Insns> {
  /** Bits of an encoding. */
  readonly width: number;
  readonly insns: T;
  /** In the order of the table. */
  readonly entries: readonly Entry[];
}

/** One function per instruction of `T`, with exactly its operands; a gap or a wrong operand does not compile. */
export type Translators<Ctx, T extends Insns> = {
  readonly [K in keyof T]: (ctx: Ctx, operands: Values<T[K]>) => void;
};

/** Can a word match both entries? Restricted fields count where the other entry fixes all their bits. */
function overlap(a: Entry, b: Entry): boolean {
  const common = a.mask & b.mask;
  if (((a.value ^ b.value) & common) !== 0) return false;
  return !excludes(a, b) && !excludes(b, a);
}

function excludes(a: Entry, b: Entry): boolean {
  return a.restricted.some((f) => (f.mask & ~b.mask) === 0 && f.excluded.includes(f.extract(b.value)));
}

/**
 * Check a table of `width`-bit encodings (1 to 32).
 * @throws DecodeTreeError for a pattern of another width, bits that are both fixed and a field, uncovered bits,
 *   or two entries that match the same word.
 */
export function defineTable<T extends Insns>(width: number, insns: T): Table<T> {
  if (!Number.isInteger(width) || width < 1 || width > 32)
    throw new DecodeTreeError("bad-width", `A table of ${width} bits; 1 to 32 are possible`);
  const entries = Object.entries(insns).map(([name, row]) => defineEntry(width, name, row));
  checkOverlaps(entries);
  return { width, insns, entries };
}

/** @throws DecodeTreeError "pattern-overlap" or "duplicate-name" naming the two entries. */
export function checkOverlaps(entries: readonly Entry[]): void {
  const names: Set<string> = new Set();
  for (const b of entries) {
    if (names.has(b.name)) throw new DecodeTreeError("duplicate-name", "defined twice", b.name);
    names.add(b.name);
    for (const a of entries) {
      if (a === b) break;
      // Most pairs differ in a bit that both fix: no call for those.
      if (((a.value ^ b.value) & a.mask & b.mask) === 0 && overlap(a, b))
        throw new DecodeTreeError("pattern-overlap", `matches the same words as ${b.name}`, a.name);
    }
  }
}

function defineEntry(width: number, name: string, [text, fieldSet, formatText]: InsnRow): Entry {
  const pattern = parsePattern(text, width, name);
  const fields = Object.entries(fieldSet);
  let covered = 0;
  for (const [fieldName, field] of fields) {
    if (width < 32 && field.mask >= 2 ** width)
      throw new DecodeTreeError("field-range", `field ${fieldName} lies outside ${width} bits`, name);
    if (field.mask & pattern.mask)
      throw new DecodeTreeError("field-fixed", `field ${fieldName} covers bits the pattern fixes`, name);
    if (field.mask & ~pattern.open)
      throw new DecodeTreeError("field-fixed", `field ${fieldName} covers bits the pattern ignores`, name);
    if (field.mask & covered) throw new DecodeTreeError("field-overlap", `field ${fieldName} overlaps another`, name);
    covered |= field.mask;
  }
  if (pattern.open & ~covered) {
    const bits = (pattern.open & ~covered) >>> 0;
    throw new DecodeTreeError("bits-uncovered", `no field covers bits 0x${bits.toString(16)}`, name);
  }
  return {
    name,
    mnemonic: name.replaceAll("_", "."),
    width,
    mask: pattern.mask,
    value: pattern.value,
    fields,
    restricted: fields.map(([, f]) => f).filter((f) => f.excluded.length > 0),
    format: parseFormat(formatText ?? "", new Set(Object.keys(fieldSet)), name),
  };
}
