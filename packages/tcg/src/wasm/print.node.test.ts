/** Our text against WABT: assembled again it gives the bytes that it was printed from. Needs Node: WABT is a Node module. */
import { test } from "vitest";
import { roundTrip } from "../../tests/wabt.ts";
import { Code, EMPTY, F32, F64, I32, I64, V128, W } from "./encode.ts";
import { ModuleBuilder } from "./module.ts";
import { OPCODES } from "./print-opcodes.ts";
import type { Opcode } from "./print-opcodes.ts";

const TYPES: Readonly<Record<string, number>> = { i: I32, I: I64, f: F32, F: F64, V: V128, x: I64 };

/** Immediates that make an instruction valid. */
function immediate(c: Code, { immediate: kind, name }: Opcode): void {
  if (kind === "i32") c.s32(-0x12345);
  else if (kind === "i64") c.s64(0x12345678, -5);
  else if (kind === "f32") c.bytes([0xcd, 0xcc, 0xcc, 0x3d]);
  else if (kind === "f64") c.bytes([1, 0, 0, 0, 0, 0, 0xf8, 0xff]);
  else if (kind === "v128" || kind === "lanes") c.bytes(Array.from({ length: 16 }, (_, i) => 15 - i));
  else if (kind === "lane") c.byte(1);
  else if (kind === "types") c.bytes([1, I64]);
  else if (kind === "memories") c.bytes([0, 0]);
  else if (kind === "local" || kind === "memory") c.byte(0);
  else if (/^m\d/.test(kind)) {
    c.u32(Number(kind[1]) >> 1);
    c.u32(300);
    if (kind.endsWith("lane")) c.byte(1);
  } else if (kind !== "") throw new Error(`${name}: ${kind}`);
}

/** Those need sections that the encoder does not make. */
const WITHOUT = /^(global|table|elem|data)\.|^memory.init/;
const straight = [...OPCODES.values()].filter((op) => op.signature !== undefined && !WITHOUT.test(op.name));

test.each(straight.map((op) => [op.name, op] as const))("%s", (_, op) => {
  const [params, results] = op.signature!;
  const m = new ModuleBuilder();
  m.importMemory("env", "memory");
  const c = new Code();
  for (const letter of params) {
    const n = Object.keys(TYPES).indexOf(letter);
    c.get(n);
  }
  if (op.code > 0xffff) {
    c.byte(op.code >> 16);
    c.u32(op.code & 0xffff);
  } else c.byte(op.code);
  immediate(c, op);
  // The result by its type: the signature is right, or the module is not valid.
  const of = (letter: string): number => (op.name === "local.get" ? I32 : TYPES[letter]!);
  if (op.name === "local.set" || op.name === "local.tee") c.buffer[c.length - 1] = 5;
  m.function(m.type(Object.values(TYPES), Array.from(results, of)), [], c);
  const bytes = m.finish();
  if (!WebAssembly.validate(bytes)) new WebAssembly.Module(bytes);
  roundTrip(bytes);
});

test("control: blocks with types, branches, calls", () => {
  const m = new ModuleBuilder();
  const type = m.type([I32, I64], [I64]);
  const two = m.type([I64], [I64, I32]);
  m.importMemory("env", "memory");
  m.importTable("env", "table");
  const f = m.importFunction("js", 'a "quoted" name', type);
  const c = new Code();
  c.block(I64);
  c.block(EMPTY);
  c.block(EMPTY);
  c.loop();
  c.get(0);
  c.op(W.brTable);
  for (const n of [2, 0, 1, 2]) c.u32(n);
  c.end();
  c.end();
  c.end();
  c.get(0);
  c.get(1);
  c.call(f);
  c.get(0);
  c.brIf(0);
  c.op(W.drop);
  c.get(1);
  c.loop(two);
  c.get(0);
  c.if(I32);
  c.i32(1);
  c.else();
  c.i32(0x80000000);
  c.end();
  c.end();
  c.op(W.drop);
  c.end();
  c.op(W.drop);
  c.get(0);
  c.get(1);
  c.get(0);
  c.op(W.callIndirect);
  c.u32(type);
  c.u32(0);
  c.op(W.return);
  c.get(0);
  c.get(1);
  c.op(W.returnCall);
  c.u32(f);
  const own = m.function(type, [I32, I32, I64, I32], c);
  m.exportFunction("f", own);
  m.elements(3, own, 1);
  const bytes = m.finish();
  if (!WebAssembly.validate(bytes)) new WebAssembly.Module(bytes);
  roundTrip(bytes);
});
