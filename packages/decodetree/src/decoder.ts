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

type Run<Ctx> = (ctx: Ctx, operands: Readonly<Record<string, number>>) => void;

/** Words that a decoder remembers: programs repeat few. Taking one apart costs 0.3 us, finding it 20 ns; a quarter of a booting kernel's are new here. */
const REMEMBERED = 32768;

/** Tables and translators compiled together. */
export class Decoder<Ctx> {
  readonly matcher: Matcher;
  readonly #run: Map<Entry, Run<Ctx>> = new Map();
  /** All names of operands, each 0: one shape of object for all words, so that translators read them at one place. */
  readonly #blank: Readonly<Record<string, number>>;
  // Words taken apart, by hash. A place is empty while it holds a word that belongs elsewhere.
  readonly #words = new Int32Array(REMEMBERED);
  /** Undefined: no table knows the word. */
  readonly #runs: (Run<Ctx> | undefined)[] = Array.from({ length: REMEMBERED }, () => undefined);
  readonly #operands: Readonly<Record<string, number>>[];
  /** @throws DecodeTreeError as {@link Matcher}. */
  constructor(parts: readonly Bound<Ctx>[]) {
    this.matcher = new Matcher(parts);
    const blank: Record<string, number> = {};
    for (const p of parts)
      for (const e of p.entries) {
        const fn = p.translators.get(e.name);
        if (fn) this.#run.set(e, fn);
        for (const [name] of e.fields) blank[name] = 0;
      }
    this.#blank = blank;
    this.#operands = Array.from({ length: REMEMBERED }, () => blank);
    this.#words[placeOf(0)] = ELSEWHERE;
  }
  /** Translate `word`; false when no table knows it. */
  run(ctx: Ctx, word: number): boolean {
    const at = placeOf(word);
    if (this.#words[at] !== (word | 0)) this.#decode(word, at);
    const run = this.#runs[at];
    if (run === undefined) return false;
    run(ctx, this.#operands[at]!);
    return true;
  }

  #decode(word: number, at: number): void {
    const entry = this.matcher.match(word);
    this.#words[at] = word;
    this.#runs[at] = undefined;
    if (entry === undefined) return;
    const operands: Record<string, number> = { ...this.#blank };
    const { fields } = entry;
    for (let i = 0; i < fields.length; i++) operands[fields[i]![0]] = fields[i]![1].extract(word);
    this.#operands[at] = operands;
    this.#runs[at] = this.#run.get(entry);
  }
}

function placeOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 17;
}

/** A word that is not at home where 0 is. */
const ELSEWHERE = 1;
