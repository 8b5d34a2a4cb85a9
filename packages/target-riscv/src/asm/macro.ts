/** Macros of assembly source. Source: GNU as manual (binutils 2.40), ".macro". */
import { AsmError } from "./errors.ts";

/** Most expansions of a program. */
const LIMIT = 1 << 20;

interface Parameter {
  readonly name: string;
  readonly standard: string | undefined;
}

interface Macro {
  readonly parameters: readonly Parameter[];
  readonly body: readonly string[];
}

/** The macros of one source text: `.macro NAME A, B=DEFAULT` up to `.endm`; in the body `\A` is an argument, `\@` counts expansions. */
export class Macros {
  readonly #byName: Map<string, Macro> = new Map();
  #expansions = 0;

  /** Takes a definition that begins at `lines[at]`. @returns the index of its last line, undefined when none begins there */
  define(lines: readonly string[], at: number): number | undefined {
    const head = /^\s*\.macro\s+([A-Za-z_.$][\w.$]*)\s*,?\s*([^#]*)/i.exec(lines[at] ?? "");
    if (!head) return undefined;
    const end = lines.findIndex((text, i) => i > at && /^\s*\.endm\b/i.test(text));
    if (end < 0) throw new AsmError("directive", ".macro without .endm", at + 1);
    const name = (head[1] ?? "").toLowerCase();
    if (this.#byName.has(name)) throw new AsmError("duplicate-symbol", `macro ${name} is defined twice`, at + 1);
    const parameters = (head[2] ?? "")
      .split(/[\s,]+/)
      .filter((text) => text !== "")
      .map((text) => {
        const [parameter = "", standard] = text.split("=");
        return { name: parameter, standard };
      });
    this.#byName.set(name, { parameters, body: lines.slice(at + 1, end) });
    return end;
  }

  /** The lines that a statement stands for; undefined when `name` is no macro. */
  expand(name: string, operands: readonly string[], line: number): string[] | undefined {
    const macro = this.#byName.get(name);
    if (!macro) return undefined;
    if (this.#expansions > LIMIT) throw new AsmError("directive", `more than ${LIMIT} macro expansions`, line);
    if (operands.length > macro.parameters.length)
      throw new AsmError("operand", `${name} takes ${macro.parameters.length} arguments`, line);
    const values: Map<string, string> = new Map([["@", String(this.#expansions++)]]);
    for (const [i, { name: parameter, standard }] of macro.parameters.entries()) {
      const value = operands[i] ?? standard;
      if (value === undefined) throw new AsmError("operand", `${name}: argument ${parameter} is missing`, line);
      values.set(parameter, value);
    }
    return macro.body.map((text) =>
      text.replaceAll(/\\(?:(@|[A-Za-z_]\w*)(?:\\\(\))?)/g, (whole, key: string) => values.get(key) ?? whole),
    );
  }
}
