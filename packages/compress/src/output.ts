/** What a decoder says of data that it cannot decode. */
export class DecodeError extends RangeError {
  constructor(format: string, what: string) {
    super(`${format}: ${what}`);
    this.name = "DecodeError";
  }
}

/** Ends a decoder whose output is full, where more than that is not wrong. */
class Full extends DecodeError {}

/** What a decoder writes into: exactly `size` bytes, never more. */
export class Output {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes so far. */
  at = 0;
  readonly #format: string;
  readonly #startOnly: boolean;

  /** `format`: for messages. `startOnly`: data that go on behind `size` are cut off there, see {@link untilFull}. */
  constructor(format: string, size: number, startOnly = false) {
    this.#format = format;
    this.#startOnly = startOnly;
    this.bytes = new Uint8Array(size);
  }

  /** Runs a decoder that may be stopped by a full output. */
  untilFull(decode: () => void): void {
    try {
      decode();
    } catch (e) {
      if (!(e instanceof Full)) throw e;
    }
  }

  byte(value: number): void {
    if (this.at >= this.bytes.length) throw this.tooLong();
    this.bytes[this.at++] = value;
  }

  literals(from: Uint8Array, at: number, length: number): void {
    if (at + length > from.length) throw new DecodeError(this.#format, "the data end early");
    if (this.at + length > this.bytes.length) {
      if (this.#startOnly) this.literals(from, at, this.bytes.length - this.at);
      throw this.tooLong();
    }
    this.bytes.set(from.subarray(at, at + length), this.at);
    this.at += length;
  }

  /** Repeats what stands `distance` bytes back; the ranges may overlap. */
  match(distance: number, length: number): void {
    const { bytes, at } = this;
    if (!(distance > 0 && distance <= at))
      throw new DecodeError(this.#format, `a match goes back ${distance} of ${at} bytes`);
    if (at + length > bytes.length) {
      if (this.#startOnly) this.match(distance, bytes.length - at);
      throw this.tooLong();
    }
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
    const Kind = this.#startOnly ? Full : DecodeError;
    return new Kind(this.#format, `the data hold more than the ${this.bytes.length} bytes that are wanted`);
  }
}
