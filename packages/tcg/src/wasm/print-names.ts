/** Identifiers of the text format: `$` and characters that may stand there, each once. */
export class Identifiers {
  readonly #taken: Set<string> = new Set();

  /** An identifier like `name` that is not taken yet. */
  add(name: string): string {
    const clean = `$${name.replaceAll(/[^\w!#$%&'*+\-./:<=>?@\\^`|~]/g, "_")}`;
    let unique = clean;
    for (let n = 2; this.#taken.has(unique); n++) unique = `${clean}.${n}`;
    this.#taken.add(unique);
    return unique;
  }
}
