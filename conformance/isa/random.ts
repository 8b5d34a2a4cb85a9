/** Reproducible random operands, biased to the values where instructions go wrong. */

/** xoshiro128** by Blackman and Vigna, seeded by splitmix32. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  constructor(seed: number) {
    let x = seed >>> 0;
    const next = (): number => {
      x = (x + 0x9e3779b9) >>> 0;
      const y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
      const z = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }
  /** 32 random bits. */
  u32(): number {
    const m = Math.imul(this.#b, 5);
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }
  /** An integer from 0 to n - 1. */
  below(n: number): number {
    return Math.floor((this.u32() / 0x1_0000_0000) * n);
  }
  chance(one: number): boolean {
    return this.below(one) === 0;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** A 64-bit value as [low, high]. */
export type Pair = readonly [number, number];

const CORNERS: readonly Pair[] = [
  [0, 0],
  [1, 0],
  [-1, -1],
  [-2, -1],
  [0, -0x80000000],
  [-1, 0x7fffffff],
  [1, -0x80000000],
  [-0x80000000, -1],
  [0x7fffffff, 0],
  [-0x80000000, 0],
  [-1, 0],
  [0, 1],
  [0x7fffffff, -1],
  [31, 0],
  [32, 0],
  [63, 0],
  [64, 0],
  [0x55555555, 0x55555555],
  [-0x55555556, -0x55555556],
  [0x80, 0],
  [0x8000, 0],
  [-0x80, -1],
];

/** An integer register value. */
export function integer(r: Random): Pair {
  switch (r.below(8)) {
    case 0:
    case 1:
      return r.pick(CORNERS);
    case 2: {
      // near a power of two
      const bit = r.below(64);
      const power = BigInt.asIntN(64, (1n << BigInt(bit)) + BigInt(r.below(5) - 2));
      return split(r.chance(2) ? power : -power);
    }
    case 3:
      return [r.u32() >> r.below(32), -r.below(2)];
    case 4: {
      const low = r.u32() | 0;
      return [low, low >> 31];
    }
    default:
      return [r.u32() | 0, r.u32() | 0];
  }
}

function split(value: bigint): Pair {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

const F32 = [
  0x00000000, 0x3f800000, 0x40000000, 0x3f000000, 0x7f800000, 0x7fc00000, 0x7f800001, 0x7fffffff, 0x7fa00000,
  0x00000001, 0x007fffff, 0x00800000, 0x00800001, 0x7f7fffff, 0x3f800001, 0x3f7fffff, 0x4effffff, 0x4f000000,
  0x4f7fffff, 0x4f800000, 0x5effffff, 0x5f000000, 0x5f7fffff, 0x5f800000, 0x4b000000, 0x4b7fffff, 0x3f000001,
  0x3effffff, 0x40200000, 0x3fc00000, 0x33800000, 0x34000000, 0x1f800000, 0x20000000,
]; // prettier-ignore
const F64_HIGH = [
  0x00000000, 0x3ff00000, 0x40000000, 0x3fe00000, 0x7ff00000, 0x7ff80000, 0x7ff40000, 0x00100000, 0x000fffff,
  0x7fefffff, 0x41dfffff, 0x41e00000, 0x41efffff, 0x41f00000, 0x43dfffff, 0x43e00000, 0x43efffff, 0x43f00000,
  0x43300000, 0x433fffff, 0x3ff80000, 0x40040000, 0x3ca00000, 0x3cb00000, 0x380fffff, 0x36900000, 0x36a00000,
  0x47efffff, 0x47f00000, 0x38100000, 0x20000000, 0x1ff00000,
]; // prettier-ignore

function single(r: Random): number {
  const sign = r.chance(2) ? 0x80000000 : 0;
  switch (r.below(5)) {
    case 0:
    case 1:
      return (r.pick(F32) | sign) >>> 0;
    case 2: // an integer-like or moderate exponent
      return (((0x70 + r.below(0x40)) << 23) | (r.u32() & 0x7fffff & -(1 << r.below(23))) | sign) >>> 0;
    case 3: // very small
      return ((r.below(3) << 23) | (r.u32() & 0x7fffff) | sign) >>> 0;
    default:
      return r.u32();
  }
}

/** A floating-point register value: single boxed, single badly boxed, double. */
export function float(r: Random): Pair {
  switch (r.below(8)) {
    case 0:
    case 1:
    case 2:
      return [single(r) | 0, -1];
    case 3:
      return [single(r) | 0, r.pick([0, -2, 0x7fffffff, r.u32() | 0])];
    case 4:
    case 5: {
      const sign = r.chance(2) ? -0x80000000 : 0;
      return [r.pick([0, 1, -1, -0x80000000, 0x20000000, -0x20000000, r.u32() | 0]), r.pick(F64_HIGH) | sign];
    }
    case 6: {
      const exponent = r.pick([0, 1, 2, 0x3ff - 30, 0x3ff + 31, 0x3ff + 52, 0x3ff, 0x400]) + r.below(33);
      const mask = -(1 << r.below(32));
      return [
        r.u32() & (r.chance(2) ? mask : 0),
        (exponent << 20) | (r.u32() & 0xfffff) | (r.chance(2) ? -0x80000000 : 0),
      ];
    }
    default:
      return [r.u32() | 0, r.u32() | 0];
  }
}
