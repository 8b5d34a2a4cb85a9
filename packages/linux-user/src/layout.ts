/**
 * Structures that programs and the kernel share, described once as lists of fields, and laid out for the width and byte
 * order of a program's ABI.
 */
import type { Abi } from "./abi.ts";

/** A number in a structure. `long`, `ulong` and `ptr` have the ABI's width; `b64` is 64 bits as a bigint. */
export type Scalar =
  | "u8" | "s8" | "u16" | "s16" | "u32" | "s32" | "u64" | "s64" | "b64" | "long" | "ulong" | "ptr"; // prettier-ignore

/** `count` elements in a row. */
export interface ArrayField<F extends Scalar | Layout = Scalar | Layout> {
  readonly of: F;
  readonly count: number;
}
/** Bytes that are written as zero and not read. */
export interface PadField {
  readonly pad: number;
}
/** What a structure may hold. */
export type Field = Scalar | Layout | ArrayField | PadField;
/** The fields of a structure by name, in their order. */
export type Fields = Readonly<Record<string, Field>>;

/** What a field's value is in TypeScript. */
export type ValueOf<F> = F extends "b64"
  ? bigint
  : F extends Scalar
    ? number
    : F extends Layout<infer G>
      ? Values<G>
      : F extends ArrayField<infer H>
        ? readonly ValueOf<H>[]
        : never;
/** A structure as an object: fields by name, without what only fills. */
export type Values<F extends Fields> = { readonly [K in keyof F as F[K] extends PadField ? never : K]: ValueOf<F[K]> };

/** `count` elements of a kind. */
export const array = <F extends Scalar | Layout>(of: F, count: number): ArrayField<F> => ({ of, count });
/** Unnamed bytes, without alignment of their own. */
export const pad = (bytes: number): PadField => ({ pad: bytes });

interface Slot {
  readonly name: string;
  readonly at: number;
  readonly field: Field;
  /** Size of a scalar, in bytes. */
  readonly size: number;
}

/** A structure for one ABI: offsets in bytes. */
export class Bound<F extends Fields = Fields> {
  readonly size: number;
  readonly align: number;
  readonly offsets: { readonly [K in keyof F]: number };
  readonly #slots: readonly Slot[];
  readonly #abi: Abi;

  constructor(fields: F, abi: Abi, packed: boolean) {
    this.#abi = abi;
    let at = 0;
    let align = 1;
    const slots: Slot[] = [];
    const offsets: Record<string, number> = {};
    for (const [name, field] of Object.entries(fields)) {
      const own = packed ? 1 : alignOf(field, abi);
      at = Math.ceil(at / own) * own;
      align = Math.max(align, own);
      offsets[name] = at;
      if (typeof field === "string" || !("pad" in field))
        slots.push({ name, at, field, size: typeof field === "string" ? scalarSize(field, abi) : 0 });
      at += sizeOf(field, abi);
    }
    this.size = Math.ceil(at / align) * align;
    this.align = align;
    this.offsets = offsets as { readonly [K in keyof F]: number };
    this.#slots = slots;
  }

  /** Reads a structure at an offset of a view. */
  read(view: DataView, at: number): Values<F> {
    const out: Record<string, unknown> = {};
    for (const { name, at: offset, field } of this.#slots) out[name] = readField(view, at + offset, field, this.#abi);
    return out as Values<F>;
  }

  /** Writes a structure; fields without a value, and holes, become zero. */
  write(view: DataView, at: number, values: Partial<Values<F>>): void {
    new Uint8Array(view.buffer, view.byteOffset + at, this.size).fill(0);
    this.patch(view, at, values);
  }

  /** Writes those fields that have a value. */
  patch(view: DataView, at: number, values: Partial<Values<F>>): void {
    const given = values as Readonly<Record<string, unknown>>;
    for (const { name, at: offset, field } of this.#slots) {
      const value = given[name];
      if (value !== undefined) writeField(view, at + offset, field, value, this.#abi);
    }
  }
}

/** A structure in all its layouts. */
export class Layout<F extends Fields = Fields> {
  readonly fields: F;
  readonly packed: boolean;
  /** A program brings an ABI of its own, and takes it along. */
  readonly #bound: WeakMap<Abi, Bound<F>> = new WeakMap();

  constructor(fields: F, packed: boolean) {
    this.fields = fields;
    this.packed = packed;
  }

  /** Its layout for an ABI. */
  on(abi: Abi): Bound<F> {
    let bound = this.#bound.get(abi);
    if (bound === undefined) this.#bound.set(abi, (bound = new Bound(this.fields, abi, this.packed)));
    return bound;
  }
}

/** Describes a structure with the alignment that C gives it, or none (`packed`). */
export function layout<const F extends Fields>(fields: F, options: { packed?: boolean } = {}): Layout<F> {
  return new Layout(fields, options.packed ?? false);
}

function scalarSize(kind: Scalar, abi: Abi): number {
  switch (kind) {
    case "u8":
    case "s8":
      return 1;
    case "u16":
    case "s16":
      return 2;
    case "u32":
    case "s32":
      return 4;
    case "u64":
    case "s64":
    case "b64":
      return 8;
    default:
      return abi.wordBits / 8;
  }
}

function sizeOf(field: Field, abi: Abi): number {
  if (typeof field === "string") return scalarSize(field, abi);
  if (field instanceof Layout) return field.on(abi).size;
  return "pad" in field ? field.pad : field.count * sizeOf(field.of, abi);
}

function alignOf(field: Field, abi: Abi): number {
  if (typeof field === "string") {
    const size = scalarSize(field, abi);
    return size === 8 ? abi.align64 : size;
  }
  if (field instanceof Layout) return field.on(abi).align;
  return "pad" in field ? 1 : alignOf(field.of, abi);
}

function readField(view: DataView, at: number, field: Field, abi: Abi): unknown {
  if (typeof field === "string") return readScalar(view, at, field, abi);
  if (field instanceof Layout) return field.on(abi).read(view, at);
  if ("pad" in field) return undefined;
  const size = sizeOf(field.of, abi);
  return Array.from({ length: field.count }, (_, i) => readField(view, at + i * size, field.of, abi));
}

function writeField(view: DataView, at: number, field: Field, value: unknown, abi: Abi): void {
  if (typeof field === "string") return writeScalar(view, at, field, value as number | bigint, abi);
  if (field instanceof Layout) return field.on(abi).write(view, at, value as Values<Fields>);
  if ("pad" in field) return;
  const size = sizeOf(field.of, abi);
  (value as readonly unknown[]).forEach((item, i) => writeField(view, at + i * size, field.of, item, abi));
}

/** Reads a number of a kind; 64-bit ones beyond 2^53 are rounded, except `b64`. */
function readScalar(view: DataView, at: number, kind: Scalar, abi: Abi): number | bigint {
  const little = !abi.bigEndian;
  switch (kind) {
    case "u8":
      return view.getUint8(at);
    case "s8":
      return view.getInt8(at);
    case "u16":
      return view.getUint16(at, little);
    case "s16":
      return view.getInt16(at, little);
    case "u32":
      return view.getUint32(at, little);
    case "s32":
      return view.getInt32(at, little);
    case "b64":
      return view.getBigUint64(at, little);
    case "u64":
    case "s64":
      return read64(view, at, little, kind === "s64");
    default:
      if (abi.wordBits === 64) return read64(view, at, little, kind === "long");
      return kind === "long" ? view.getInt32(at, little) : view.getUint32(at, little);
  }
}

/** Writes a number of a kind, modulo its width. */
export function writeScalar(view: DataView, at: number, kind: Scalar, value: number | bigint, abi: Abi): void {
  const little = !abi.bigEndian;
  if (typeof value === "bigint") {
    if (scalarSize(kind, abi) === 8) return view.setBigUint64(at, BigInt.asUintN(64, value), little);
    value = Number(BigInt.asIntN(32, value));
  }
  switch (scalarSize(kind, abi)) {
    case 1:
      return view.setUint8(at, value);
    case 2:
      return view.setUint16(at, value, little);
    case 4:
      return view.setUint32(at, value, little);
    default:
      view.setUint32(little ? at : at + 4, value, little);
      view.setUint32(little ? at + 4 : at, Math.floor(value / 2 ** 32), little);
  }
}

function read64(view: DataView, at: number, little: boolean, signed: boolean): number {
  const low = view.getUint32(little ? at : at + 4, little);
  const high = little ? at + 4 : at;
  return (signed ? view.getInt32(high, little) : view.getUint32(high, little)) * 2 ** 32 + low;
}
