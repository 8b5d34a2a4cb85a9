import { BlockError } from "./errors.ts";

/** Reads the fields of an untrusted structure; each mistake names file, field, value and bound in one line. */
export class Fields {
  /** The structure. */
  readonly bytes: Uint8Array;
  /** Of the image, for messages. */
  readonly filename: string;
  /** Byte order of all fields. */
  readonly littleEndian: boolean;
  /** Offset of the structure in the file, for messages. */
  readonly base: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, opts: { filename: string; littleEndian: boolean; base?: number }) {
    this.bytes = bytes;
    this.filename = opts.filename;
    this.littleEndian = opts.littleEndian;
    this.base = opts.base ?? 0;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** 8 bits at the offset `at` of the structure. `field`: its name in messages. @throws BlockError "corrupt" outside the structure */
  u8(at: number, field: string): number {
    this.#inside(at, 1, field);
    return this.#view.getUint8(at);
  }
  /** 16 bits, as `u8`. */
  u16(at: number, field: string): number {
    this.#inside(at, 2, field);
    return this.#view.getUint16(at, this.littleEndian);
  }
  /** 32 bits, unsigned, as `u8`. */
  u32(at: number, field: string): number {
    this.#inside(at, 4, field);
    return this.#view.getUint32(at, this.littleEndian);
  }
  /** 64 bits as a number. @throws BlockError "corrupt" above 2^53 - 1: a rounded offset would be another offset. */
  u64(at: number, field: string): number {
    const [high, low] = this.halves(at, field);
    if (high >= 1 << 21) throw this.wrong(field, `0x${hex(high)}${hex(low)}`, "must be at most 2^53 - 1", at);
    return high * 2 ** 32 + low;
  }
  /** 64 bits as two unsigned halves: high, low. */
  halves(at: number, field: string): readonly [number, number] {
    this.#inside(at, 8, field);
    const first = this.#view.getUint32(at, this.littleEndian);
    const second = this.#view.getUint32(at + 4, this.littleEndian);
    return this.littleEndian ? [second, first] : [first, second];
  }
  /** Bytes of a field, not copied. */
  slice(at: number, length: number, field: string): Uint8Array {
    this.#inside(at, length, field);
    return this.bytes.subarray(at, at + length);
  }
  /** Latin-1 text up to the first NUL. */
  text(at: number, length: number, field: string): string {
    const bytes = this.slice(at, length, field);
    const end = bytes.indexOf(0);
    let out = "";
    for (const b of end < 0 ? bytes : bytes.subarray(0, end)) out += String.fromCharCode(b);
    return out;
  }

  /** Passes `value` on when it lies in `min` to `max`. @throws BlockError "corrupt" */
  bound(field: string, value: number, min: number, max: number, at?: number): number {
    if (value >= min && value <= max) return value;
    throw this.wrong(field, String(value), `must be ${min} to ${max}`, at);
  }
  /** Passes `value` on when it is a multiple of `unit`. @throws BlockError "corrupt" */
  aligned(field: string, value: number, unit: number, at?: number): number {
    if (value % unit === 0) return value;
    throw this.wrong(field, `0x${value.toString(16)}`, `must be a multiple of ${unit}`, at);
  }
  /** The error for a field: `'disk.img': l1_size 4194305 must be 0 to 4194304`. */
  wrong(field: string, value: string, rule: string, at?: number): BlockError {
    return new BlockError("corrupt", `'${this.filename}': ${field} ${value} ${rule}`, {
      at: this.base + (at ?? 0),
    });
  }

  #inside(at: number, length: number, field: string): void {
    if (at >= 0 && length >= 0 && at + length <= this.bytes.length) return;
    throw new BlockError(
      "corrupt",
      `'${this.filename}': ${field} ends beyond its structure of ${this.bytes.length} bytes`,
      {
        at: this.base + at,
      },
    );
  }
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
