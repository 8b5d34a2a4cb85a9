/** Expressions as trees: an instruction takes in those before it that push its operands. */
import type { CodeSink } from "./print-code.ts";

/** A statement or expression. */
interface Node {
  readonly head: string;
  readonly operands: readonly Node[];
  readonly pushes: number;
  /** Levels of operands below. */
  readonly height: number;
  /** Lengths of the text on one line. */
  readonly width: number;
  readonly kind: "plain" | "comment" | "block" | "if";
  /** Identifier of a block or loop. */
  readonly label: string;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[] | undefined;
}

interface Frame {
  readonly type: string;
  readonly keyword: "block" | "loop" | "if";
  readonly label: string;
  readonly operands: readonly Node[];
  readonly pushes: number;
  readonly body: Node[];
  otherwise: Node[] | undefined;
}

const WIDTH = 110;
const MAX_HEIGHT = 100;
/** Blocks within blocks that the tree holds at most. */
const MAX_NESTING = 400;

/** Thrown when a body is nested too deep for a tree: the flat form has no such limit. */
export class TooDeep extends Error {}

/** `;; ` before each line of a comment. */
export function commentLines(text: string): string[] {
  // oxlint-disable-next-line no-control-regex
  return text.trimEnd().split("\n").map((line) => `;; ${line.replaceAll(/[\u0000-\u001f\u007f]/g, " ")}`.trimEnd()); // prettier-ignore
}

/** Collects a body. */
export class FoldedText implements CodeSink {
  readonly #body: Node[] = [];
  readonly #frames: Frame[] = [];
  #list: Node[] = this.#body;

  comment(text: string): void {
    this.#list.push({ ...LEAF, head: text, kind: "comment", width: Infinity });
  }

  plain(head: string, pops: number, pushes: number): void {
    const operands = this.#operands(pops);
    this.#list.push({ ...LEAF, head, operands, pushes, height: height(operands), width: width(head, operands) });
  }

  /** The last `n` expressions, or as many as push one value each. */
  #operands(n: number): Node[] {
    const list = this.#list;
    let from = list.length;
    while (list.length - from < n && from > 0 && list[from - 1]!.pushes === 1 && list[from - 1]!.height < MAX_HEIGHT) from--;
    return list.splice(from);
  } // prettier-ignore

  open(keyword: "block" | "loop" | "if", label: string, type: string, pops: number, pushes: number): void {
    if (this.#frames.length >= MAX_NESTING) throw new TooDeep();
    // Only the condition of an `if` may stand inside its parentheses.
    const operands = keyword === "if" && pops === 1 ? this.#operands(1) : [];
    const frame: Frame = {
      type, keyword, label, operands, pushes, body: [], otherwise: undefined,
    }; // prettier-ignore
    this.#frames.push(frame);
    this.#list = frame.body;
  }

  otherwise(): void {
    this.#list = this.#frames.at(-1)!.otherwise = [];
  }

  close(used: boolean): void {
    const { type, keyword, label, operands, pushes, body, otherwise } = this.#frames.pop()!;
    const outer = this.#frames.at(-1);
    this.#list = outer === undefined ? this.#body : (outer.otherwise ?? outer.body);
    const kind = keyword === "if" ? "if" : "block";
    // That an `if` can be left by its label is rarely used: it is named where it is.
    const head = `${keyword}${kind === "if" && !used ? "" : ` ${label}`}${type}`;
    const deep = Math.max(height(operands), height(body), height(otherwise ?? []));
    this.#list.push({ head, operands, pushes, height: deep, width: Infinity, kind, label, body, otherwise });
  }

  /** The lines of the body. */
  lines(indent: number): string[] {
    const out = new Lines();
    out.statements(this.#body, indent);
    return out.lines;
  }
}

const LEAF: Node = {
  head: "", operands: [], pushes: 0, height: 0, width: 0, kind: "plain", label: "", body: [], otherwise: undefined,
}; // prettier-ignore

function height(operands: readonly Node[]): number {
  let most = -1;
  for (const node of operands) most = Math.max(most, node.height);
  return most + 1;
}

function width(head: string, operands: readonly Node[]): number {
  let sum = head.length + 2;
  for (const node of operands) sum += node.width + 1;
  return sum;
}

class Lines {
  readonly lines: string[] = [];

  statements(nodes: readonly Node[], indent: number): void {
    for (const node of nodes) this.#node(node, indent);
  }

  #line(text: string, indent: number): void {
    this.lines.push(" ".repeat(indent) + text);
  }

  /** Closes a parenthesis behind the last line; behind a comment there is no room for it. */
  #close(indent: number): void {
    const last = this.lines.length - 1;
    if (this.lines[last]!.includes(";;")) this.#line(")", indent);
    else this.lines[last] += ")";
  }

  #node(node: Node, indent: number): void {
    if (node.kind === "comment") for (const line of commentLines(node.head)) this.#line(line, indent);
    else if (node.kind === "block") {
      this.#line(`(${node.head}`, indent);
      this.statements(node.body, indent + 2);
      this.#line(`) ;; ${node.label}`, indent);
    } else if (node.width + indent <= WIDTH) this.#line(inline(node), indent);
    else if (node.kind === "if") this.#if(node, indent);
    else {
      this.#line(`(${node.head}`, indent);
      this.statements(node.operands, indent + 2);
      this.#close(indent);
    }
  }

  #if(node: Node, indent: number): void {
    const [condition] = node.operands;
    const flat = condition !== undefined && condition.width + node.head.length + indent + 2 <= WIDTH;
    this.#line(`(${node.head}${flat ? ` ${inline(condition)}` : ""}`, indent);
    if (!flat) this.statements(node.operands, indent + 2);
    this.#branch("then", node.body, indent + 2);
    if (node.otherwise !== undefined) this.#branch("else", node.otherwise, indent + 2);
    this.#close(indent);
  }

  #branch(word: string, nodes: readonly Node[], indent: number): void {
    const [only] = nodes;
    if (only !== undefined && nodes.length === 1 && only.width + word.length + indent + 3 <= WIDTH)
      return this.#line(`(${word} ${inline(only)})`, indent);
    this.#line(`(${word}`, indent);
    this.statements(nodes, indent + 2);
    this.#close(indent);
  }
}

function inline(node: Node): string {
  return `(${[node.head, ...node.operands.map(inline)].join(" ")})`;
}
