const BELL = "\x07";

/** What the editor needs of its terminal and of its owner. */
export interface LineEditorOptions {
  readonly prompt: string;
  write(text: string): void;
  line(text: string): void;
  /** Words that Tab may complete, given the text so far. */
  complete(text: string): readonly string[];
}

const LIMIT = 4096;
const HISTORY = 64;

/** Edits one line on a raw terminal: backspace, Ctrl-A/E/U/W/K, arrows, history and Tab. Input comes byte by byte. */
export class LineEditor {
  readonly #o: LineEditorOptions;
  #text = "";
  #at = 0;
  #escape = "";
  readonly #history: string[] = [];
  #recall = 0;

  constructor(options: LineEditorOptions) {
    this.#o = options;
  }

  /** Shows the prompt and what was typed so far. */
  show(): void {
    this.#o.write(`\r\x1b[K${this.#o.prompt}${this.#text}`);
    const back = this.#text.length - this.#at;
    if (back > 0) this.#o.write(`\x1b[${back}D`);
  }

  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
  }

  #byte(byte: number): void {
    if (this.#escape !== "") {
      this.#sequence(String.fromCharCode(byte));
      return;
    }
    switch (byte) {
      case 0x0d:
      case 0x0a:
        this.#enter();
        break;
      case 0x08:
      case 0x7f:
        this.#replace(this.#text.slice(0, Math.max(this.#at - 1, 0)), this.#text.slice(this.#at));
        break;
      case 0x01:
        this.#move(0);
        break;
      case 0x05:
        this.#move(this.#text.length);
        break;
      case 0x15:
        this.#replace("", this.#text.slice(this.#at));
        break;
      case 0x0b:
        this.#replace(this.#text.slice(0, this.#at), "");
        break;
      case 0x17:
        this.#replace(this.#text.slice(0, this.#at).replace(/\S*\s*$/, ""), this.#text.slice(this.#at));
        break;
      case 0x09:
        this.#complete();
        break;
      case 0x1b:
        this.#escape = "\x1b";
        break;
      default:
        if (byte < 0x20) return;
        if (this.#text.length >= LIMIT) this.#o.write(BELL);
        else this.#replace(this.#text.slice(0, this.#at) + String.fromCharCode(byte), this.#text.slice(this.#at));
    }
  }

  /** The rest of an escape sequence: `ESC [ letter`. */
  #sequence(char: string): void {
    this.#escape += char;
    if (this.#escape.length < 3 && char === "[") return;
    if (this.#escape.length < 3) {
      this.#escape = "";
      return;
    }
    if (char >= "0" && char <= "9" && this.#escape.length < 6) return;
    this.#escape = "";
    if (char === "D") this.#move(this.#at - 1);
    else if (char === "C") this.#move(this.#at + 1);
    else if (char === "A") this.#remember(this.#recall - 1);
    else if (char === "B") this.#remember(this.#recall + 1);
  }

  #enter(): void {
    const line = this.#text;
    this.#o.write("\r\n");
    this.#text = "";
    this.#at = 0;
    if (line.trim() !== "" && this.#history.at(-1) !== line) this.#history.push(line);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#recall = this.#history.length;
    this.#o.line(line);
  }

  #remember(index: number): void {
    if (index < 0 || index > this.#history.length) return;
    this.#recall = index;
    this.#replace(this.#history[index] ?? "", "");
  }

  #complete(): void {
    const before = this.#text.slice(0, this.#at);
    const candidates = this.#o.complete(before);
    if (candidates.length === 0) return;
    const stem = commonPrefix(candidates);
    const word = /\S*$/.exec(before)?.[0] ?? "";
    if (stem.length > word.length || candidates.length === 1) {
      const tail = candidates.length === 1 ? " " : "";
      this.#replace(before.slice(0, before.length - word.length) + stem + tail, this.#text.slice(this.#at));
      return;
    }
    this.#o.write(`\r\n${candidates.join("  ")}\r\n`);
    this.show();
  }

  #move(at: number): void {
    this.#at = Math.min(Math.max(at, 0), this.#text.length);
    this.show();
  }

  #replace(before: string, after: string): void {
    const appended = after === "" && this.#at === this.#text.length && before.startsWith(this.#text);
    const old = this.#text;
    this.#text = before + after;
    this.#at = before.length;
    if (appended) this.#o.write(before.slice(old.length));
    else this.show();
  }
}

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? "";
  for (const word of words) while (!word.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}
