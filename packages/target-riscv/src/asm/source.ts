/** Assembly source, line by line: labels, and statements of a mnemonic or directive with its operands. */
import { AsmError } from "./errors.ts";
import { escapeCode } from "./expression.ts";
import { Macros } from "./macro.ts";

/** One statement. Labels stand alone. */
export type Statement =
  | { readonly kind: "label"; readonly name: string; readonly line: number }
  | { readonly kind: "code"; readonly name: string; readonly operands: readonly string[]; readonly line: number };

/** Deepest nesting of macros, and most statements of a program. */
const DEPTH = 32;
const STATEMENTS = 1 << 20;

/** Split source text, macros expanded. Comments: `#` and `//` to the end of the line; `;` separates statements. */
export function parseSource(source: string): Statement[] {
  const parser = new Parser();
  const lines = source.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const end = parser.macros.define(lines, i);
    if (end === undefined) parser.text(lines[i] ?? "", i + 1, 0);
    else i = end;
  }
  return parser.out;
}

class Parser {
  readonly macros: Macros = new Macros();
  readonly out: Statement[] = [];

  text(text: string, line: number, depth: number): void {
    for (const part of splitOutside(stripComment(text), ";")) this.#statement(part.trim(), line, depth);
  }

  #statement(text: string, line: number, depth: number): void {
    const { out } = this;
    let rest = text;
    for (;;) {
      const m = /^([A-Za-z_.$][\w.$]*|\d+)\s*:/.exec(rest);
      if (!m) break;
      out.push({ kind: "label", name: m[1] ?? "", line });
      rest = rest.slice(m[0].length).trim();
    }
    if (rest === "") return;
    const assignment = /^([A-Za-z_.$][\w.$]*)\s*=(?!=)\s*(.+)$/.exec(rest);
    if (assignment) {
      out.push({ kind: "code", name: ".set", operands: [assignment[1] ?? "", assignment[2] ?? ""], line });
      return;
    }
    const space = rest.search(/\s/);
    const name = (space < 0 ? rest : rest.slice(0, space)).toLowerCase();
    const operands = space < 0 ? [] : splitOutside(rest.slice(space).trim(), ",").map((o) => o.trim());
    const lines = this.macros.expand(name, operands, line);
    if (lines === undefined) out.push({ kind: "code", name, operands, line });
    else if (depth === DEPTH) throw new AsmError("directive", `macros are nested deeper than ${DEPTH}`, line);
    else for (const expanded of lines) this.text(expanded, line, depth + 1);
    if (out.length > STATEMENTS) throw new AsmError("directive", `more than ${STATEMENTS} statements`, line);
  }
}

/** Split at a character that stands outside quotes. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  scan(text, (c, quoted) => {
    if (c === separator && !quoted) parts.push("");
    else parts[parts.length - 1] += c;
    return true;
  });
  return parts;
}

function stripComment(text: string): string {
  let out = "";
  scan(text, (c, quoted, next) => {
    if (!quoted && (c === "#" || (c === "/" && next === "/"))) return false;
    out += c;
    return true;
  });
  return out;
}

/** Visit each character with whether it is in quotes; stops when `visit` returns false. */
function scan(text: string, visit: (c: string, quoted: boolean, next: string) => boolean): void {
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] ?? "";
    if (!visit(c, quote !== "", text[i + 1] ?? "")) return;
    if (quote !== "" && c === "\\") {
      i++;
      if (i < text.length && !visit(text[i] ?? "", true, "")) return;
    } else if (quote === "" && (c === '"' || c === "'")) quote = c;
    else if (c === quote) quote = "";
  }
}

/** Bytes of a string literal with C escapes, as UTF-8; undefined when it is not one. */
export function stringBytes(literal: string): number[] | undefined {
  const m = /^"((?:\\.|[^"\\])*)"$/.exec(literal);
  if (!m) return undefined;
  const bytes: number[] = [];
  const chars = [...(m[1] ?? "")];
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i] ?? "";
    if (c !== "\\") {
      bytes.push(...utf8(c.codePointAt(0) ?? 0));
      continue;
    }
    const e = chars[++i] ?? "";
    if (e === "x") {
      bytes.push(Number.parseInt(chars.slice(i + 1, i + 3).join(""), 16) & 0xff);
      i += 2;
    } else if (/[0-7]/.test(e)) {
      const octal = /^[0-7]{1,3}/.exec(chars.slice(i, i + 3).join(""))?.[0] ?? "0";
      bytes.push(Number.parseInt(octal, 8) & 0xff);
      i += octal.length - 1;
    } else bytes.push(escapeCode(e));
  }
  return bytes;
}

function utf8(code: number): number[] {
  if (code < 0x80) return [code];
  const tail = (shift: number): number => 0x80 | ((code >> shift) & 0x3f);
  if (code < 0x800) return [0xc0 | (code >> 6), tail(0)];
  if (code < 0x10000) return [0xe0 | (code >> 12), tail(6), tail(0)];
  return [0xf0 | (code >> 18), tail(12), tail(6), tail(0)];
}
