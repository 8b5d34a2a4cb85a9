/** Carry-less multiplication for Zbc. Source: Bit-Manipulation 1.0.0, clmul, clmulh, clmulr. */
import { ENV, type Helper } from "@mimus/tcg";
import type { Hart } from "../hart.ts";
import type { Xlen } from "../state.ts";

/** The product of two 32-bit polynomials over GF(2): `low`, and the high half in {@link Product.high}. */
class Product {
  low = 0;
  high = 0;
  set(a: number, b: number): this {
    this.low = b & 1 ? a : 0;
    this.high = 0;
    for (let i = 1; i < 32; i++) {
      if ((b >>> i) & 1) {
        this.low ^= a << i;
        this.high ^= a >>> (32 - i);
      }
    }
    return this;
  }
}

/** All 128 bits of the product of two 64-bit polynomials, low word first. */
function wide(aLo: number, aHi: number, bLo: number, bHi: number): readonly [number, number, number, number] {
  const p = new Product();
  const { low: l0, high: l1 } = p.set(aLo, bLo);
  const { low: m0, high: m1 } = p.set(aLo, bHi);
  const { low: n0, high: n1 } = p.set(aHi, bLo);
  const { low: h0, high: h1 } = p.set(aHi, bHi);
  return [l0, l1 ^ m0 ^ n0, h0 ^ m1 ^ n1, h1];
}

/** The instructions. */
const NAMES = ["clmul", "clmulh", "clmulr"] as const;

/** The helpers: `name(a, b)` on registers. */
export function carrylessHelpers(xlen: Xlen): Helper[] {
  const word = xlen === 64 ? "i64" : "i32";
  return NAMES.map((name) => ({
    name,
    params: [word, word],
    result: word,
    pure: true,
    mayFault: false,
    reads: [],
    writes: [],
    impl: { kind: "js", fn: xlen === 64 ? multiply64(name) : multiply32(name) },
  }));
}

function multiply64(name: (typeof NAMES)[number]): (hart: Hart, ...operands: number[]) => void {
  return (hart, aLo = 0, aHi = 0, bLo = 0, bHi = 0) => {
    const [w0, w1, w2, w3] = wide(aLo, aHi, bLo, bHi);
    if (name === "clmul") hart.set(ENV.scratch, w0, w1);
    else if (name === "clmulh") hart.set(ENV.scratch, w2, w3);
    else hart.set(ENV.scratch, (w2 << 1) | (w1 >>> 31), (w3 << 1) | (w2 >>> 31));
  };
}

function multiply32(name: (typeof NAMES)[number]): (hart: Hart, ...operands: number[]) => number {
  const p = new Product();
  return (_hart, a = 0, b = 0) => {
    const { low, high } = p.set(a, b);
    return name === "clmul" ? low : name === "clmulh" ? high : (high << 1) | (low >>> 31);
  };
}
