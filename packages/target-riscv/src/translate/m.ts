import type { Translators } from "@mimus/decodetree";
import type { rv32m, rv64m } from "../decode/m.ts";
import type { Block } from "./block.ts";
import { word } from "./rv64i.ts";

type Operation = "mul" | "mulsh" | "mulsuh" | "muluh" | "div" | "divu" | "rem" | "remu";
/** The IR's division gives RISC-V's results by zero and on overflow. */
const binary =
  (op: Operation) =>
  (b: Block, { rd, rs1, rs2 }: { readonly rd: number; readonly rs1: number; readonly rs2: number }): void =>
    b.setX(rd, b.ir[op](b.x(rs1), b.x(rs2)));

/** Semantics of RV32M. Source: Unprivileged ISA 20191213, ch. 7. */
export const translateRv32m: Translators<Block, typeof rv32m.insns> = {
  mul: binary("mul"),
  mulh: binary("mulsh"),
  mulhsu: binary("mulsuh"),
  mulhu: binary("muluh"),
  div: binary("div"),
  divu: binary("divu"),
  rem: binary("rem"),
  remu: binary("remu"),
};

/** Semantics of what RV64M adds: 32-bit operands, extended before the operation. */
export const translateRv64m: Translators<Block, typeof rv64m.insns> = {
  mulw: word((b, x, y) => b.ir.mul(x, y)),
  divw: word((b, x, y) => b.ir.div(b.ir.ext32s(x), b.ir.ext32s(y))),
  divuw: word((b, x, y) => b.ir.divu(b.ir.ext32u(x), b.ir.ext32u(y))),
  remw: word((b, x, y) => b.ir.rem(b.ir.ext32s(x), b.ir.ext32s(y))),
  remuw: word((b, x, y) => b.ir.remu(b.ir.ext32u(x), b.ir.ext32u(y))),
};
