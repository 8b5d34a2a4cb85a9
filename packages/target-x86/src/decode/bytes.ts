/** Gives the byte that is `at` bytes from the start of the instruction, 0..14; -1: it can't be read. */
export type FetchByte = (at: number) => number;

/** The longest instruction. */
const LIMIT = 15;

/** The bytes of an instruction, in order. Behind the last one that there is come zeros. */
export class Bytes {
  /** Bytes read so far. */
  at = 0;
  /** Why there are no more: one can't be fetched, or the instruction is too long. */
  bad: "" | "fetch" | "long" = "";
  #fetch: FetchByte = () => -1;

  start(fetch: FetchByte): void {
    this.#fetch = fetch;
    this.at = 0;
    this.bad = "";
  }

  next(): number {
    if (this.bad !== "") return 0;
    if (this.at >= LIMIT) {
      this.bad = "long";
      return 0;
    }
    const byte = this.#fetch(this.at);
    if (byte < 0) {
      this.bad = "fetch";
      return 0;
    }
    this.at++;
    return byte;
  }

  /** The last byte is read once more. */
  back(): void {
    this.at--;
  }

  imm8(): number {
    return (this.next() << 24) >> 24;
  }

  imm16(): number {
    const low = this.next();
    return ((low | (this.next() << 8)) << 16) >> 16;
  }

  imm32(): number {
    const low = this.next();
    const second = this.next();
    const third = this.next();
    return low | (second << 8) | (third << 16) | (this.next() << 24);
  }
}
