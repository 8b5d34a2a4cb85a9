import { DecodeTreeError } from "./errors.ts";

/** A run of instruction bits: lowest bit number, then length in bits. */
export type Slice = readonly [low: number, length: number];

/** What a field is made of; every modifier of {@link Field} copies it. */
interface Shape {
  readonly slices: readonly Slice[];
  readonly shift: number;
  readonly signed: boolean;
  readonly bias: number;
  readonly excluded: readonly number[];
  readonly kind: string;
}

/** A named operand of an instruction: which bits hold it, and how they make a number (signed 32-bit range). */
export class Field {
  readonly slices: readonly Slice[];
  /** Zero bits appended below the slices. */
  readonly shift: number;
  readonly signed: boolean;
  /** Added after extraction; `x8` is encoded as 0 in three-bit register fields. */
  readonly bias: number;
  /** Values with which the pattern does not match. */
  readonly excluded: readonly number[];
  /** Operand kind for text; the target gives the printers and parsers. */
  readonly kind: string;
  /** Instruction bits the field occupies. */
  readonly mask: number;
  /** Number of encoded bits. */
  readonly width: number;
  /** Smallest and largest value the bits can express, excluded ones not considered. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** Lowest bits and lengths of the slices. */
  readonly #lows: readonly number[];
  readonly #lengths: readonly number[];
  /** What the bits count. */
  readonly #scale: number;

  /** @internal */
  constructor(shape: Shape) {
    this.slices = shape.slices;
    this.#lows = shape.slices.map(([low]) => low);
    this.#lengths = shape.slices.map(([, length]) => length);
    this.shift = shape.shift;
    this.signed = shape.signed;
    this.bias = shape.bias;
    this.excluded = shape.excluded;
    this.kind = shape.kind;
    let mask = 0;
    let width = 0;
    for (const [low, length] of shape.slices) {
      if (low < 0 || length < 1 || low + length > 32 || !Number.isInteger(low) || !Number.isInteger(length))
        throw new DecodeTreeError("field-range", `Slice [${low}, ${length}] is not within 32 bits`);
      const bits = sliceMask(low, length);
      if (mask & bits)
        throw new DecodeTreeError("field-overlap", `Slice [${low}, ${length}] repeats bits of its field`);
      mask |= bits;
      width += length;
    }
    if (width < 1) throw new DecodeTreeError("field-range", "A field has at least one slice");
    if (width + shape.shift > 32)
      throw new DecodeTreeError("field-range", `A field of ${width + shape.shift} bits exceeds 32`);
    this.mask = mask >>> 0;
    this.width = width;
    const scale = 2 ** shape.shift;
    this.#scale = scale;
    this.min = (shape.signed ? -(2 ** (width - 1)) : 0) * scale + shape.bias;
    this.max = (2 ** (shape.signed ? width - 1 : width) - 1) * scale + shape.bias;
  }

  /** The same bits, shown and parsed as operand kind `kind`. */
  as(kind: string): Field {
    return new Field({ ...this, kind });
  }
  /** The same bits, with `bias` added to the value. */
  plus(bias: number): Field {
    return new Field({ ...this, bias });
  }
  /** The same bits; the pattern does not match when the value is one of `values`. */
  not(...values: number[]): Field {
    return new Field({ ...this, excluded: values });
  }

  /** The value encoded in `word`. */
  extract(word: number): number {
    const lows = this.#lows;
    const lengths = this.#lengths;
    let raw = word >>> lows[0]!;
    for (let i = 1; i < lows.length; i++) raw = (raw << lengths[i]!) | ((word >>> lows[i]!) & ((1 << lengths[i]!) - 1));
    const unused = 32 - this.width;
    const value = this.signed ? (raw << unused) >> unused : (raw << unused) >>> unused;
    return value * this.#scale + this.bias;
  }

  /** Whether `value` has an encoding. */
  accepts(value: number): boolean {
    if (!Number.isInteger(value) || value < this.min || value > this.max || this.excluded.includes(value)) return false;
    return (value - this.bias) % 2 ** this.shift === 0;
  }

  /** The instruction bits for an accepted `value`. */
  insert(value: number): number {
    let rest = Math.floor((value - this.bias) / 2 ** this.shift) >>> 0;
    let word = 0;
    for (let i = this.slices.length - 1; i >= 0; i--) {
      const [low, length] = this.slices[i] as Slice;
      word |= (length === 32 ? rest : rest & ((1 << length) - 1)) << low;
      rest = length === 32 ? 0 : rest >>> length;
    }
    return word >>> 0;
  }
}

/** The bits of one slice as an unsigned mask. */
function sliceMask(low: number, length: number): number {
  return ((length === 32 ? 0xffffffff : (1 << length) - 1) << low) >>> 0;
}

const plain = { shift: 0, signed: false, bias: 0, excluded: [], kind: "uimm" };

/** An unsigned field of the given slices, high to low. */
export function bits(...slices: Slice[]): Field {
  return new Field({ ...plain, slices });
}
/** An unsigned field with `shift` zero bits below its slices (high to low). */
export function ubits(shift: number, ...slices: Slice[]): Field {
  return new Field({ ...plain, slices, shift });
}
/** A sign-extended field with `shift` zero bits below its slices (high to low). */
export function sbits(shift: number, ...slices: Slice[]): Field {
  return new Field({ ...plain, slices, shift, signed: true, kind: "imm" });
}
