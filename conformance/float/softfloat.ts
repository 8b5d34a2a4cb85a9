import { POLICIES, ROUNDING, softfloatModule } from "@mimus/softfloat";
import { x87Module } from "@mimus/softfloat/x87";
import type { FloatCase } from "./testfloat.ts";

const MODES: ReadonlyMap<string, number> = new Map([
  ["rne", ROUNDING.nearestEven],
  ["rtz", ROUNDING.towardZero],
  ["rdn", ROUNDING.down],
  ["rup", ROUNDING.up],
  ["rmm", ROUNDING.nearestAway],
]);
const WIDTHS: Readonly<Record<string, bigint>> = {
  i32: 32n,
  ui32: 32n,
  i64: 64n,
  ui64: 64n,
  f16: 16n,
  f32: 32n,
  f64: 64n,
};
/** Formats of more than 64 bits: operands are two words, results are stored. */
const WIDE = /^(f128|extF80)/;
const STATUS = 16;
const OUT = 32;
const WORD = (1n << 64n) - 1n;

declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

type Operations = Record<string, (...args: (number | bigint)[]) => bigint | undefined>;

/** Result and flags of one operation. */
export interface FloatAnswer {
  readonly result: bigint;
  readonly flags: number;
}

/** Runs single operations of the softfloat module. */
export class SoftfloatRunner {
  readonly #view: DataView;
  readonly #exports: Operations;
  readonly #policy: number;

  constructor(policy: keyof typeof POLICIES = "riscv") {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const [small, extended] = [softfloatModule, x87Module].map(
      ({ bytes }) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports,
    );
    this.#view = new DataView(memory.buffer);
    this.#exports = { ...small, ...extended } as Operations;
    this.#policy = POLICIES[policy];
  }

  has(fn: string): boolean {
    return fn in this.#exports;
  }

  /** `mode` is TestFloat's name of the rounding direction; `before` are flags already set. */
  run(fn: string, mode: string, operands: readonly bigint[], before = 0): FloatAnswer {
    const rounding = MODES.get(mode);
    const operation = this.#exports[fn];
    if (rounding === undefined)
      throw new RangeError(`No rounding mode "${mode}"; there are ${[...MODES.keys()].join(" ")}`);
    if (!operation) throw new RangeError(`softfloat has no operation "${fn}"`);
    this.#view.setInt32(STATUS, rounding | this.#policy, true);
    this.#view.setInt32(STATUS + 4, before, true);
    const wide = WIDE.test(fn);
    const to = /_to_(\w+)$/.exec(fn)?.[1];
    const args = operands.flatMap((a) => (wide ? [a & WORD, a >> 64n] : [a]));
    const outInMemory = WIDE.test(to ?? "") || (wide && to === undefined && !/_(eq|lt|le|classify)/.test(fn));
    const value = outInMemory ? operation(STATUS, OUT, ...args) : operation(STATUS, ...args);
    const result =
      value === undefined
        ? this.#view.getBigUint64(OUT, true) | (this.#view.getBigUint64(OUT + 8, true) << 64n)
        : BigInt.asUintN(Number(WIDTHS[to ?? ""] ?? 64n), value);
    return { result, flags: this.#view.getInt32(STATUS + 4, true) };
  }

  /** Whether a case holds, both with clear flags and with inexact already set (another path where the host computes). */
  holds(fn: string, mode: string, test: FloatCase): { ok: boolean; answer: FloatAnswer } {
    const answer = this.run(fn, mode, test.operands);
    if (answer.result !== test.result || answer.flags !== test.flags) return { ok: false, answer };
    const again = this.run(fn, mode, test.operands, 1);
    return { ok: again.result === test.result && again.flags === (test.flags | 1), answer: again };
  }
}
