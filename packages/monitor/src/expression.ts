/** A register's value by name; undefined: there is none. */
export type Registers = (name: string) => bigint | undefined;

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value);
/** Nested parentheses and signs at most. */
const DEEPEST = 64;

/**
 * Numbers of a command: `( )`, `+ -`, then `& | ^`, then `* / %`, then signs and `~`; `0x`, `0`-octal and decimal numbers, 'c', $register.
 * All are 64 bits wide. Source: QEMU 7.2 documentation, "QEMU Monitor", "Integer expressions"; precedence as measured.
 */
export class Expressions {
  readonly #text: string;
  readonly #registers: Registers;
  #at = 0;
  #depth = 0;

  constructor(text: string, registers: Registers) {
    this.#text = text;
    this.#registers = registers;
  }

  /** What follows the expressions taken so far. */
  get rest(): string {
    return this.#text.slice(this.#at).trim();
  }

  /** The next expression. @throws Error when there is none */
  next(): bigint {
    return this.#sum();
  }

  /** @throws Error when something is left */
  end(command: string): void {
    if (this.rest !== "") throw new Error(`${command}: extraneous characters at the end of line`);
  }

  #peek(): string {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text[this.#at] ?? "";
  }

  #sum(): bigint {
    let value = this.#logic();
    for (let op = this.#peek(); op === "+" || op === "-"; op = this.#peek()) {
      this.#at++;
      const right = this.#logic();
      value = wrap(op === "+" ? value + right : value - right);
    }
    return value;
  }

  #logic(): bigint {
    let value = this.#product();
    for (let op = this.#peek(); op !== "" && "&|^".includes(op); op = this.#peek()) {
      this.#at++;
      const right = this.#product();
      value = op === "&" ? value & right : op === "|" ? value | right : value ^ right;
    }
    return value;
  }

  #product(): bigint {
    let value = this.#unary();
    for (let op = this.#peek(); op !== "" && "*/%".includes(op); op = this.#peek()) {
      this.#at++;
      const right = this.#unary();
      if (op !== "*" && right === 0n) throw new Error("division by zero");
      value = wrap(op === "*" ? value * right : op === "/" ? value / right : value % right);
    }
    return value;
  }

  #unary(): bigint {
    if (++this.#depth > DEEPEST) throw new Error("the expression is too deep");
    try {
      return this.#operand(this.#peek());
    } finally {
      this.#depth--;
    }
  }

  #operand(char: string): bigint {
    if (char === "") throw new Error("unexpected end of expression");
    if ("+-~(".includes(char)) {
      this.#at++;
      if (char === "(") return this.#closed(")", this.#sum());
      const value = this.#unary();
      return char === "+" ? value : char === "-" ? wrap(-value) : ~value;
    }
    if (char === "'") {
      const value = BigInt(this.#text.charCodeAt(this.#at + 1) || 0);
      this.#at += 2;
      return this.#closed("'", value);
    }
    return char === "$" ? this.#register() : this.#number(char);
  }

  #closed(end: string, value: bigint): bigint {
    if (this.#peek() !== end) throw new Error(end === ")" ? "')' expected" : "missing terminating ' character");
    this.#at++;
    return value;
  }

  #register(): bigint {
    const name = /^\$([\w.]+)/.exec(this.#text.slice(this.#at))?.[1] ?? "";
    const value = this.#registers(name);
    if (value === undefined) throw new Error("unknown register");
    this.#at += name.length + 1;
    return wrap(value);
  }

  #number(char: string): bigint {
    const found = /^(?:0x[\da-f]+|\d+)/i.exec(this.#text.slice(this.#at))?.[0];
    if (found === undefined) throw new Error(`invalid char '${char}' in expression`);
    const octal = /^0[0-7]+$/.test(found);
    this.#at += found.length;
    return wrap(BigInt(octal ? `0o${found.slice(1)}` : found.replace(/^0+(?=\d)/, "")));
  }
}
