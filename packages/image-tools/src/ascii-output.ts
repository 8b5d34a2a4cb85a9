import type { ToolHost } from "./host.ts";

const ROOM = 1 << 17;
const BILLION = 1e9;

/** Text of many lines, put together as bytes: strings in as many pieces are half of the time that a map takes. */
export class AsciiOutput {
  readonly #host: Pick<ToolHost, "out" | "outBytes">;
  readonly #bytes: Uint8Array = new Uint8Array(ROOM);
  #at = 0;

  constructor(host: Pick<ToolHost, "out" | "outBytes">) {
    this.#host = host;
  }

  /** Adds text of ASCII characters. */
  ascii(text: string): void {
    if (this.#at + text.length > ROOM) this.end();
    const bytes = this.#bytes;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** Adds any text. */
  text(text: string): void {
    for (let i = 0; i < text.length; i++)
      if (text.charCodeAt(i) > 127) {
        this.end();
        return this.#host.out(text);
      }
    this.ascii(text);
  }

  /** Adds a whole number of 0 to 2^53 - 1, in decimal. */
  number(n: number): void {
    if (this.#at + 16 > ROOM) this.end();
    if (n < BILLION) return this.#digits(n | 0, 1);
    const high = Math.floor(n / BILLION);
    this.#digits(high | 0, 1);
    this.#digits((n - high * BILLION) | 0, 9);
  }

  /** Hands on what is left. */
  end(): void {
    const bytes = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (bytes.length === 0) return;
    if (this.#host.outBytes) this.#host.outBytes(bytes);
    else this.#host.out(textOf(bytes));
  }

  /** A number below 2^31 in `least` digits or more. */
  #digits(n: number, least: number): void {
    let digits = 1;
    for (let top = 10; digits < 10 && top <= n; top *= 10) digits++;
    const bytes = this.#bytes;
    const end = this.#at + Math.max(digits, least);
    let left = n;
    for (let at = end - 1; at >= this.#at; at--) {
      const rest = (left / 10) | 0;
      bytes[at] = 48 + left - rest * 10;
      left = rest;
    }
    this.#at = end;
  }
}

function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}
