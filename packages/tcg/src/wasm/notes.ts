/** What a compiler says about a function for the reader of its text. */

/** Comments, and names for what has only numbers in the binary format. Offsets are those of the function's `Code`. */
export class CodeNotes {
  readonly comments: { readonly offset: number; readonly text: string }[] = [];
  /** Names of locals by index, parameters included; holes get a number. */
  readonly locals: string[] = [];
  /** Names of blocks, loops and ifs by the offset of their opcode. */
  readonly labels: Map<number, string> = new Map();

  /** Text above what begins at `offset`; may have several lines. Call in ascending order. */
  comment(offset: number, text: string): void {
    this.comments.push({ offset, text });
  }

  local(index: number, name: string): void {
    this.locals[index] = name;
  }

  label(offset: number, name: string): void {
    this.labels.set(offset, name);
  }
}
