import { stateOf } from "./file-state.ts";

/** Notes a file, there or not, before it is read. Undefined: more than files decides what is found. */
export type Look = (file: string | undefined) => void;

/** What is read out of many files at each start: found again only when one of them is another. */
export interface Facts {
  /**
   * What `find` gives, or gave in an earlier run that looked at the same files. It is a value of JSON, and belongs to `name`, which says
   * all that it depends on beside the files.
   */
  of<T>(name: string, find: (look: Look) => Promise<T>): Promise<T>;
}

/** Nothing is kept. */
export const NO_FACTS: Facts = { of: (_name, find) => find(() => {}) };

interface Fact {
  readonly files: readonly (readonly [file: string, state: string])[];
  readonly value: unknown;
}

/** Most facts that are kept; what was used last stays. */
const MOST = 8;

/** Facts as JSON, each read when it is asked for. */
export class KeptFacts implements Facts {
  /** Newest first. */
  #texts: readonly (readonly [name: string, text: Buffer])[];
  readonly #changed: () => void;
  /** Names of those that hold in this run. */
  readonly #holding: Set<string> = new Set();

  /** `texts`: what an earlier run kept. `changed`: there is something else to keep. */
  constructor(texts: readonly (readonly [name: string, text: Buffer])[], changed: () => void) {
    this.#texts = texts;
    this.#changed = changed;
  }

  /** What is worth keeping, newest first. */
  get newest(): readonly (readonly [name: string, text: Buffer])[] {
    return this.#texts.slice(0, MOST);
  }

  /** Other code runs than that which found what is kept: all goes, but for what holds already. */
  distrust(): void {
    this.#texts = this.#texts.filter(([name]) => this.#holding.has(name));
  }

  async of<T>(name: string, find: (look: Look) => Promise<T>): Promise<T> {
    const kept = this.#kept(name);
    if (kept !== undefined) return kept.value as T;
    const files: Map<string, string> = new Map();
    let onlyFiles = true;
    const value = await find((file) => {
      if (file === undefined) onlyFiles = false;
      else if (!files.has(file)) files.set(file, stateOf(file));
    });
    if (onlyFiles) this.#keep(name, { files: [...files], value });
    return value;
  }

  #kept(name: string): Fact | undefined {
    const found = this.#texts.find(([other]) => other === name);
    if (found === undefined) return undefined;
    const fact = JSON.parse(found[1].toString()) as Fact;
    if (!fact.files.every(([file, state]) => stateOf(file) === state)) return undefined;
    this.#holding.add(name);
    return fact;
  }

  #keep(name: string, fact: Fact): void {
    const others = this.#texts.filter(([other]) => other !== name);
    this.#texts = [[name, Buffer.from(JSON.stringify(fact))], ...others];
    this.#holding.add(name);
    this.#changed();
  }
}
