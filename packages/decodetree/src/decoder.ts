import { DecodeTreeError } from "./errors.ts";
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

/** A word taken apart. */
interface Decoded<Ctx> {
  readonly word: number;
  /** Undefined: no table knows the word. */
  readonly run: ((ctx: Ctx, operands: Readonly<Record<string, number>>) => void) | undefined;
  readonly operands: Readonly<Record<string, number>>;
}

/** Words that a decoder remembers: programs repeat few. Taking one apart costs 0.4 us, finding it 20 ns. */
const REMEMBERED = 8192;

/** Tables and translators compiled together. */
export class Decoder<Ctx> {
  readonly matcher: Matcher;
  readonly #run: Map<Entry, (ctx: Ctx, operands: Readonly<Record<string, number>>) => void> = new Map();
  readonly #remembered: (Decoded<Ctx> | undefined)[] = Array.from({ length: REMEMBERED }, () => undefined);
  /** @throws DecodeTreeError as {@link Matcher}. */
  constructor(parts: readonly Bound<Ctx>[]) {
    this.matcher = new Matcher(parts);
    for (const p of parts)
      for (const e of p.entries) {
        const fn = p.translators.get(e.name);
        if (fn) this.#run.set(e, fn);
      }
  }
  /** Translate `word`; false when no table knows it. */
  run(ctx: Ctx, word: number): boolean {
    const at = (Math.imul(word, 0x9e3779b1) >>> 16) & (REMEMBERED - 1);
    let decoded = this.#remembered[at];
    if (decoded === undefined || decoded.word !== word) decoded = this.#remembered[at] = this.#decode(word);
    if (decoded.run === undefined) return false;
    decoded.run(ctx, decoded.operands);
    return true;
  }

  #decode(word: number): Decoded<Ctx> {
    const entry = this.matcher.match(word);
    if (entry === undefined) return { word, run: undefined, operands: {} };
    return { word, run: this.#run.get(entry), operands: extract(entry, word) };
  }
}
