// Every vector instruction against the processor that the tests run on: registers, memory, flags and MXCSR, with random operands.

import { ALL_ROWS } from "@mimus/target-x86";
import type { Encoding } from "@mimus/target-x86";
import { describe, expect, test } from "vitest";
import { encode, formsOf } from "../lib/x86-vector/encode.ts";
import { EXCEPTIONS, Emulated } from "../lib/x86-vector/machine.ts";
import { CASE, native } from "../lib/x86-vector/native.ts";
import { fill, mxcsr, Random } from "../lib/x86-vector/values.ts";

const FEATURES = new Set([
  "mmx", "sse", "sse2", "pni", "ssse3", "sse4.1", "sse4.2", "sse4a", "aes", "pclmulqdq", "sha-ni", "avx", "avx2", "fma", "f16c", "vaes", "vpclmulqdq",
]); // prettier-ignore
/** Not of one result: they change what the harness itself uses, or give approximations. */
const EXCLUDED = /^(v?ldmxcsr|v?stmxcsr|emms|v?(rcp|rsqrt)[ps]s|prefetch|.fence|cl|pause|movbe|popcnt|fx|x|fisttp)/;
/** Cases of each encoding. */
const CASES = Number(process.env["MIMUS_X86_VECTOR_CASES"] ?? 12);
const SEED = Number(process.env["MIMUS_X86_VECTOR_SEED"] ?? 1);
const ONLY = new RegExp(process.env["MIMUS_X86_VECTOR_ONLY"] ?? "");
/** Flags that exist for the guest program: arithmetic ones. */
const ARITHMETIC = 0x8d5;
/** Which flags come along with an exception that is not masked depends on the processor; MIMUS_X86_VECTOR_STRICT compares them, too. */
const FPE = 8;

const host = native();
const reason = host.reason;
if (reason !== undefined) console.log(`x86-vector: not compared with the processor: ${reason}`);
else {
  const absent = [...FEATURES].filter((f) => !host.has(f));
  if (absent.length > 0) console.log(`x86-vector: the processor has no ${absent.join(", ")}: not compared`);
}

interface Batch {
  readonly text: string;
  readonly code: Uint8Array;
  readonly cases: Uint8Array;
}

function batchesOf(row: Encoding, random: Random): Batch[] {
  return formsOf(row).flatMap((form) =>
    [false, true].flatMap((wide) => {
      if (wide && !/(^|,)[EGR][yv]/.test(row.operands)) return [];
      return encode(row, form, () => random.next(), wide).map((encoded) => {
        const bytes = everyMakers(row, encoded);
        const code = new Uint8Array(24);
        code.set([...bytes, 0xc3]);
        const cases = new Uint8Array(CASES * CASE.size);
        for (let n = 0; n < CASES; n++)
          randomCase(row, random, code, cases.subarray(n * CASE.size, (n + 1) * CASE.size));
        const hex = bytes.map((b) => b.toString(16).padStart(2, "0")).join("");
        return { text: `${row.name} ${hex}`, code, cases };
      });
    }),
  );
}

/** VPERMQ and VPERMPD with VEX.W clear: AMD's processors execute them, Intel's raise #UD. With it set they are the same everywhere. */
function everyMakers({ name }: Encoding, bytes: readonly number[]): readonly number[] {
  return /^vperm(?:q|pd)$/.test(name) ? bytes.with(2, bytes[2]! | 0x80) : bytes;
}

function randomCase(row: Encoding, random: Random, code: Uint8Array, state: Uint8Array): void {
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  for (let n = 0; n < 8; n++) fill(random, state.subarray(32 * n, 32 * n + 32));
  for (let at = CASE.mm; at < CASE.flags; at += 8) fill(random, state.subarray(at, at + 8));
  // Lengths of strings are small, mostly.
  if (/pcmpestr/.test(row.name) && random.below(4) > 0)
    for (const at of [0, 16]) view.setBigInt64(CASE.gpr + at, BigInt(random.below(40) - 20), true);
  if (row.flags?.includes("vsib"))
    for (let n = 0; n < 32; n += 8) {
      const quad = /q[dqp][sd]?$/.test(row.name.replace(/^vp?gather/, "g_").slice(2));
      if (quad) view.setBigUint64(64 + n, BigInt(random.below(80)), true);
      else for (const half of [0, 4]) view.setUint32(64 + n + half, random.below(80), true);
    }
  fill(random, state.subarray(CASE.memory, CASE.memory + CASE.memoryBytes));
  view.setBigUint64(CASE.flags, BigInt((random.next() & ARITHMETIC) | 2), true);
  view.setUint32(CASE.mxcsr, mxcsr(random), true);
  state.set(code, CASE.code);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.toReversed()).toString("hex");

/** What differs between a result and that of the processor. */
function difference(before: Uint8Array, got: Uint8Array, wanted: Uint8Array): string | undefined {
  const views = [before, got, wanted].map((b) => new DataView(b.buffer, b.byteOffset, b.length)) as [
    DataView,
    DataView,
    DataView,
  ];
  const list: string[] = [];
  const signal = views[2].getUint32(CASE.signal, true);
  const exception = views[1].getUint32(CASE.signal, true) - 1;
  if (signal === 0 ? exception >= 0 : !(EXCEPTIONS[signal] ?? []).includes(exception))
    list.push(`exception ${exception}, signal ${signal}`);
  const compare = (name: string, at: number, bytes: number): void => {
    const [g, w] = [got.subarray(at, at + bytes), wanted.subarray(at, at + bytes)];
    if (Buffer.compare(g, w) !== 0) list.push(`${name} ${hex(g)}, wanted ${hex(w)}`);
  };
  for (let n = 0; n < 8; n++) compare(`ymm${n}`, 32 * n, 32);
  for (let n = 0; n < 8; n++) compare(`mm${n}`, CASE.mm + 8 * n, 8);
  for (const [n, name] of ["rax", "rcx", "rdx", "rbx"].entries()) compare(name, CASE.gpr + 8 * n, 8);
  compare("memory", CASE.memory, CASE.memoryBytes);
  const flags = (v: DataView): number => v.getUint32(CASE.flags, true) & ARITHMETIC;
  if (signal === 0 && flags(views[1]) !== flags(views[2]))
    list.push(`flags ${flags(views[1]).toString(16)}, wanted ${flags(views[2]).toString(16)}`);
  const [g, w] = [views[1].getUint32(CASE.mxcsr, true), views[2].getUint32(CASE.mxcsr, true)];
  if (g !== w && (signal !== FPE || process.env["MIMUS_X86_VECTOR_STRICT"] !== undefined))
    list.push(`mxcsr ${g.toString(16)}, wanted ${w.toString(16)}`);
  if (list.length === 0) return undefined;
  const inputs = [0, 1, 2, 3].map((n) => hex(before.subarray(32 * n, 32 * n + 32)));
  const of = `of ymm0..3 ${inputs.join(" ")}, memory ${hex(before.subarray(CASE.memory, CASE.memory + 32))}, mxcsr ${views[0].getUint32(CASE.mxcsr, true).toString(16)}`;
  return `${list.join("; ")} ${process.env["MIMUS_X86_VECTOR_INPUTS"] === undefined ? "" : of}`;
}

const rows = ALL_ROWS.filter(
  ({ name, feature = "", flags = "" }) =>
    FEATURES.has(feature) && host.has(feature) && !EXCLUDED.test(name) && !flags.includes("i64") && ONLY.test(name),
);

/** Runs all rows; the differences, by encoding. */
function run(backend: "interp" | "wasm", part: readonly Encoding[], seed: number): string[] {
  const random = new Random(seed);
  const emulated = new Emulated(backend);
  const failures: string[] = [];
  const batches = part.flatMap((row) => batchesOf(row, random));
  const results = host.run(Buffer.concat(batches.map(({ cases }) => cases)));
  for (const [n, { text, code, cases }] of batches.entries()) {
    const wanted = results.subarray(n * cases.length, (n + 1) * cases.length);
    emulated.setCode(code.subarray(0, 16));
    let count = 0;
    let first = "";
    for (let at = 0; at < cases.length; at += CASE.size) {
      const got = cases.slice(at, at + CASE.size);
      emulated.run(got);
      const differs = difference(cases.subarray(at, at + CASE.size), got, wanted.subarray(at, at + CASE.size));
      if (differs !== undefined && count++ === 0) first = differs;
    }
    if (count > 0) failures.push(`${text}: ${count} of ${CASES}: ${first}`);
  }
  return failures;
}

describe.skipIf(reason !== undefined)("vector instructions", () => {
  test("are what the processor does", { timeout: 300_000 }, () => {
    expect(run("interp", rows, SEED)).toEqual([]);
  });
  test("compiled, too", { timeout: 300_000 }, () => {
    const some = rows.filter((_, n) => n % 8 === SEED % 8);
    expect(run("wasm", some, SEED + 1)).toEqual([]);
  });
});
