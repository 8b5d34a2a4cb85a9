/** Free slots: an array that is emptied without losing its room. */
export class SlotStack {
  readonly #slots: number[] = [];
  #length = 0;

  clear(): void {
    this.#length = 0;
  }

  push(slot: number): void {
    this.#slots[this.#length++] = slot;
  }

  pop(): number | undefined {
    return this.#length === 0 ? undefined : this.#slots[--this.#length];
  }
}
