/** Random states for vector instructions: numbers of all kinds, many of them special. */

/** A generator of numbers: a linear feedback shift register of 32 bits. */
export class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = (seed * 0x9e3779b1) | 1;
  }
  /** 32 bits. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return Math.imul(x, 0x2c9277b5) >>> 0;
  }
  below(n: number): number {
    return (this.next() >>> 4) % n;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const SINGLES = [
  0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f812345, 0xff800001, 1, 0x80000001, 0x007fffff,
  0x00800000, 0x807fffff, 0x00ffffff, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000000, 0x4effffff, 0x3f000000, 0x3fc00000, 0x40200000, 0x5f000000,
  0x33800000, 0x0d000000, 0x20000000, 0x71000000, 0x477ff000, 0x38800000, 0x387fc000,
]; // prettier-ignore
const DOUBLES = [
  0n, 1n << 63n, 0x3ff0000000000000n, 0xbff0000000000000n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0xfff8000000012345n,
  0x7ff0000000000001n, 0xfff4000000000000n, 1n, 0x8000000000000001n, 0x000fffffffffffffn, 0x0010000000000000n, 0x800fffffffffffffn,
  0x001fffffffffffffn, 0x7fefffffffffffffn, 0xffefffffffffffffn, 0x41e0000000000000n, 0xc1e0000000000000n, 0x41dfffffffc00000n,
  0x43e0000000000000n, 0xc3e0000000000000n, 0x3fe0000000000000n, 0x3ff8000000000000n, 0x36a0000000000000n, 0x3810000000000000n, 0x380fffffffffffffn,
  0x47efffffe0000000n, 0x47effffff0000000n, 0x1ff0000000000000n, 0x2000000000000000n,
]; // prettier-ignore

/** Fills bytes with lanes of one kind. */
export function fill(random: Random, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const kind = random.below(7);
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    if (kind < 3) {
      view.setBigUint64(at, double(random, kind === 0), true);
    } else if (kind < 6) {
      view.setUint32(at, single(random, kind === 3), true);
      view.setUint32(at + 4, single(random, kind === 3), true);
    } else {
      const small = random.below(3) === 0;
      for (let n = 0; n < 8; n++)
        bytes[at + n] = small
          ? random.below(20)
          : random.pick([0, 0xff, 0x7f, 0x80, random.next() & 0xff, random.next() & 0xff]);
    }
  }
}

function single(random: Random, tame: boolean): number {
  if (!tame && random.below(3) === 0)
    return (random.pick(SINGLES) + (random.below(4) === 0 ? random.below(3) : 0)) >>> 0;
  if (!tame && random.below(4) === 0) return random.next();
  const exponent = tame ? 0x70 + random.below(0x20) : random.below(0x100);
  const fraction = random.below(3) === 0 ? (random.next() & 0x700000) >>> 0 : random.next() & 0x7fffff;
  return ((random.below(2) << 31) | (exponent << 23) | fraction) >>> 0;
}
function double(random: Random, tame: boolean): bigint {
  if (!tame && random.below(3) === 0) return random.pick(DOUBLES);
  const bits = (BigInt(random.next()) << 32n) | BigInt(random.next());
  if (!tame && random.below(4) === 0) return bits;
  const exponent = BigInt(tame ? 0x3e0 + random.below(0x40) : random.below(0x800));
  const fraction = random.below(3) === 0 ? bits & 0xe000000000000n : bits & 0xfffffffffffffn;
  return (BigInt(random.below(2)) << 63n) | (exponent << 52n) | fraction;
}

/** MXCSR: as compilers leave it, or with any direction, DAZ, FTZ and flags; sometimes with exceptions that are not masked. */
export function mxcsr(random: Random): number {
  switch (random.below(5)) {
    case 0:
      return 0x1fa0;
    case 1:
      return 0x1f80;
    case 2:
      return (random.next() & 0xe07f) | 0x1f80;
    case 3:
      return (random.next() & 0xe000) | 0x1f80;
    default:
      return (random.next() & 0xffc0) | (random.below(2) === 0 ? 0x1c00 : 0);
  }
}
