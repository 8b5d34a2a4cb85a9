import { writeSync } from "node:fs";
import { type ReadStream, WriteStream } from "node:tty";

import type { Terminal, Termios } from "@mimus/linux-user";

/** Flags and places of termios. Source: Linux, include/uapi/asm-generic/termbits.h (numbers). */
const ICRNL = 0o400;
const ISIG = 1;
const ICANON = 2;
const ECHO = 8;
const ECHONL = 0o100;
const V = { INTR: 0, QUIT: 1, ERASE: 2, KILL: 3, EOF: 4, SUSP: 10 } as const;

/** What a terminal has after login. */
const COOKED: Termios = {
  iflag: 0o42400 | 0o400,
  oflag: 0o5,
  cflag: 0o277,
  lflag: 0o105073,
  line: 0,
  cc: [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0],
};

/**
 * A terminal of the host. Node knows two modes, cooked and raw. Whatever lies between, such as input without echo, is raw for
 * Node and done here.
 */
export class HostTerminal implements Terminal {
  readonly #fd: number;
  readonly #input: () => ReadStream;
  #settings: Termios = COOKED;
  #raw = false;
  #line: number[] = [];
  foreground = 0;

  constructor(fd: number, input: () => ReadStream) {
    this.#fd = fd;
    this.#input = input;
  }

  get(): Termios {
    return this.#settings;
  }

  set(settings: Termios): void {
    const { iflag, oflag, cflag, lflag, line, cc } = settings;
    this.#settings = { iflag, oflag, cflag, lflag, line, cc: [...cc] };
    const raw = (lflag & (ICANON | ECHO)) !== (ICANON | ECHO);
    if (raw === this.#raw) return;
    this.#raw = raw;
    this.#input().setRawMode(raw);
  }

  size(): { rows: number; columns: number } {
    const out =
      this.#fd === 2 && process.stderr.isTTY
        ? process.stderr
        : process.stdout.isTTY
          ? process.stdout
          : new WriteStream(this.#fd);
    const [columns, rows] = out.getWindowSize();
    return { rows, columns };
  }

  /** The window of the host's terminal is not the program's to change. */
  resize(): void {}

  restore(): void {
    if (this.#raw) this.#input().setRawMode(false);
    this.#raw = false;
  }

  /** Does to input what the terminal would do, had Node not made it raw. @returns what the program gets; undefined at an end of file */
  arrived(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.#raw) return chunk;
    const { iflag, lflag, cc } = this.#settings;
    const out: number[] = [];
    for (const given of chunk) {
      if ((lflag & ISIG) !== 0 && this.#signal(given)) continue;
      const byte = given === 13 && (iflag & ICRNL) !== 0 ? 10 : given;
      if ((lflag & ICANON) === 0) out.push(byte);
      else if (byte === cc[V.EOF]) {
        if (this.#line.length === 0 && out.length === 0) return undefined;
        out.push(...this.#line.splice(0));
        continue;
      } else if (byte === cc[V.ERASE]) this.#line.pop();
      else if (byte === cc[V.KILL]) this.#line = [];
      else {
        this.#line.push(byte);
        if (byte === 10) out.push(...this.#line.splice(0));
      }
      if ((lflag & ECHO) !== 0 || ((lflag & ECHONL) !== 0 && byte === 10)) this.#echo(byte);
    }
    return Uint8Array.from(out);
  }

  #signal(byte: number): boolean {
    const { cc } = this.#settings;
    const name =
      byte === 0
        ? undefined
        : byte === cc[V.INTR]
          ? "SIGINT"
          : byte === cc[V.QUIT]
            ? "SIGQUIT"
            : byte === cc[V.SUSP]
              ? "SIGTSTP"
              : undefined;
    if (name === undefined) return false;
    process.kill(process.pid, name);
    return true;
  }

  #echo(byte: number): void {
    try {
      writeSync(this.#fd === 0 ? 1 : this.#fd, byte === 10 ? "\r\n" : String.fromCharCode(byte));
    } catch {
      // The echo is lost; the input is not.
    }
  }
}
