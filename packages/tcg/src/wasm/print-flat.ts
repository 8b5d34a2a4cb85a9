/** One instruction a line, indented by nesting. */
import type { CodeSink } from "./print-code.ts";
import { commentLines } from "./print-folded.ts";

/** Deeper code is not indented further. */
const MAX_INDENT = 80;

/** Writes the lines of a body. */
export class FlatText implements CodeSink {
  readonly lines: string[] = [];
  readonly #base: number;
  #depth = 0;

  constructor(indent: number) {
    this.#base = indent;
  }

  #line(text: string): void {
    this.lines.push(" ".repeat(Math.min(this.#base + 2 * this.#depth, MAX_INDENT)) + text);
  }

  comment(text: string): void {
    for (const line of commentLines(text)) this.#line(line);
  }

  plain(head: string): void {
    this.#line(head);
  }

  open(keyword: string, label: string, type: string): void {
    this.#line(`${keyword} ${label}${type}`);
    this.#depth++;
  }

  otherwise(): void {
    this.#depth--;
    this.#line("else");
    this.#depth++;
  }

  close(): void {
    this.#depth--;
    this.#line("end");
  }
}
