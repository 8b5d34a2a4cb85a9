/** `.if EXPRESSION`, `.elseif`, `.else`, `.endif`: which statements count. */
export class Conditional {
  readonly #open: { active: boolean; taken: boolean }[] = [];

  /** Whether statements count here. */
  get active(): boolean {
    return this.#open.every((c) => c.active);
  }
  /** Number of conditions still open. */
  get depth(): number {
    return this.#open.length;
  }

  /**
   * Takes a directive; `value` evaluates its expression, and is only asked where the answer matters.
   * @returns false when it is none of these. @throws RangeError for one without its `.if`
   */
  take(name: string, value: () => boolean): boolean {
    if (name === ".if") {
      const active = this.active && value();
      this.#open.push({ active, taken: active || !this.active });
      return true;
    }
    if (name !== ".elseif" && name !== ".else" && name !== ".endif") return false;
    const condition = this.#open.pop();
    if (condition === undefined) throw new RangeError(`${name} without .if`);
    if (name === ".endif") return true;
    const active = !condition.taken && (name === ".else" || value());
    this.#open.push({ active, taken: condition.taken || active });
    return true;
  }
}
