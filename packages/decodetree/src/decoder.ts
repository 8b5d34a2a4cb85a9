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

type Run<Ctx> = (ctx: Ctx, operands: Readonly<Record<string, number>>) => void;

/** An entry with its translator, and the object in which the translator finds the operands. */
interface Way<Ctx> {
  readonly run: Run<Ctx>;
  readonly names: readonly string[];
  readonly fields: readonly Field[];
  readonly operands: Record<string, number>;
}

/**
 * Words of which a decoder remembers the entry: programs repeat few. Operands are not remembered: taking them out of the
 * word again is faster than fetching what lies anywhere in some megabytes of objects.
 */
const REMEMBERED = 32768;

/** Tables and translators compiled together. */
export class Decoder<Ctx> {
  readonly matcher: Matcher;
  readonly #numbers: Map<Entry, number> = new Map();
  readonly #ways: Way<Ctx>[] = [];
  // By hash: words, and the numbers of their ways plus 1. A place is empty while it holds a word that belongs elsewhere.
  readonly #words = new Int32Array(REMEMBERED);
  /** 0: no table knows the word. */
  readonly #found = new Uint16Array(REMEMBERED);
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
        this.#numbers.set(e, this.#ways.push({ run, names, fields, operands: { ...blank } }));
      }
    this.#words[placeOf(0)] = ELSEWHERE;
  }
  /** Translate `word`; false when no table knows it. The translator may read the operands until it returns. */
  run(ctx: Ctx, word: number): boolean {
    const at = placeOf(word);
    if (this.#words[at] !== (word | 0)) this.#find(word, at);
    const number = this.#found[at]!;
    if (number === 0) return false;
    const { run, names, fields, operands } = this.#ways[number - 1]!;
    for (let i = 0; i < fields.length; i++) operands[names[i]!] = fields[i]!.extract(word);
    run(ctx, operands);
    return true;
  }

  #find(word: number, at: number): void {
    const entry = this.matcher.match(word);
    this.#words[at] = word;
    this.#found[at] = (entry && this.#numbers.get(entry)) ?? 0;
  }
}

function placeOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 17;
}

/** A word that is not at home where 0 is. */
const ELSEWHERE = 1;
