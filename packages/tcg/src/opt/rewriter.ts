import { NO_LIST, type Op } from "../ir/block.ts";
import { ops, type OpSpec } from "../ir/ops.ts";
import { NONE, type Cond, type IrType, type Value } from "../ir/type.ts";
import { noteBits } from "./known-bits.ts";
import { simplify } from "./simplify.ts";

/** A run of operations of the new block whose values may be used here: those from `start` up to `end`. */
export interface Run {
  readonly start: number;
  readonly end: number;
  readonly parent: Run | undefined;
}

const SLOTS = 1024;

/**
 * The block that the forward pass is writing. Rules ask it about values and make operations through it; what they
 * make is simplified and shared in turn. One instance serves all blocks, so that nothing is allocated but operations.
 */
export class Rewriter {
  /** The new operations: the first `length` of this array, which is used again for each block. */
  readonly out: Op[] = [];
  length = 0;
  /** Where the current run starts, and the runs before it on every path here. */
  start = 0;
  parent: Run | undefined;
  /** Bits of each value that are certainly zero, in halves (the upper half of an i32 is all ones here). */
  zeroLo: Int32Array = new Int32Array(4096);
  zeroHi: Int32Array = new Int32Array(4096);
  /** Each value is the sign extension of this many of its low bits. */
  signed: Uint8Array = new Uint8Array(4096);
  // Hash table of pure operations: an entry is valid when its stamp is the block's.
  readonly #slot = new Int32Array(SLOTS);
  readonly #stamp = new Int32Array(SLOTS);
  #epoch = 0;

  begin(): void {
    this.length = 0;
    this.start = 0;
    this.parent = undefined;
    this.#epoch++;
  }

  /** Whether the value is defined on every path to here. */
  available(v: Value): boolean {
    if (v >= this.start) return true;
    for (let run = this.parent; run !== undefined; run = run.parent) if (v >= run.start) return v < run.end;
    return false;
  }

  /** Appends an operation as it is. */
  push(op: Op): Value {
    const v = this.length++ as Value;
    this.out[v] = op;
    if (v >= this.signed.length) this.#grow();
    noteBits(this, op, v);
    return v;
  }

  /** The value of a pure operation, whose operands are values of the new block: simplified, shared, or appended. */
  pure(op: Op): Value {
    const v = simplify(this, op);
    return v >= 0 ? v : this.share(op);
  }

  /** A pure operation, from its parts. */
  make(spec: OpSpec, type: IrType, a: Value, b: Value = NONE, imm: number = 0, imm2: number = 0): Value {
    return this.pure(operation(spec, type, a, b, NONE, NONE, imm, imm2, "eq"));
  }

  /** A comparison: setcond, negsetcond, movcond. */
  compare(spec: OpSpec, type: IrType, cond: Cond, a: Value, b: Value, c: Value = NONE, d: Value = NONE): Value {
    return this.pure(operation(spec, type, a, b, c, d, 0, 0, cond));
  }

  /** The constant with these halves; the upper one is ignored for the 32-bit types. */
  constant(type: IrType, lo: number, hi: number): Value {
    const upper = type === "i32" || type === "f32" ? lo >> 31 : hi;
    return this.share(operation(ops.const, type, NONE, NONE, NONE, NONE, lo, upper, "eq"));
  }

  /** The constant `n` (int32), sign-extended. */
  small(type: IrType, n: number): Value {
    return this.constant(type, n, n >> 31);
  }

  isConst(v: Value): boolean {
    return this.out[v]!.spec === ops.const;
  }

  /** Whether `v` is the constant `n` (int32), sign-extended. */
  is(v: Value, n: number): boolean {
    const op = this.out[v]!;
    return op.spec === ops.const && op.imm === n && op.imm2 === n >> 31;
  }

  /** Whether no bit of `v` outside of the mask can be one. */
  within(v: Value, lo: number, hi: number): boolean {
    return (~this.zeroLo[v]! & ~lo) === 0 && (~this.zeroHi[v]! & ~hi) === 0;
  }

  /** An equal operation made before where it may be used, or this one, appended. */
  share(op: Op): Value {
    let h = op.spec.code + (op.type === "i64" ? 512 : 0);
    h = Math.imul(h ^ op.a, 0x2c1b3c6d) ^ Math.imul(op.b ^ (op.imm2 << 8), 0x297a2d39) ^ Math.imul(op.imm, 0x3c6ef372);
    h ^= Math.imul(op.c, 0x85ebca6b) ^ op.d;
    for (let n = 0; n < op.list.length; n++) h = Math.imul(h, 31) + op.list[n]!;
    h = (h ^ (h >>> 15)) & (SLOTS - 1);
    for (let probe = 0; probe < 4; probe++, h = (h + 1) & (SLOTS - 1)) {
      if (this.#stamp[h] !== this.#epoch) break;
      const v = this.#slot[h]! as Value;
      if (sameOperation(this.out[v]!, op)) {
        if (this.available(v)) return v;
        break;
      }
    }
    const v = this.push(op);
    this.#stamp[h] = this.#epoch;
    this.#slot[h] = v;
    return v;
  }

  #grow(): void {
    const double = <T extends Int32Array | Uint8Array>(old: T, fresh: T): T => (fresh.set(old), fresh);
    this.zeroLo = double(this.zeroLo, new Int32Array(this.zeroLo.length * 2));
    this.zeroHi = double(this.zeroHi, new Int32Array(this.zeroHi.length * 2));
    this.signed = double(this.signed, new Uint8Array(this.signed.length * 2));
  }
}

function sameOperation(x: Op, y: Op): boolean {
  return (
    x.spec === y.spec && x.a === y.a && x.b === y.b && x.imm === y.imm && x.imm2 === y.imm2 &&
    x.type === y.type && x.cond === y.cond && x.c === y.c && x.d === y.d && sameList(x.list, y.list)
  ); // prettier-ignore
}

function sameList(x: readonly number[], y: readonly number[]): boolean {
  if (x === y) return true;
  for (let n = 0; n < x.length; n++) if (x[n] !== y[n]) return false;
  return x.length === y.length;
}

/** An operation object of the one shape. */
export function operation(
  spec: OpSpec, type: IrType, a: Value, b: Value, c: Value, d: Value, imm: number, imm2: number, cond: Cond,
): Op {
  return { spec, type, a, b, c, d, imm: imm | 0, imm2: imm2 | 0, cond, mem: "u8", helper: undefined, list: NO_LIST };
} // prettier-ignore
