import { decode } from "@mimus/nbd";

/** Bytes of one message at most, and how deep it may nest. */
const MAX_BYTES: number = 1 << 20;
const MAX_DEPTH = 256;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** One value's text, or what is wrong with the input there. */
export type Piece = { readonly text: string } | { readonly error: string };

/** Cuts a stream into JSON values in brackets: each ends with its last bracket, whatever lies between two of them. */
export class JsonSplitter {
  #bytes: number[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** Input that is no value is passed over to the next white space or bracket. */
  #stray = false;

  /** The values that are complete now. */
  push(input: Uint8Array): Piece[] {
    const out: Piece[] = [];
    for (const byte of input) {
      const piece = this.#depth === 0 ? this.#outside(byte) : this.#inside(byte);
      if (piece !== undefined) out.push(piece);
    }
    return out;
  }

  #outside(byte: number): Piece | undefined {
    if (byte === 0x7b || byte === 0x5b) {
      this.#stray = false;
      this.#bytes = [byte];
      this.#depth = 1;
    } else if (byte <= 0x20 || byte === 0xff) this.#stray = false; // 0xff: a client asks for a fresh start
    else if (!this.#stray) {
      this.#stray = true;
      return { error: `JSON parse error, stray '${String.fromCharCode(byte)}' in input` };
    }
    return undefined;
  }

  #inside(byte: number): Piece | undefined {
    if (this.#bytes.push(byte) > MAX_BYTES) return this.#reset({ error: "JSON token size limit exceeded" });
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
      return undefined;
    }
    if (byte === QUOTE) this.#inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++this.#depth > MAX_DEPTH) return this.#reset({ error: "JSON nesting depth limit exceeded" });
    } else if ((byte === 0x7d || byte === 0x5d) && --this.#depth === 0) {
      const text = decode(Uint8Array.from(this.#bytes));
      return this.#reset(text === undefined ? { error: "JSON parse error, invalid UTF-8 sequence" } : { text });
    }
    return undefined;
  }

  #reset(piece: Piece): Piece {
    this.#bytes = [];
    this.#depth = 0;
    this.#inString = this.#escaped = false;
    this.#stray = "error" in piece;
    return piece;
  }
}
