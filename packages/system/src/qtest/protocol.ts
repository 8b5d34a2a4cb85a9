import { fromBase64, halves, hexOf, parseU64, toBase64 } from "./number.ts";
import type { QtestPort } from "./port.ts";

const SIZES: Readonly<Record<string, 1 | 2 | 4 | 8>> = { b: 1, w: 2, l: 4, q: 8 };
/** Longest block one command may move; a longer one is refused instead of allocated. */
const MAX_BLOCK = 256 * 2 ** 20;
/** Longest line that is kept while its end has not come. */
const MAX_LINE = 2 * MAX_BLOCK + 256;

/** A command that cannot be carried out; the message follows FAIL. */
class Refusal extends Error {}

/**
 * One session of the device test protocol: a line in, a line out.
 * Source: QEMU documentation, "QTest Device Emulation Testing Framework", section "QTest Protocol".
 */
export class Qtest {
  readonly #port: QtestPort;
  readonly #send: (line: string) => void;
  readonly #pair: Uint32Array = new Uint32Array(2);
  #partial = "";
  #intercepted: string | undefined;

  /** @param send takes one answer or event, without its end of line */
  constructor(port: QtestPort, send: (line: string) => void) {
    this.#port = port;
    this.#send = send;
  }

  /** Bytes came from the client: whole lines are carried out, in order. */
  receive(bytes: Uint8Array): void {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.line(line);
    if (this.#partial.length > MAX_LINE) {
      this.#partial = "";
      this.#send(`FAIL Line longer than ${MAX_LINE} bytes`);
    }
  }

  /** Carries out one command and sends its answer. */
  line(line: string): void {
    const words = line
      .trim()
      .split(/\s+/)
      .filter((w) => w !== "");
    if (words.length === 0) return;
    try {
      this.#send(this.#execute(words));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#send(`FAIL ${error.message}`);
    }
  }

  #execute(words: string[]): string {
    const name = words[0] as string;
    const sized = /^(read|write|in|out)([bwlq])$/.exec(name);
    if (sized !== null && !(sized[2] === "q" && (sized[1] === "in" || sized[1] === "out"))) {
      return this.#access(sized[1] as string, SIZES[sized[2] as string] as 1 | 2 | 4 | 8, words);
    }
    switch (name) {
      case "read":
      case "b64read":
        return this.#readBlock(words, name === "b64read");
      case "write":
      case "b64write":
      case "memset":
        return this.#writeBlock(words, name);
      case "endianness":
        return `OK ${this.#port.bigEndian ? "big" : "little"}`;
      case "clock_step": {
        const ns = words.length > 1 ? Number(this.#number(words, 1)) : undefined;
        return `OK ${Math.floor(this.#port.clockStep(ns))}`;
      }
      case "clock_set":
        return `OK ${Math.floor(this.#port.clockSet(Number(this.#number(words, 1))))}`;
      case "irq_intercept_in":
      case "irq_intercept_out":
        return this.#intercept(words, name === "irq_intercept_in");
      case "set_irq_in":
        return this.#setIrqIn(words);
      case "module_load":
        return "OK";
      default:
        throw new Refusal(`Unknown command '${name}'`);
    }
  }

  #access(verb: string, size: 1 | 2 | 4 | 8, words: string[]): string {
    const address = this.#number(words, 1);
    const pair = this.#pair;
    switch (verb) {
      case "read":
        this.#port.read(Number(address), size, pair);
        return `OK ${hexOf(pair[0] as number, pair[1] as number, 16)}`;
      case "write": {
        const [lo, hi] = halves(BigInt.asUintN(8 * size, this.#number(words, 2)));
        this.#port.write(Number(address), size, lo, hi);
        return "OK";
      }
      case "in":
        return `OK ${hexOf(this.#port.readPort(Number(address & 0xffffn), size as 1 | 2 | 4), 0, 4)}`;
      default: {
        const value = Number(BigInt.asUintN(8 * size, this.#number(words, 2)));
        this.#port.writePort(Number(address & 0xffffn), size as 1 | 2 | 4, value);
        return "OK";
      }
    }
  }

  #readBlock(words: string[], base64: boolean): string {
    const into = new Uint8Array(this.#length(words));
    this.#port.readBytes(Number(this.#number(words, 1)), into);
    if (base64) return `OK ${toBase64(into)}`;
    let text = "OK 0x";
    for (const byte of into) text += byte.toString(16).padStart(2, "0");
    return text;
  }

  #writeBlock(words: string[], name: string): string {
    const address = Number(this.#number(words, 1));
    const length = this.#length(words);
    const data = words[3];
    if (data === undefined) throw new Refusal(`${name} needs an address, a size and data`);
    const bytes = new Uint8Array(length);
    if (name === "memset") bytes.fill(Number(this.#number(words, 3) & 0xffn));
    else if (name === "b64write") {
      const given = fromBase64(data);
      if (given === undefined) throw new Refusal("b64write: not base64");
      bytes.set(given.subarray(0, length));
    } else {
      if (!/^0x([0-9a-fA-F]{2})*$/.test(data))
        throw new Refusal("write: data must be 0x and pairs of hexadecimal digits");
      for (let i = 0; i < length; i++) bytes[i] = Number.parseInt(data.slice(2 + 2 * i, 4 + 2 * i) || "0", 16);
    }
    this.#port.writeBytes(address, bytes);
    return "OK";
  }

  #intercept(words: string[], inputs: boolean): string {
    const path = words[1];
    if (path === undefined) throw new Refusal("A device path is needed");
    const key = `${inputs} ${path}`;
    if (this.#intercepted !== undefined) {
      if (this.#intercepted === key) return "OK";
      throw new Refusal("IRQ intercept already enabled");
    }
    const wrong = this.#port.intercept(path, inputs, (line, level) =>
      this.#send(`IRQ ${level ? "raise" : "lower"} ${line}`),
    );
    if (wrong !== undefined) throw new Refusal(wrong);
    this.#intercepted = key;
    return "OK";
  }

  #setIrqIn(words: string[]): string {
    const [, path, name] = words;
    if (path === undefined || name === undefined) throw new Refusal("set_irq_in needs PATH NAME NUM LEVEL");
    const wrong = this.#port.setIrqIn(path, name, Number(this.#number(words, 3)), this.#number(words, 4) !== 0n);
    if (wrong !== undefined) throw new Refusal(wrong);
    return "OK";
  }

  #number(words: string[], at: number): bigint {
    const value = parseU64(words[at]);
    if (value === undefined)
      throw new Refusal(
        `${words[0]}: ${words[at] === undefined ? "a number is missing" : `'${words[at]}' is not a number`}`,
      );
    return value;
  }

  #length(words: string[]): number {
    const length = this.#number(words, 2);
    if (length > BigInt(MAX_BLOCK))
      throw new Refusal(`${words[0]}: ${length} bytes are more than the ${MAX_BLOCK} of one command`);
    return Number(length);
  }
}
