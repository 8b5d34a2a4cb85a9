import { expect, test } from "vitest";
import { IrContext, parse } from "../src/index.ts";
import { BytecodeWriter } from "../src/interp/bytecode.ts";
import { Handlers } from "../src/interp/handlers.ts";
import { printBytecode } from "../src/interp/print.ts";

const GLOBALS = [
  { name: "x1", offset: 136, type: "i64" },
  { name: "x2", offset: 144, type: "i64" },
  { name: "pc", offset: 384, type: "i64" },
  { name: "op", offset: 392, type: "i32" },
] as const;

function text(source: string): string {
  const handlers = new Handlers("i64", []);
  const writer = new BytecodeWriter(handlers, GLOBALS, 2);
  writer.write(parse(source, new IrContext(GLOBALS, [])));
  return printBytecode(writer.code.slice(0, writer.length), handlers, GLOBALS);
}

test("handlers, slots by the name of their global, immediates", () => {
  const lines = text(`func @tb(pc 0x1000) {
  insn 0 0x0
  %0 = get.i64 x1
  %1 = const.i64 8
  %2 = add.i64 %0, %1
  %3 = ld.i64.s32 %2, mmu=3
  set.i64 x2, %3
  %4 = const.i64 0x123456789
  set.i64 pc, %4
  goto_tb 1
}
`).split("\n");
  expect(lines[0]).toMatch(/^ {3}0 {2}ld\.i64\.s32 +x2, x1, 8, 0, 3$/);
  // The exit leaves the page, so it is looked up; it sets pc itself.
  expect(lines[1]).toMatch(/goto_ptr +#0x123456789, 1$/);
});

test("a change between i32 and i64 is no instruction, nor is a store to a global that nothing sees", () => {
  const lines = text(`func @tb(pc 0x1000) {
  insn 0 0x0
  %0 = get.i64 x1
  %1 = extrl %0
  %2 = ctpop.i32 %1
  set.i64 x2, %0
  %3 = extu_i32 %2
  set.i64 x2, %3
  goto_ptr none
}
`).split("\n");
  expect(lines[0]).toMatch(/ctpop\.i32 +x2, x1$/);
  expect(lines[1]).toMatch(/goto_ptr +0$/);
});

test("a store to a global stays where a fault, a label or a read is before the next one", () => {
  const lines = text(`func @tb(pc 0x1000) {
  insn 0 0x0
  %0 = get.i64 x1
  set.i64 x2, %0
  %1 = ld.i64.u64 %0, mmu=3
  set.i64 x2, %1
  goto_ptr none
}
`).split("\n");
  expect(lines[0]).toMatch(/mov\.i64 +x2, x1$/);
  expect(lines[1]).toMatch(/ld\.i64\.u64 +x2, x1/);
});

test("what is no bytecode ends the text", () => {
  expect(printBytecode(Uint16Array.of(65535), new Handlers("i64", []), [])).toMatch(/0 {2}\?/);
});

test("a branch round a branch is one branch, and a constant of 32 bits is put into its slot by the jump behind it", () => {
  const lines = text(`func @tb(pc 0x1000) {
  insn 0 0x0
  %0 = get.i64 x1
  %1 = get.i64 x2
  brcond.geu.i64 %0, %1, L0
  br L1
L0:
  set.i64 x1, %1
L1:
  %2 = const.i32 7
  set.i32 op, %2
  %3 = const.i64 0x1008
  set.i64 pc, %3
  goto_tb 1
}
`).split("\n");
  expect(lines[0]).toMatch(/brcond\.ltu\.i64 +x1, x2, /);
  expect(lines[1]).toMatch(/mov\.i64 +x1, x2$/);
  expect(lines[2]).toMatch(/goto_tb +op, #0x1008, #0x7, 4$/);
});
