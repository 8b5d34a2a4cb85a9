/** Expressions of assembly source: C's integer operators over numbers, characters and symbols, in exact integers. */

/** Value of a symbol, undefined when it is unknown. */
export type Lookup = (name: string) => bigint | undefined;

const TOKEN =
  /\s*(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+[bf](?!\w)|\d+|'(?:\\.|[^\\'])'|[A-Za-z_.$][\w.$]*|<<|>>|[=!<>]=|[-+*/%&|^~()<>])/y;
const LEVELS: readonly (readonly string[])[] = [
  ["==", "!=", "<", "<=", ">", ">="],
  ["|"],
  ["^"],
  ["&"],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];
const ESCAPES: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, 0: 0, b: 8, f: 12, a: 7, v: 11, e: 27 };

/** Character code of an escape letter: itself when it has no meaning of its own. */
export function escapeCode(letter: string): number {
  return ESCAPES[letter] ?? letter.charCodeAt(0);
}

/** Evaluate `text`; undefined when it is not an expression or names an unknown symbol. */
export function evaluate(text: string, lookup: Lookup): bigint | undefined {
  const tokens = tokenize(text);
  if (tokens === undefined || tokens.length === 0) return undefined;
  let at = 0;
  const primary = (): bigint | undefined => {
    const t = tokens[at++];
    if (t === undefined) return undefined;
    if (t === "(") {
      const v = level(0);
      return tokens[at++] === ")" ? v : undefined;
    }
    if (t === "-" || t === "+" || t === "~") {
      const v = primary();
      return v === undefined ? undefined : t === "-" ? -v : t === "~" ? ~v : v;
    }
    if (/^\d+[bf]$/.test(t) && !/^0[bB]/.test(t)) return lookup(t);
    if (/^\d/.test(t)) return BigInt(t);
    if (t.startsWith("'")) return BigInt(t[1] === "\\" ? escapeCode(t[2] ?? "") : (t.codePointAt(1) ?? 0));
    return lookup(t);
  };
  const level = (n: number): bigint | undefined => {
    const operators = LEVELS[n];
    if (operators === undefined) return primary();
    let left = level(n + 1);
    while (at < tokens.length && operators.includes(tokens[at] ?? "")) {
      const op = tokens[at++] ?? "";
      const right = level(n + 1);
      if (left === undefined || right === undefined) return undefined;
      left = apply(op, left, right);
    }
    return left;
  };
  const value = level(0);
  return at === tokens.length ? value : undefined;
}

function apply(op: string, a: bigint, b: bigint): bigint | undefined {
  switch (op) {
    case "==":
      return truth(a === b);
    case "!=":
      return truth(a !== b);
    case "<":
      return truth(a < b);
    case "<=":
      return truth(a <= b);
    case ">":
      return truth(a > b);
    case ">=":
      return truth(a >= b);
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    case "&":
      return a & b;
    case "<<":
      return b < 0n || b > 128n ? undefined : a << b;
    case ">>":
      return b < 0n || b > 128n ? undefined : a >> b;
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0n ? undefined : a / b;
    default:
      return b === 0n ? undefined : a % b;
  }
}

/** A comparison that holds is -1, as in GNU as. */
function truth(holds: boolean): bigint {
  return holds ? -1n : 0n;
}

function tokenize(text: string): string[] | undefined {
  const tokens: string[] = [];
  const source = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const m = TOKEN.exec(source);
    if (!m) return undefined;
    tokens.push(m[1] ?? "");
  }
  return tokens;
}
