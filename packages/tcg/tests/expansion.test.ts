/** Each pure operation: its WebAssembly expansion and its constant folding against the reference evaluator. */
import {
  CONDS, NO_LIST, NONE, OPS, emitPure, evaluate, ops, resultType,
  type Block, type Cond, type IrType, type Op, type OpSpec, type Value, type WasmOps,
} from "@mimus/tcg"; // prettier-ignore
import { expect, test } from "vitest";
import { scramble } from "./random-block.ts";

const TYPES: Record<IrType, { code: number; load: number; store: number; bytes: number }> = {
  i32: { code: 0x7f, load: 0x28, store: 0x36, bytes: 4 },
  i64: { code: 0x7e, load: 0x29, store: 0x37, bytes: 8 },
  f32: { code: 0x7d, load: 0x2a, store: 0x38, bytes: 4 },
  f64: { code: 0x7c, load: 0x2b, store: 0x39, bytes: 8 },
  v128: { code: 0x7b, load: 0, store: 0, bytes: 16 },
};

function leb(n: bigint): number[] {
  const out: number[] = [];
  for (;;) {
    const byte = Number(n & 0x7fn);
    n >>= 7n;
    if ((n === 0n && byte < 0x40) || (n === -1n && byte >= 0x40)) return [...out, byte];
    out.push(byte | 0x80);
  }
}

const uleb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...uleb(n >>> 7)]);

/** Operands are loaded from 16 × n, immediates (as an interpreter would) from 128 + 8 × n. */
class Encoder implements WasmOps {
  readonly code: number[] = [];
  /** Immediates of this use, in order. */
  readonly immediates: bigint[] = [];
  readonly pushes: number[] = [];
  scratchBeforeLastPush = false;
  #scratch = false;
  readonly #operands: readonly IrType[];

  constructor(operands: readonly IrType[]) {
    this.#operands = operands;
  }

  arg(n: number): void {
    this.pushes.push(n);
    this.scratchBeforeLastPush ||= this.#scratch;
    this.code.push(0x41, ...leb(BigInt(16 * n)), TYPES[this.#operands[n]!].load, 0, 0);
  }
  imm32(value: number): void {
    this.code.push(0x41, ...leb(BigInt(128 + 8 * this.immediates.length)), 0x28, 0, 0);
    this.immediates.push(BigInt.asUintN(32, BigInt(value)));
  }
  imm64(lo: number, hi: number): void {
    this.code.push(0x41, ...leb(BigInt(128 + 8 * this.immediates.length)), 0x29, 0, 0);
    this.immediates.push((BigInt.asUintN(32, BigInt(hi)) << 32n) | BigInt.asUintN(32, BigInt(lo)));
  }
  const32(value: number): void {
    this.code.push(0x41, ...leb(BigInt(value | 0)));
  }
  readonly immediatesInCode = false;
  imm128(): void {
    throw new Error("Vectors have a test of their own");
  }
  const64(lo: number, hi: number): void {
    this.code.push(0x42, ...leb((BigInt(hi | 0) << 32n) | BigInt.asUintN(32, BigInt(lo))));
  }
  raw(bytes: readonly number[]): void {
    this.code.push(...bytes);
  }
  get(type: "i32" | "i64", n: number): void {
    this.code.push(0x20, n + (type === "i32" ? 0 : 4));
  }
  set(type: "i32" | "i64", n: number): void {
    this.#scratch = true;
    this.code.push(0x21, n + (type === "i32" ? 0 : 4));
  }
  tee(type: "i32" | "i64", n: number): void {
    this.#scratch = true;
    this.code.push(0x22, n + (type === "i32" ? 0 : 4));
  }
}

const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);

/** A function that performs the expansion on operands in memory and stores its result at 64. */
function compile(body: readonly number[]): () => void {
  const section = (id: number, bytes: number[]): number[] => [id, ...uleb(bytes.length), ...bytes];
  const code = [2, 4, 0x7f, 4, 0x7e, ...body, 0x0b];
  const bytes = [
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...uleb(code.length), ...code]),
  ]; // prettier-ignore
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)), { e: { m: memory } });
  return instance.exports["f"] as () => void;
}

const bits: Record<IrType, IrType> = { i32: "f32", i64: "f64", f32: "i32", f64: "i64", v128: "v128" };
const width = (t: IrType): number => (t === "i32" || t === "f32" ? 32 : 64);

const INTERESTING = [
  0n, 1n, 2n, -1n, -2n, 7n, 31n, 32n, 63n, 64n, 0x7fn, 0x80n, 0xff80n, 0x7fffffffn, 0x80000000n, 0xffffffffn,
  0x8000000000000000n, 0x7fffffffffffffffn, 0x123456789abcdefn, -0x123456789abcdefn,
]; // prettier-ignore
const FLOATS = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  3e9,
  -3e9,
  1e19,
  -1e19,
  2 ** 63,
  2 ** 31,
  1e-310,
  2 ** -149,
  3.4e38,
  Infinity,
  -Infinity,
];
view.setFloat64(0, 0);

function samples(type: IrType, salt: number): bigint[] {
  if (type === "f64") return FLOATS.map((x) => (view.setFloat64(200, x), view.getBigUint64(200)));
  if (type === "f32") return FLOATS.map((x) => (view.setFloat32(200, x), BigInt(view.getUint32(200))));
  const random = [1, 2, 3, 4].map((n) => scramble(BigInt(salt * 10 + n)));
  return [...INTERESTING, ...random].map((n) => BigInt.asUintN(width(type), n));
}

/** Stores bits at an address, little-endian. */
const put = (at: number, value: bigint): void => view.setBigUint64(at, value, true);

function make(spec: OpSpec, type: IrType, cond: Cond, imm: number, imm2: number, operands: number): Op {
  const v = (n: number): Value => (n < operands ? n : NONE) as Value;
  return {
    spec,
    type,
    a: v(0),
    b: v(1),
    c: v(2),
    d: v(3),
    imm,
    imm2,
    cond,
    mem: "u8",
    helper: undefined,
    list: NO_LIST,
  };
}

const constant = (type: IrType, value: bigint): Op => {
  const lo = Number(BigInt.asIntN(32, value));
  return {
    ...make(ops.const, type, "eq", lo, width(type) === 32 ? lo >> 31 : Number(BigInt.asIntN(32, value >> 32n)), 0),
  };
};

/** What the reference evaluator says of the operation on operands. */
function expected(op: Op, kinds: readonly IrType[], values: readonly bigint[]): bigint {
  const type = resultType(op);
  const all: Op[] = kinds.map((k, n) => constant(k, values[n]!));
  all.push(
    op,
    { ...make(ops.set, type, "eq", 0, 0, 0), a: kinds.length as Value },
    make(ops.exit_tb, "i32", "eq", 0, 0, 0),
  );
  const block: Block = { name: "t", pc: 0n, ops: all, labels: 0, globals: [{ name: "g", offset: 0, type }] };
  const globals = [0n];
  evaluate(block, { globals, env: new Uint8Array(), load: () => 0n, store: () => true, call: () => 0n });
  return globals[0]!;
}

const isNaNBits = (type: IrType, b: bigint): boolean =>
  (type === "f64" && (b & 0x7fffffffffffffffn) > 0x7ff0000000000000n) ||
  (type === "f32" && (b & 0x7fffffffn) > 0x7f800000n);

const cases: { name: string; spec: OpSpec; type: IrType; cond: Cond }[] = [];
for (const spec of OPS) {
  if (!spec.pure || (spec.wasm === undefined && spec.expand === undefined)) continue;
  if (spec.group.startsWith("Vectors")) continue; // vector.test.ts
  for (const type of spec.types.length > 0 ? spec.types : [spec.result as IrType])
    for (const cond of spec.hasCond ? CONDS : (["eq"] as const))
      cases.push({ name: [spec.name, ...(spec.hasCond ? [cond] : []), type].join("."), spec, type, cond });
}

test.each(cases)("$name", ({ spec, type, cond }) => {
  const kinds = spec.operands.map((k) => (k === "T" ? type : k === "bits" ? bits[type] : k)) as IrType[];
  const fields: (readonly [number, number])[] = spec.format.includes("length")
    ? [[0, 1], [0, width(type)], [3, 7], [width(type) - 1, 1], [31, 1], ...(width(type) === 64 ? ([[20, 40], [32, 32], [40, 20], [31, 33], [0, 32]] as const) : [])]
    : spec.format.includes("bit") ? [[1, 0], [31, 0], [width(type) - 1, 0], [width(type) / 2, 0]]
    : spec.name === "const" ? [[5, 0], [-1, -1], [0x12345678, width(type) === 32 ? 0 : -559038737]]
    : [[0, 0]]; // prettier-ignore
  let code = "";
  let run: (() => void) | undefined;
  for (const [imm, imm2] of fields) {
    const op = make(spec, type, cond, imm, imm2, kinds.length);
    const encoder = new Encoder(kinds);
    encoder.const32(64);
    emitPure(encoder, op);
    encoder.code.push(TYPES[resultType(op)].store, 0, 0);
    // One body serves all immediates.
    expect(code === "" || code === encoder.code.join()).toBe(true);
    code = encoder.code.join();
    run ??= compile(encoder.code);
    const once = new Set(encoder.pushes).size === encoder.pushes.length && !encoder.scratchBeforeLastPush;
    if (spec.inline) expect(once).toBe(true);
    encoder.immediates.forEach((value, n) => put(128 + 8 * n, value));
    const [as, bs] = [samples(kinds[0] ?? "i32", 1), samples(kinds[1] ?? "i32", 2)];
    for (const a of kinds.length > 0 ? as : [0n])
      for (const b of kinds.length > 1 ? bs : [0n]) {
        const values = [a, b, 0x1111222233334444n, 0xaaaabbbbccccddddn].map((x, n) =>
          BigInt.asUintN(width(kinds[n] ?? "i64"), x),
        );
        values.forEach((x, n) => put(16 * n, x));
        const want = expected(op, kinds, values.slice(0, kinds.length));
        run();
        const got = BigInt.asUintN(width(resultType(op)), view.getBigUint64(64, true));
        if (got !== want && !(isNaNBits(resultType(op), got) && isNaNBits(resultType(op), want)))
          expect.fail(
            `${values.map((x) => x.toString(16)).join(", ")} [${imm}, ${imm2}]: wasm ${got.toString(16)}, wanted ${want.toString(16)}`,
          );
        if (spec.fold !== undefined) {
          const from = width(kinds[0]!);
          const folded = spec.fold(BigInt.asIntN(from, a), BigInt.asIntN(from, b), from, imm, imm2);
          if (BigInt.asUintN(width(resultType(op)), folded) !== want)
            expect.fail(`${a.toString(16)}, ${b.toString(16)} [${imm}, ${imm2}]: folded ${folded}, wanted ${want}`);
        }
      }
  }
});
