/** Shows generated code as it is made: `-d out_wat`. */
import { IrError } from "../ir/errors.ts";
import type { CodeNotes } from "./notes.ts";
import { WatPrinter } from "./print.ts";

/** What is shown of one function of a module. */
export interface TracedFunction {
  /** `block` or `region`, for its name. */
  readonly kind: string;
  /** Address of the descriptor of its (first) block. */
  readonly tb: number;
  /** What else the line above it says. */
  readonly about: string;
  readonly notes: CodeNotes | undefined;
}

/** Where text goes, and what it says of guest instructions. */
export class WatTrace {
  readonly #out: (text: string) => void;
  readonly #listing: (tb: number) => readonly string[];
  readonly #known: Map<number, readonly string[]> = new Map();

  /** `listing`: the guest instructions of a block, each with its address in hexadecimal first. */
  constructor(out: (text: string) => void, listing: (tb: number) => readonly string[]) {
    this.#out = out;
    this.#listing = listing;
  }

  #lines(tb: number): readonly string[] {
    let lines = this.#known.get(tb);
    if (lines === undefined) this.#known.set(tb, (lines = this.#listing(tb)));
    return lines;
  }

  /** Instruction `site` of the block with this descriptor. */
  insn(tb: number, site: number): string {
    return this.#lines(tb)[site] ?? `instruction ${site}`;
  }

  /** Guest address of a block, as `0x…`. */
  pc(tb: number): string {
    return /^0x[\da-f]+/i.exec(this.#lines(tb)[0] ?? "")?.[0] ?? "0x0";
  }

  /** A module is made: shows its functions. */
  show(bytes: Uint8Array, functions: readonly TracedFunction[]): void {
    const title = ({ kind, tb, about }: TracedFunction): string => `;; ${kind} ${this.pc(tb)}: ${about}\n`;
    try {
      const printer = new WatPrinter(bytes, {
        align: false,
        functions: functions.map(({ kind, tb }) => `${kind}.${this.pc(tb).slice(2)}`),
        notes: functions.map(({ notes }) => notes),
      });
      functions.forEach((it, n) => this.#out(title(it) + printer.function(n)));
    } catch (error) {
      // Code that the printer does not know is none the worse for it.
      if (!(error instanceof IrError)) throw error;
      for (const it of functions) this.#out(`${title(it)};; no text: ${error.message}\n`);
    }
    this.#known.clear();
  }
}
