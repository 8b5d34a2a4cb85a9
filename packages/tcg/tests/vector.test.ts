/** Each operation on vectors: its WebAssembly expansion, with lanes in the code and beside it, against the evaluator. */
import {
  HOST_FMA, NO_LIST, NONE, OPS, emitPure, evaluate, ops, parse, print, verify,
  type IrType, type Op, type OpSpec, type Value, type WasmOps,
} from "@mimus/tcg"; // prettier-ignore
import { expect, test } from "vitest";
import { Code } from "../src/wasm/encode.ts";
import { emitLoad, emitStore, wholeMem } from "../src/wasm/memory-ops.ts";
import { ModuleBuilder } from "../src/wasm/module.ts";
import { CONTEXT, scramble } from "./random-block.ts";

const RESULT = 64;
const IMMEDIATES = 128;
const BITS: Readonly<Record<IrType, number>> = { i32: 32, i64: 64, f32: 32, f64: 64, v128: 128 };

/** Operands are loaded from 16 × n, immediate vectors from IMMEDIATES + 16 × n. */
class Encoder implements WasmOps {
  readonly code = new Code(256);
  readonly immediates: (readonly number[])[] = [];
  readonly pushes: number[] = [];
  readonly immediatesInCode: boolean;
  readonly #spec: OpSpec;

  constructor(spec: OpSpec, immediatesInCode: boolean) {
    this.#spec = spec;
    this.immediatesInCode = immediatesInCode;
  }
  arg(n: number): void {
    this.pushes.push(n);
    const type = this.#spec.operands[n] as IrType;
    this.code.i32(0);
    emitLoad(this.code, type, wholeMem(type), 16 * n);
  }
  imm128(bytes: readonly number[]): void {
    this.code.i32(0);
    emitLoad(this.code, "v128", "v128", IMMEDIATES + 16 * this.immediates.length);
    this.immediates.push(bytes);
  }
  const32(value: number): void {
    this.code.i32(value);
  }
  const64(lo: number, hi: number): void {
    this.code.i64(lo, hi);
  }
  raw(bytes: readonly number[]): void {
    this.code.bytes(bytes);
  }
  imm32(): void {
    throw new Error("no such immediates");
  }
  imm64 = this.imm32.bind(this);
  get(): void {
    throw new Error("no scratch locals");
  }
  set = this.get.bind(this);
  tee = this.get.bind(this);
}

const memory = new WebAssembly.Memory({ initial: 1 });
const view = new DataView(memory.buffer);
const bytes = new Uint8Array(memory.buffer);

function compile(body: Code, result: IrType): () => void {
  const m = new ModuleBuilder();
  const type = m.type([], []);
  m.importMemory("e", "m");
  const code = new Code(256);
  code.i32(0);
  code.append(body);
  emitStore(code, result, BITS[result] / 8, RESULT);
  m.exportFunction("f", m.function(type, [], code));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { e: { m: memory } });
  return instance.exports["f"] as () => void;
}

const put = (at: number, value: bigint): void => {
  view.setBigUint64(at, value & 0xffff_ffff_ffff_ffffn, true);
  view.setBigUint64(at + 8, value >> 64n, true);
};
const take = (bits: number): bigint => {
  let value = 0n;
  for (let i = bits / 8 - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[RESULT + i]!);
  return value;
};

const op = (spec: OpSpec, type: IrType, more: Partial<Op>): Op => ({
  spec, type, a: NONE, b: NONE, c: NONE, d: NONE, imm: 0, imm2: 0, cond: "eq", mem: "u8", helper: undefined, list: NO_LIST, ...more,
}); // prettier-ignore

/** What the evaluator says: operands are globals. */
function expected(it: Op, values: readonly bigint[]): bigint {
  const { spec } = it;
  const types = [...(spec.operands as IrType[]), spec.result as IrType];
  const globals = types.map((type, n) => ({ name: `g${n}`, offset: 16 * n, type }));
  const count = spec.operands.length;
  const all = [
    ...spec.operands.map((type, n) => op(ops.get, type as IrType, { imm: n })),
    it,
    op(ops.set, it.type, { imm: count, a: count as Value }),
    op(ops.exit_tb, "i32", {}),
  ];
  const state = [...values.map((v, n) => BigInt.asUintN(BITS[types[n]!], v)), 0n];
  const block = { name: "t", pc: 0n, ops: all, labels: 0, globals };
  evaluate(block, { globals: state, env: new Uint8Array(), load: () => 0n, store: () => true, call: () => 0n });
  return state[count]!;
}

/** Lanes that make a difference: limits, signs, special and half-way floats. */
const LANES: Readonly<Record<number, readonly bigint[]>> = {
  8: [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x81n],
  16: [0n, 1n, 0x7fffn, 0x8000n, 0xffffn, 0x8001n, 0xff80n],
  32: [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x3f800000n, 0x7f800000n, 0xff800000n, 0x4f000000n, 0xcf000000n, 0x3f000000n, 0x40200000n, 0x7fc00000n],
  64: [0n, 1n, 1n << 63n, (1n << 63n) - 1n, (1n << 64n) - 1n, 0x3ff0000000000000n, 0x7ff0000000000000n, 0x41dfffffffc00000n, 0xc1e0000000000000n, 0x3fe0000000000000n, 0x41f0000000000000n, 0x7ff8000000000000n],
}; // prettier-ignore

function operand(type: IrType, lane: number, n: number): bigint {
  const pool = LANES[lane]!;
  const bits = BITS[type];
  let value = 0n;
  for (let at = 0; at < bits; at += lane) {
    const r = scramble(BigInt(n * 131 + at));
    const it = r % 3n === 0n ? scramble(r) : pool[Number((r >> 8n) % BigInt(pool.length))]!;
    value |= BigInt.asUintN(Math.min(lane, bits), it) << BigInt(at);
  }
  return BigInt.asUintN(bits, value);
}

/** NaN lanes of a float result made alike: which NaN results is not determined. */
function comparable(value: bigint, spec: OpSpec): bigint {
  const float = /^f(32|64)/.exec(spec.name);
  if (float === null || /(_lane|splat|_abs|_neg|_pm|_(eq|ne|lt|gt|le|ge)$)/.test(spec.name)) return value;
  const bits = Number(float[1]);
  const nan = bits === 32 ? 0x7f800000n : 0x7ff0000000000000n;
  let out = 0n;
  for (let at = 0; at < 128; at += bits) {
    const lane = BigInt.asUintN(bits, value >> BigInt(at));
    out |= ((lane & ((1n << BigInt(bits - 1)) - 1n)) > nan ? nan + 1n : lane) << BigInt(at);
  }
  return out;
}

const vectors = OPS.filter((spec) => spec.group.startsWith("Vectors"));
const cases = vectors.flatMap((spec) =>
  [false, true].map((inCode) => ({ name: `${spec.name}${inCode ? ", lanes in the code" : ""}`, spec, inCode })),
);

test.each(cases.filter(({ spec, inCode }) => !inCode || /lane|shuffle|const/.test(spec.name)))("$name", ({ spec, inCode }) => {
  // Without fusion no translator emits it.
  if (spec.name.endsWith("fmadd") && !HOST_FMA) return;
  const lanes = Number(/x(\d+)/.exec(spec.name)?.[1] ?? 2);
  const result = spec.result as IrType;
  const kinds = spec.operands as IrType[];
  let body = "";
  let run: (() => void) | undefined;
  for (let n = 0; n < 120; n++) {
    const list = spec.format.includes("lanes") ? Array.from({ length: 16 }, (_, i) => Number(scramble(BigInt(n * 16 + i)) % 32n))
      : spec.format.includes("bytes") ? Array.from({ length: 16 }, (_, i) => Number(scramble(BigInt(n * 16 + i)) & 0xffn)) : NO_LIST; // prettier-ignore
    const it = op(spec, result, {
      imm: spec.format.includes("lane") ? n % lanes : 0,
      list,
      ...Object.fromEntries(kinds.map((_, k) => [["a", "b", "c"][k]!, k])),
    });
    const encoder = new Encoder(spec, inCode);
    emitPure(encoder, it);
    const text = [...encoder.code.view()].join();
    if (!inCode) expect(body === "" || body === text).toBe(true);
    if (run === undefined || text !== body) run = compile(encoder.code, result);
    body = text;
    if (spec.inline) expect(new Set(encoder.pushes).size).toBe(encoder.pushes.length);
    const from = /(?:i|f)(\d+)x\d+_[su]?$|_(?:low_)?[if](\d+)x/.exec(spec.name.replace(/^[^_]*/, "")) ?? [];
    const width = Number(from[1] ?? from[2] ?? (spec.name.startsWith("v") ? 64 : 128 / lanes));
    const values = kinds.map((type, k) => operand(type, width, 3 * n + k));
    values.forEach((v, k) => put(16 * k, v));
    encoder.immediates.forEach((v, k) => bytes.set(v, IMMEDIATES + 16 * k));
    run();
    const [got, want] = [take(BITS[result]), expected(it, values)].map((v) => comparable(v, spec));
    if (got !== want)
      expect.fail(`${values.map((v) => v.toString(16)).join(", ")} [${it.imm}] [${list}]: wasm ${got!.toString(16)}, wanted ${want!.toString(16)}`);
  }
}); // prettier-ignore

test("the text form of lanes, shuffles and constants is read back", () => {
  const text = `func @v(pc 0x0) {
  insn 0 0x0
  %0 = v128_const 0x000102030405060708090a0b0c0d0e0f
  %1 = get.v128 v1
  %2 = i8x16_shuffle %0, %1, 0, 31, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
  %3 = i32x4_extract_lane %2, 3
  %4 = i32x4_replace_lane %1, %3, 0
  %5 = i8x16_shl %4, %3
  set.v128 v2, %5
  exit_tb next
}
`;
  const block = parse(text, CONTEXT);
  verify(block);
  expect(print(block)).toBe(text);
  expect(block.ops[1]!.list.slice(0, 2)).toEqual([15, 14]);
});

test.each([
  ["  %0 = get.v128 v1\n  %1 = i32x4_extract_lane %0, 4\n  exit_tb next", /lane 4 is not in 0…3/],
  ["  %0 = get.v128 v1\n  %1 = i8x16_shuffle %0, %0, 1, 2\n  exit_tb next", /wants 16 lanes, has 2/],
  ["  %0 = get.i64 x1\n  %1 = i32x4_splat %0\n  exit_tb next", /operand 0 is i64, wanted i32/],
])("the verifier refuses %s", (body, message) => {
  expect(() => verify(parse(`func @t(pc 0x0) {\n${body}\n}`, CONTEXT))).toThrow(message);
});
