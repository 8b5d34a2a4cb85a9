// Source: "xxHash fast digest algorithm", version 0.1.1, section "XXH64 Algorithm Description"; seed 0.

/** The primes, high and low words. */
const P1 = [0x9e3779b1, 0x85ebca87] as const;
const P2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const P3 = [0x165667b1, 0x9e3779f9] as const;
const P4 = [0x85ebca77, 0xc2b2ae63] as const;
const P5 = [0x27d4eb2f, 0x165667c5] as const;

type Prime = readonly [number, number];

/** A number of 64 bits that is changed in place. */
class Word {
  hi = 0;
  lo = 0;

  /** Modulo 2^64. The product of the low words comes in pieces of 48 bits, which a double holds. */
  times([hi, lo]: Prime): this {
    const low = (this.lo & 0xffff) * lo;
    const high = (this.lo >>> 16) * lo;
    const sum = low + (high % 0x10000) * 0x10000;
    const carry = Math.floor(sum / 2 ** 32) + Math.floor(high / 0x10000);
    this.hi = (carry + Math.imul(this.hi, lo) + Math.imul(this.lo, hi)) >>> 0;
    this.lo = sum >>> 0;
    return this;
  }
  plus(hi: number, lo: number): this {
    const sum = this.lo + lo;
    this.lo = sum >>> 0;
    this.hi = (this.hi + hi + (sum > 0xffffffff ? 1 : 0)) >>> 0;
    return this;
  }
  xor(hi: number, lo: number): this {
    this.hi = (this.hi ^ hi) >>> 0;
    this.lo = (this.lo ^ lo) >>> 0;
    return this;
  }
  /** By 1 to 31 bits to the left. */
  rotate(by: number): this {
    const { hi, lo } = this;
    this.hi = ((hi << by) | (lo >>> (32 - by))) >>> 0;
    this.lo = ((lo << by) | (hi >>> (32 - by))) >>> 0;
    return this;
  }
  /** Xor with itself moved to the right by `by` bits, 1 to 63. */
  fold(by: number): this {
    const { hi, lo } = this;
    return by < 32 ? this.xor(hi >>> by, (lo >>> by) | (hi << (32 - by))) : this.xor(0, hi >>> (by - 32));
  }
}

/** The low 32 bits of XXH64, which is what a zstd frame keeps. */
export function xxh64Low(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { length } = bytes;
  const sum = new Word();
  let at = 0;
  if (length >= 32) at = stripes(view, sum);
  else sum.plus(...P5);
  sum.plus(Math.floor(length / 2 ** 32), length >>> 0);
  const lane = new Word();
  for (; at + 8 <= length; at += 8) {
    round(clear(lane), view, at);
    sum
      .xor(lane.hi, lane.lo)
      .rotate(27)
      .times(P1)
      .plus(...P4);
  }
  if (at + 4 <= length) {
    clear(lane).plus(0, view.getUint32(at, true)).times(P1);
    sum
      .xor(lane.hi, lane.lo)
      .rotate(23)
      .times(P2)
      .plus(...P3);
    at += 4;
  }
  for (; at < length; at++) {
    clear(lane).plus(0, bytes[at]!).times(P5);
    sum.xor(lane.hi, lane.lo).rotate(11).times(P1);
  }
  return sum.fold(33).times(P2).fold(29).times(P3).fold(32).lo;
}

/** Stripes of 32 bytes, four lanes side by side. @returns offset behind the last */
function stripes(view: DataView, sum: Word): number {
  const lanes = [new Word().plus(...P1).plus(...P2), new Word().plus(...P2), new Word(), new Word()] as const;
  // 0 minus the first prime.
  lanes[3].plus(~P1[0] >>> 0, -P1[1] >>> 0);
  const [a, b, c, d] = lanes;
  let at = 0;
  for (; at + 32 <= view.byteLength; at += 32) {
    round(a, view, at);
    round(b, view, at + 8);
    round(c, view, at + 16);
    round(d, view, at + 24);
  }
  const turns = [1, 7, 12, 18];
  const turned = new Word();
  lanes.forEach(({ hi, lo }, i) => {
    clear(turned).plus(hi, lo).rotate(turns[i]!);
    sum.plus(turned.hi, turned.lo);
  });
  for (const { hi, lo } of lanes) {
    clear(turned).plus(hi, lo).times(P2).rotate(31).times(P1);
    sum
      .xor(turned.hi, turned.lo)
      .times(P1)
      .plus(...P4);
  }
  return at;
}

const input = new Word();

/** Takes eight bytes into a lane. */
function round(lane: Word, view: DataView, at: number): void {
  input.lo = view.getUint32(at, true);
  input.hi = view.getUint32(at + 4, true);
  input.times(P2);
  lane.plus(input.hi, input.lo).rotate(31).times(P1);
}

function clear(word: Word): Word {
  word.hi = 0;
  word.lo = 0;
  return word;
}
