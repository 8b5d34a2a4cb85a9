import type { Translators } from "@mimus/decodetree";
import type { Value } from "@mimus/tcg";
import type { rv64i } from "../decode/rv64i.ts";
import type { Block } from "./block.ts";
import { immediate, memory } from "./rv32i.ts";

/** A 32-bit operation whose result is sign-extended to the register. */
export const word =
  (op: (b: Block, x: Value, y: Value) => Value) =>
  (b: Block, { rd, rs1, rs2 }: { readonly rd: number; readonly rs1: number; readonly rs2: number }): void =>
    b.setX(rd, b.ir.ext32s(op(b, b.x(rs1), b.x(rs2))));
/** The same with a constant. */
export const wordImmediate =
  (op: (b: Block, x: Value, y: Value) => Value) =>
  (b: Block, { rd, rs1, imm }: { readonly rd: number; readonly rs1: number; readonly imm: number }): void =>
    b.setX(rd, b.ir.ext32s(op(b, b.x(rs1), b.imm(imm))));

const count = (b: Block, y: Value): Value => b.ir.and(y, b.imm(31));
const shl = (b: Block, x: Value, y: Value): Value => b.ir.shl(x, y);
const shr = (b: Block, x: Value, y: Value): Value => b.ir.shr(b.ir.ext32u(x), y);
const sar = (b: Block, x: Value, y: Value): Value => b.ir.sar(b.ir.ext32s(x), y);

/** Semantics of what RV64I adds. Source: Unprivileged ISA 20191213, ch. 5. */
export const translateRv64i: Translators<Block, typeof rv64i.insns> = {
  lwu: memory.load("u32"),
  ld: memory.load("u64"),
  sd: memory.store("u64"),
  slli: immediate("shl"),
  srli: immediate("shr"),
  srai: immediate("sar"),
  addiw: (b, { rd, rs1, imm }) => b.setX(rd, b.ir.ext32s(b.addressOf(rs1, imm))),
  slliw: wordImmediate(shl),
  srliw: wordImmediate(shr),
  sraiw: wordImmediate(sar),
  addw: word((b, x, y) => b.ir.add(x, y)),
  subw: word((b, x, y) => b.ir.sub(x, y)),
  sllw: word((b, x, y) => shl(b, x, count(b, y))),
  srlw: word((b, x, y) => shr(b, x, count(b, y))),
  sraw: word((b, x, y) => sar(b, x, count(b, y))),
};
