/** Fused multiply-add: the expansion and the evaluator's twin on numbers where rounding twice gives another result. */
import { evaluate, HOST_FMA, NO_LIST, NONE, ops, parse, type Op, type Value } from "@mimus/tcg";
import { expect, test } from "vitest";
import { fusedMultiplyAdd } from "../src/ir/eval-fma.ts";
import { FuzzMachine } from "./fuzz-machine.ts";
import { CONTEXT, scramble } from "./random-block.ts";

const view = new DataView(new ArrayBuffer(8));
const bits64 = (x: number): bigint => (view.setFloat64(0, x), view.getBigUint64(0));
const bits32 = (x: number): bigint => (view.setFloat32(0, x), BigInt(view.getUint32(0)));
const from64 = (b: bigint): number => (view.setBigUint64(0, b), view.getFloat64(0));
const from32 = (b: bigint): number => (view.setUint32(0, Number(b)), view.getFloat32(0));

const WIDE: readonly [a: number, b: number, c: number, fused: number][] = [
  [1 + 2 ** -30, 1 + 2 ** -30, -(1 + 2 ** -29), 2 ** -60],
  [1 + 2 ** -52, 1 - 2 ** -53, -1, 2 ** -53 - 2 ** -105],
  [3, 1 / 3, -1, -(2 ** -54)],
  [2 ** 600, 2 ** 600, -Infinity, -Infinity],
  // The product alone overflows, or underflows to 0.
  [2 ** 1023, 2, -(2 ** 1023), 2 ** 1023],
  [2 ** -700, 2 ** -700, 2 ** -1074, 2 ** -1074],
  [-0, 1, -0, -0],
  [-0, 1, 0, 0],
];
test.each(WIDE)("f64: %d × %d + %d = %d", (a, b, c, fused) => {
  const got = fusedMultiplyAdd(bits64(a), bits64(b), bits64(c), 64);
  expect(from64(got)).toBe(fused);
});

// The sum in double precision lies half-way between two singles, but the exact one does not.
const NARROW: readonly [a: number, b: number, c: number, fused: number][] = [
  [1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11), 2 ** -24],
  [1 + 2 ** -23, 1 + 2 ** -23, 2 ** -40, 1 + 2 ** -22],
  [2 ** -60, 2 ** -60, 1 + 2 ** -23, 1 + 2 ** -23],
  [2 ** -24 + 2 ** -47, 1, 1, 1 + 2 ** -23],
  [2 ** -12 + 2 ** -35, 2 ** -12, 1, 1 + 2 ** -23],
  [2 ** -12, 2 ** -12, 1 + 2 ** -23, 1 + 2 ** -22],
  [2 ** -12 - 2 ** -36, 2 ** -12, 1 + 2 ** -23, 1 + 2 ** -23],
  [1 + 2 ** -18, 2 ** -24 * (1 - 2 ** -18), 1 + 2 ** -23, 1 + 2 ** -23],
];
test.each(NARROW)("f32: %d × %d + %d = %d", (a, b, c, fused) => {
  const got = fusedMultiplyAdd(bits32(a), bits32(b), bits32(c), 32);
  expect(from32(got)).toBe(fused);
});

test("f32: rounding the double-precision sum to single is not the same", () => {
  // The product is 2^-24 − 2^-60: double precision loses the last part, and the tie goes to even.
  const [a, b, c] = [1 + 2 ** -18, 2 ** -24 * (1 - 2 ** -18), 1 + 2 ** -23] as const;
  const once = from32(fusedMultiplyAdd(bits32(a), bits32(b), bits32(c), 32));
  expect([Math.fround(a * b + c), once]).toEqual([1 + 2 ** -22, 1 + 2 ** -23]);
});

const text = (type: "f32" | "f64"): string => {
  const word = type === "f32" ? "i32" : "i64";
  const wide = (v: string): string => (type === "f32" ? `extrl ${v}` : `add.i64 ${v}, %zero`);
  return `func @fused(pc 0x0) {
  insn 0 0x0
  %zero = const.i64 0
  ${["x1", "x2", "x3"].map((x, n) => `%g${n} = get.i64 ${x}\n  %b${n} = ${wide(`%g${n}`)}\n  %f${n} = bitcast.${type} %b${n}`).join("\n  ")}
  %r = fmadd.${type} %f0, %f1, %f2
  %n = feq.${type} %r, %r
  %m = neg.i32 %n
  %bits = bitcast.${word} %r
  ${type === "f32" ? "%k = and.i32 %bits, %m\n  set.i32 w1, %k" : "%w = ext_i32 %m\n  %k = and.i64 %bits, %w\n  set.i64 x4, %k"}
  exit_tb next
}`;
};

// Where the host does not fuse, no translator emits it.
test.runIf(HOST_FMA).each(["interp", "wasm"] as const)("%s fuses as the evaluator does", (backend) => {
  const machine = new FuzzMachine(backend);
  for (const type of ["f32", "f64"] as const) {
    const block = parse(text(type), CONTEXT);
    for (let seed = 0; seed < 300; seed++) expect(machine.differenceOf(block, seed)).toBeUndefined();
  }
});

test.runIf(HOST_FMA)("the expansion rounds once on hard cases", () => {
  const machine = new FuzzMachine("wasm");
  for (const [type, cases] of [["f64", WIDE], ["f32", NARROW]] as const) {
    for (const [a, b, c] of cases) {
      const of = type === "f64" ? bits64 : bits32;
      const constants = [a, b, c].map((x, n) => `%f${n} = const.${type} 0x${of(x).toString(16)}`).join("\n  ");
      const block = parse(text(type).replace(/%g0[\s\S]*?(?=%r =)/, `${constants}\n  `), CONTEXT);
      expect(machine.differenceOf(block, 1)).toBeUndefined();
    }
  }
}); // prettier-ignore

test("random operands near cancellation agree with arithmetic in integers", () => {
  const op = (spec: Op["spec"], type: Op["type"], more: Partial<Op>): Op => ({
    spec, type, a: NONE, b: NONE, c: NONE, d: NONE, imm: 0, imm2: 0, cond: "eq", mem: "u8", helper: undefined, list: NO_LIST, ...more,
  }); // prettier-ignore
  for (let n = 0n; n < 200n; n++) {
    const [a, b] = [Number(scramble(n) >> 40n) + 1, Number(scramble(n + 999n) >> 40n) + 1];
    const c = -(a * b) + Number(scramble(n * 7n) >> 60n);
    const constants = [a, b, c].map((x) => {
      const bits = bits64(x);
      return op(ops.const, "f64", {
        imm: Number(BigInt.asIntN(32, bits)),
        imm2: Number(BigInt.asIntN(32, bits >> 32n)),
      });
    });
    const v = (at: number): Value => at as Value;
    const all = [
      ...constants,
      op(ops.fmadd, "f64", { a: v(0), b: v(1), c: v(2) }),
      op(ops.set, "f64", { a: v(3) }),
      op(ops.exit_tb, "i32", {}),
    ];
    const globals = [0n];
    evaluate(
      { name: "t", pc: 0n, ops: all, labels: 0, globals: [{ name: "g", offset: 0, type: "f64" }] },
      { globals, env: new Uint8Array(), load: () => 0n, store: () => true, call: () => 0n },
    );
    expect(from64(globals[0]!)).toBe(Number(BigInt(a) * BigInt(b) + BigInt(c)));
  }
});
