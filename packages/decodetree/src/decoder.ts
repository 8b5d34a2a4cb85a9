import { DecodeTreeError } from "./errors.ts";
import type { Field } from "./field.ts";
import { checkOverlaps, type Entry, type Insns, type Table, type Translators } from "./table.ts";
import { compileTree } from "./tree.ts";

/** A table with its translators; the operand types are checked where it is made and erased here. */
export interface Bound<Ctx> {
  readonly width: number;
  readonly entries: readonly Entry[];
  readonly translators: ReadonlyMap<string, (ctx: Ctx, operands: Readonly<Record<string, number>>) => void>;
}

/** Join a table with its translators. @throws DecodeTreeError "translator-missing". */
export function bind<Ctx, T extends Insns>(table: Table<T>, translators: Translators<Ctx, T>): Bound<Ctx> {
  const map: Map<string, (ctx: Ctx, operands: Readonly<Record<string, number>>) => void> = new Map();
  for (const e of table.entries) {
    const fn = translators[e.name];
    if (typeof fn !== "function") throw new DecodeTreeError("translator-missing", "has no translator", e.name);
    map.set(e.name, fn as (ctx: Ctx, operands: Readonly<Record<string, number>>) => void);
  }
  return { width: table.width, entries: table.entries, translators: map };
}

/** Several tables of one width compiled to one matcher. */
export class Matcher {
  readonly entries: readonly Entry[];
  readonly #find: (word: number) => Entry | undefined;
  /** @throws DecodeTreeError when entries of two tables match the same word or share a name. */
  constructor(tables: readonly { readonly width: number; readonly entries: readonly Entry[] }[]) {
    const width = tables[0]?.width ?? 32;
    for (const t of tables)
      if (t.width !== width)
        throw new DecodeTreeError("bad-width", `Tables of ${width} and ${t.width} bits in one matcher`);
    this.entries = tables.flatMap((t) => t.entries);
    checkOverlaps(this.entries);
    this.#find = compileTree(this.entries, width);
  }
  /** The entry whose encoding `word` is. */
  match(word: number): Entry | undefined {
    return this.#find(word);
  }
}

/** The operands of `entry` in `word`. */
export function extract(entry: Entry, word: number): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [name, field] of entry.fields) out[name] = field.extract(word);
  return out;
}

/** The translator of an entry, and the object in which it finds the operands. */
export interface Way<Ctx> {
  readonly entry: Entry;
  run(ctx: Ctx, operands: Readonly<Record<string, number>>): void;
  readonly names: readonly string[];
  readonly fields: readonly Field[];
  readonly operands: Record<string, number>;
}

/**
 * Tables and translators compiled together. Nothing is remembered of a word: a table of 32,768 words cost as much as matching them, and one of
 * their operands, which lay in some megabytes of objects, a seventh of all that translating took.
 */
export class Decoder<Ctx> {
  readonly matcher: Matcher;
  readonly #ways: Map<Entry, Way<Ctx>> = new Map();
  /** @throws DecodeTreeError as {@link Matcher}. */
  constructor(parts: readonly Bound<Ctx>[]) {
    this.matcher = new Matcher(parts);
    // All names of operands, each 0: one shape of object for all entries, so that translators read them at one place.
    const blank: Record<string, number> = {};
    for (const p of parts) for (const e of p.entries) for (const [name] of e.fields) blank[name] = 0;
    for (const p of parts)
      for (const e of p.entries) {
        const run = p.translators.get(e.name);
        if (run === undefined) continue;
        const names = e.fields.map(([name]) => name);
        const fields = e.fields.map(([, field]) => field);
        this.#ways.set(e, { entry: e, run, names, fields, operands: { ...blank } });
      }
  }
  /** How `word` is translated; undefined when no table knows it. */
  find(word: number): Way<Ctx> | undefined {
    const entry = this.matcher.match(word);
    return entry && this.#ways.get(entry);
  }
  /** Translate `word`; false when no table knows it. The translator may read the operands until it returns. */
  run(ctx: Ctx, word: number): boolean {
    const way = this.find(word);
    if (way === undefined) return false;
    const { run, names, fields, operands } = way;
    for (let i = 0; i < fields.length; i++) operands[names[i]!] = fields[i]!.extract(word);
    run(ctx, operands);
    return true;
  }
}
