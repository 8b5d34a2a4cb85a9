import { describe, expect, it } from "vitest";
import { decodeBase64 } from "./base64.ts";
import { FLAGS, POLICIES, POLICY, ROUNDING, softfloatExports, softfloatModule } from "./index.ts";
import type { SoftfloatExports } from "./exports.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const instance = new WebAssembly.Instance(new WebAssembly.Module(softfloatModule.bytes), { env: { memory } });
const ops = instance.exports as unknown as SoftfloatExports;
const words = new Int32Array(memory.buffer);
const STATUS = 64;

interface Answer {
  bits: bigint;
  flags: number;
}

function run(operation: (status: number) => bigint, mode: number, before = 0): Answer {
  words[STATUS / 4] = mode;
  words[STATUS / 4 + 1] = before;
  const bits = operation(STATUS);
  return { bits, flags: words[STATUS / 4 + 1] ?? 0 };
}

/** Cheaper than an `expect` for each of many cases. */
function same(got: Answer, wanted: Answer, more: number, operands: bigint[]): void {
  if (got.bits !== wanted.bits || got.flags !== (wanted.flags | more)) {
    expect({ operands, ...got }).toEqual({ operands, bits: wanted.bits, flags: wanted.flags | more });
  }
}

const scratch = new DataView(new ArrayBuffer(8));
function f64(bits: bigint): number {
  scratch.setBigUint64(0, BigInt.asUintN(64, bits));
  return scratch.getFloat64(0);
}
function f64Bits(x: number): bigint {
  scratch.setFloat64(0, x);
  return scratch.getBigUint64(0);
}
function f32(bits: bigint): number {
  scratch.setUint32(0, Number(BigInt.asUintN(32, bits)));
  return scratch.getFloat32(0);
}
function f32Bits(x: number): bigint {
  scratch.setFloat32(0, x);
  return BigInt(scratch.getUint32(0));
}

/** xorshift64: the same cases in every run. */
class Numbers {
  #state = 0x9e3779b97f4a7c15n;
  next(): bigint {
    let x = this.#state;
    x ^= BigInt.asUintN(64, x << 13n);
    x ^= x >> 7n;
    x ^= BigInt.asUintN(64, x << 17n);
    return (this.#state = x);
  }
  below(n: number): number {
    return Number(this.next() % BigInt(n));
  }
  /** An encoding where exponents at the ends and significands of few or nearly all bits are frequent. */
  encoding(exponentBits: number, fractionBits: number): bigint {
    const top = 2 ** exponentBits - 1;
    const middle = (top >> 1) - 4 + this.below(9);
    const exponent = [this.below(top + 1), middle, middle, this.below(3), top - this.below(3)][this.below(5)] ?? 0;
    const random = BigInt.asUintN(fractionBits, this.next());
    const few = BigInt.asUintN(fractionBits, (this.next() & 7n) << BigInt(this.below(fractionBits)));
    const fraction = [random, random, few, BigInt.asUintN(fractionBits, -few)][this.below(4)] ?? 0n;
    const sign = BigInt(this.below(2)) << BigInt(exponentBits + fractionBits);
    return sign | (BigInt(exponent) << BigInt(fractionBits)) | fraction;
  }
}

const formats = {
  f64: { exponentBits: 11, fractionBits: 52, value: f64, bits: f64Bits, round: (x: number) => x },
  f32: { exponentBits: 8, fractionBits: 23, value: f32, bits: f32Bits, round: Math.fround },
} as const;

describe.each(["f64", "f32"] as const)("%s in round to nearest even", (name) => {
  const { exponentBits, fractionBits, value, bits, round } = formats[name];
  const numbers = new Numbers();
  const number = (): bigint => numbers.encoding(exponentBits, fractionBits);
  const native: Record<string, (a: number, b: number) => number> = {
    add: (a, b) => a + b,
    sub: (a, b) => a - b,
    mul: (a, b) => a * b,
    div: (a, b) => a / b,
    sqrt: (a) => Math.sqrt(a),
  };

  it.each(Object.keys(native))("%s agrees with the host and with its own integer path", (operation) => {
    const compute = native[operation] as (a: number, b: number) => number;
    const fn = ops[`${name}_${operation}` as "f64_add"];
    for (let i = 0; i < 20_000; i++) {
      const a = number();
      const b = numbers.below(4) === 0 ? BigInt.asUintN(64, a + 1n) : number();
      const fast = run((s) => BigInt.asUintN(64, fn(s, a, b)), 0);
      const slow = run((s) => BigInt.asUintN(64, fn(s, a, b)), POLICY.integersOnly);
      const sticky = run((s) => BigInt.asUintN(64, fn(s, a, b)), 0, FLAGS.inexact);
      const host = round(compute(value(a), value(b)));
      if (!Number.isNaN(host)) same(fast, { bits: bits(host), flags: fast.flags }, 0, [a, b]);
      same(fast, slow, 0, [a, b]);
      same(sticky, slow, FLAGS.inexact, [a, b]);
    }
  });

  it("mulAdd agrees with its own integer path", () => {
    const fn = ops[`${name}_mulAdd`];
    for (let i = 0; i < 40_000; i++) {
      const a = number();
      const b = number();
      // Half of the addends nearly cancel the product.
      const product = bits(-round(value(a) * value(b)));
      const c = numbers.below(2) === 0 ? number() : BigInt.asUintN(64, product + BigInt(numbers.below(3) - 1));
      const fast = run((s) => fn(s, a, b, c), 0);
      const slow = run((s) => fn(s, a, b, c), POLICY.integersOnly);
      const sticky = run((s) => fn(s, a, b, c), 0, FLAGS.inexact);
      same(fast, slow, 0, [a, b, c]);
      same(sticky, slow, FLAGS.inexact, [a, b, c]);
    }
  });
});

describe("f64 results against exact integers", () => {
  it("mulAdd of small integers is their exact value", () => {
    const numbers = new Numbers();
    for (let i = 0; i < 5000; i++) {
      const [a, b, c] = [numbers.below(2 ** 26), numbers.below(2 ** 26), numbers.below(2 ** 50)] as const;
      const got = run((s) => BigInt.asUintN(64, ops.f64_mulAdd(s, f64Bits(a), f64Bits(-b), f64Bits(c))), 0);
      expect(got).toEqual({ bits: f64Bits(c - a * b), flags: 0 });
    }
  });

  it("integers convert there and back in every direction", () => {
    const numbers = new Numbers();
    for (let i = 0; i < 2000; i++) {
      const n = BigInt.asIntN(64, numbers.next()) >> BigInt(numbers.below(64));
      const rounded = run((s) => ops.i64_to_f64(s, n), ROUNDING.nearestEven);
      expect(f64(rounded.bits)).toBe(Number(n));
      expect(rounded.flags).toBe(BigInt(Number(n)) === n ? 0 : FLAGS.inexact);
      const down = f64(run((s) => ops.i64_to_f64(s, n), ROUNDING.down).bits);
      const up = f64(run((s) => ops.i64_to_f64(s, n), ROUNDING.up).bits);
      expect(BigInt(down) <= n && n <= BigInt(up)).toBe(true);
    }
  });
});

describe("what architectures decide", () => {
  const quiet = 0x7ff8000000000123n;
  const signaling = 0xfff0000000000456n;
  const mulAdd = (mode: number, a: bigint, b: bigint, c: bigint): Answer =>
    run((s) => BigInt.asUintN(64, ops.f64_mulAdd(s, a, b, c)), mode);
  const add = (mode: number, a: bigint, b: bigint): Answer =>
    run((s) => BigInt.asUintN(64, ops.f64_add(s, a, b)), mode);

  it("NaN operands", () => {
    expect(add(POLICIES.riscv, quiet, signaling)).toEqual({ bits: 0x7ff8000000000000n, flags: FLAGS.invalid });
    expect(add(POLICIES.x86, quiet, signaling)).toEqual({ bits: quiet, flags: FLAGS.invalid });
    expect(add(POLICIES.arm, quiet, signaling)).toEqual({ bits: 0xfff8000000000456n, flags: FLAGS.invalid });
    expect(add(POLICY.nanLargest, signaling, quiet)).toEqual({ bits: quiet, flags: FLAGS.invalid });
  });

  it("infinity times zero plus a quiet NaN", () => {
    const [infinity, zero] = [f64Bits(Infinity), 0n];
    expect(mulAdd(POLICIES.riscv, infinity, zero, quiet)).toEqual({ bits: 0x7ff8000000000000n, flags: FLAGS.invalid });
    expect(mulAdd(POLICIES.x86, infinity, zero, quiet)).toEqual({ bits: quiet, flags: 0 });
    expect(mulAdd(POLICIES.arm, infinity, zero, quiet)).toEqual({ bits: 0x7ff8000000000000n, flags: FLAGS.invalid });
  });

  it("tininess", () => {
    // The product lies just below the least normal number and rounds up to it.
    const [a, b] = [f64Bits((1 + 2 ** -52) * 2 ** -511), f64Bits((1 - 2 ** -52) * 2 ** -511)] as const;
    const mul = (mode: number): number => run((s) => ops.f64_mul(s, a, b), mode).flags;
    expect(mul(POLICIES.riscv)).toBe(FLAGS.inexact);
    expect(mul(POLICIES.arm)).toBe(FLAGS.inexact | FLAGS.underflow);
  });

  it("invalid conversions", () => {
    const toInt = (mode: number, x: number): bigint => run((s) => ops.f64_to_i32(s, f64Bits(x)), mode).bits;
    expect([NaN, 1e10, -1e10].map((x) => toInt(POLICIES.riscv, x))).toEqual([2147483647n, 2147483647n, -2147483648n]);
    expect([NaN, 1e10, -1e10].map((x) => toInt(POLICIES.x86, x))).toEqual([-2147483648n, -2147483648n, -2147483648n]);
    expect([NaN, 1e10, -1e10].map((x) => toInt(POLICIES.arm, x))).toEqual([0n, 2147483647n, -2147483648n]);
  });
});

describe("RISC-V details", () => {
  it("min and max order zeros and prefer numbers", () => {
    const [plus, minus] = [0n, f64Bits(-0)];
    expect(BigInt.asUintN(64, ops.f64_min(STATUS, plus, minus))).toBe(minus);
    expect(ops.f64_max(STATUS, minus, plus)).toBe(plus);
    expect(ops.f64_max(STATUS, f64Bits(NaN), f64Bits(3))).toBe(f64Bits(3));
    expect(ops.f64_maximum(STATUS, f64Bits(NaN), f64Bits(3))).toBe(0x7ff8000000000000n);
  });

  it("32-bit unsigned results are sign-extended", () => {
    expect(run((s) => ops.f64_to_ui32(s, f64Bits(2 ** 32 - 1)), 0)).toEqual({ bits: -1n, flags: 0 });
    expect(run((s) => ops.f32_to_ui32(s, f32Bits(NaN)), 0)).toEqual({ bits: -1n, flags: FLAGS.invalid });
  });

  it("upper bits of a narrow operand are ignored, those of a narrow result are zero", () => {
    expect(ops.f32_add(STATUS, (-1n << 32n) | f32Bits(-1), f32Bits(-2))).toBe(f32Bits(-3));
    expect(ops.f16_add(STATUS, (-1n << 16n) | 0xbc00n, 0xbc00n)).toBe(0xc000n);
  });

  it("fcvtmod.w.d keeps the low bits", () => {
    const modular = (x: number): Answer => run((s) => ops.f64_to_i32_modular(s, f64Bits(x)), 0);
    expect(modular(2 ** 32 + 5)).toEqual({ bits: 5n, flags: FLAGS.invalid });
    expect(modular(-(2 ** 52) - 7)).toEqual({ bits: -7n, flags: FLAGS.invalid });
    expect(modular(-1.5)).toEqual({ bits: -1n, flags: FLAGS.inexact });
    expect(modular(2 ** 90)).toEqual({ bits: 0n, flags: FLAGS.invalid });
    expect(modular(NaN)).toEqual({ bits: 0n, flags: FLAGS.invalid });
  });

  it("rounds to odd", () => {
    expect(run((s) => ops.f64_to_f32(s, f64Bits(1 + 2 ** -40)), ROUNDING.odd).bits).toBe(0x3f800001n);
    expect(run((s) => ops.f64_to_f32(s, f64Bits(1e300)), ROUNDING.odd).bits).toBe(0x7f7fffffn);
  });
});

describe("the module", () => {
  it("imports only a memory, owns no data and exports what the type says", () => {
    const module = new WebAssembly.Module(softfloatModule.bytes);
    expect(WebAssembly.Module.imports(module)).toEqual([{ module: "env", name: "memory", kind: "memory" }]);
    expect(softfloatExports.length).toBe(Object.keys(ops).filter((name) => name !== "memory").length);
    expect(new Uint8Array(memory.buffer, 4096, 16384).every((byte) => byte === 0)).toBe(true);
  });

  it("base64", () => {
    const bytes = Uint8Array.from({ length: 259 }, (_, i) => (i * 7) & 255);
    for (const length of [0, 1, 2, 3, 258, 259]) {
      const text = btoa(String.fromCharCode(...bytes.subarray(0, length)));
      expect(decodeBase64(text)).toEqual(bytes.slice(0, length));
    }
  });
});

describe("README", () => {
  it("1 / 3 rounded up", () => {
    expect(run((s) => ops.f32_div(s, 0x3f800000n, 0x40400000n), ROUNDING.up)).toEqual({
      bits: 0x3eaaaaabn,
      flags: FLAGS.inexact,
    });
  });
});
