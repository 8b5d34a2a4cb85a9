/** Writes one SMBIOS structure: fields, then the strings that they number. Source: DSP0134 3.6, 6.1 "Structure standards". */
export class Structure {
  readonly #bytes: number[];
  readonly #strings: string[] = [];

  constructor(type: number, handle: number) {
    this.#bytes = [type, 0, handle & 0xff, handle >>> 8];
  }

  u8(...values: readonly number[]): this {
    this.#bytes.push(...values.map((v) => v & 0xff));
    return this;
  }
  u16(...values: readonly number[]): this {
    for (const v of values) this.u8(v, v >>> 8);
    return this;
  }
  u32(...values: readonly number[]): this {
    for (const v of values) this.u16(v & 0xffff, v >>> 16);
    return this;
  }
  /** A 64-bit number, exact up to 2^53. */
  u64(value: number): this {
    return this.u32(value >>> 0, Math.floor(value / 2 ** 32));
  }
  bytes(values: Uint8Array): this {
    return this.u8(...values);
  }
  /** The number of a string; 0 for none. */
  text(value: string | undefined): this {
    if (value === undefined || value === "") return this.u8(0);
    const at = this.#strings.indexOf(value);
    return this.u8(at >= 0 ? at + 1 : this.#strings.push(value));
  }

  /** The structure with its strings. */
  get encoded(): Uint8Array {
    const bytes = [...this.#bytes];
    bytes[1] = bytes.length;
    for (const text of this.#strings) bytes.push(...Array.from(text, (c) => c.charCodeAt(0) & 0xff), 0);
    if (this.#strings.length === 0) bytes.push(0);
    bytes.push(0);
    return Uint8Array.from(bytes);
  }
}
