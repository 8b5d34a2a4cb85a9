/** What a decoder says of data that it cannot decode. */
export class DecodeError extends RangeError {
  constructor(format: string, what: string) {
    super(`${format}: ${what}`);
    this.name = "DecodeError";
  }
}

/** What a decoder writes into: exactly `size` bytes, never more. */
export class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes so far. */
  at = 0;
  readonly #format: string;

  /** `format`: for messages. */
  constructor(format: string, size: number) {
    this.#format = format;
    this.bytes = new Uint8Array(size);
  }

  byte(value: number): void {
    if (this.at >= this.bytes.length) throw this.tooLong();
    this.bytes[this.at++] = value;
  }

  literals(from: Uint8Array, at: number, length: number): void {
    if (at + length > from.length) throw new DecodeError(this.#format, "the data end early");
    if (this.at + length > this.bytes.length) throw this.tooLong();
    this.bytes.set(from.subarray(at, at + length), this.at);
    this.at += length;
  }

  /** Repeats what stands `distance` bytes back; the ranges may overlap. */
  match(distance: number, length: number): void {
    const { bytes, at } = this;
    if (!(distance > 0 && distance <= at))
      throw new DecodeError(this.#format, `a match goes back ${distance} of ${at} bytes`);
    if (at + length > bytes.length) throw this.tooLong();
    const end = at + length;
    if (distance >= length) bytes.copyWithin(at, at - distance, end - distance);
    else for (let i = at; i < end; i++) bytes[i] = bytes[i - distance]!;
    this.at = end;
  }

  /** The bytes, when all of them are there. */
  done(): Uint8Array<ArrayBuffer> {
    if (this.at !== this.bytes.length)
      throw new DecodeError(this.#format, `the data hold ${this.at} bytes where ${this.bytes.length} are wanted`);
    return this.bytes;
  }

  tooLong(): DecodeError {
    return new DecodeError(this.#format, `the data hold more than the ${this.bytes.length} bytes that are wanted`);
  }
}
