/** Reads numbers and names of the binary format, within bounds. */
import { IrError } from "../ir/errors.ts";

/** A position in bytes that may be anything. Source: WebAssembly Core Specification 3.0, 5.1 and 5.2. */
export class Reader {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get more(): boolean {
    return this.at < this.end;
  }

  /** @throws IrError binary, always */
  fail(what: string, at: number = this.at): never {
    throw new IrError("binary", `Byte ${at}: ${what}`, at);
  }

  byte(): number {
    if (this.at >= this.end) this.fail("the bytes end too early");
    return this.bytes[this.at++]!;
  }

  /** Unsigned LEB128 of 32 bits. */
  u32(): number {
    const start = this.at;
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) this.fail("a number has more than 32 bits", start);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** Signed LEB128 of at most `bits` bits. */
  signed(bits: 32 | 33 | 64): bigint {
    const start = this.at;
    const most = Math.ceil(bits / 7);
    let value = 0n;
    for (let n = 1; ; n++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * (n - 1));
      if (byte < 0x80) {
        const result = BigInt.asIntN(7 * n, value);
        if (BigInt.asIntN(bits, result) !== result) this.fail(`a number has more than ${bits} bits`, start);
        return result;
      }
      if (n === most) this.fail(`a number has more than ${bits} bits`, start);
    }
  }

  /** The length of a list whose elements take a byte each at least. */
  count(): number {
    const start = this.at;
    const n = this.u32();
    if (n > this.end - this.at) this.fail(`a list of ${n} is longer than what is left`, start);
    return n;
  }

  /** A name as text; bytes that are not printable ASCII become `\xx` when it is printed. */
  name(): Uint8Array {
    const n = this.count();
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }

  /** The next `n` bytes as a reader of their own. */
  slice(n: number): Reader {
    if (n > this.end - this.at) this.fail(`${n} bytes are more than what is left`);
    this.at += n;
    return new Reader(this.bytes, this.at - n, this.at);
  }
}
