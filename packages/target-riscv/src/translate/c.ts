import type { Translators } from "@mimus/decodetree";
import type { rv32c, rv32fc, rv64c, rvc, rvdc } from "../decode/c.ts";
import type { Block } from "./block.ts";
import { translateRv32d as d } from "./d.ts";
import { translateRv32f as f } from "./f.ts";
import { translateRv32i as i, translateRv32iShifts as shifts } from "./rv32i.ts";
import { translateRv64i as i64 } from "./rv64i.ts";

const SP = 2;
type Immediate = { readonly rd: number; readonly imm: number };
type Pair = { readonly rd: number; readonly rs2: number };

/** rd op= rs2. */
const onto =
  (op: (b: Block, operands: { readonly rd: number; readonly rs1: number; readonly rs2: number }) => void) =>
  (b: Block, { rd, rs2 }: Pair): void =>
    op(b, { rd, rs1: rd, rs2 });
/** rd op= immediate. */
const ontoConstant =
  (op: (b: Block, operands: { readonly rd: number; readonly rs1: number; readonly imm: number }) => void) =>
  (b: Block, { rd, imm }: Immediate): void =>
    op(b, { rd, rs1: rd, imm });
const fromStack =
  (op: (b: Block, operands: { readonly rd: number; readonly rs1: number; readonly imm: number }) => void) =>
  (b: Block, { rd, imm }: Immediate): void =>
    op(b, { rd, rs1: SP, imm });
const toStack =
  (op: (b: Block, operands: { readonly rs1: number; readonly rs2: number; readonly imm: number }) => void) =>
  (b: Block, { rs2, imm }: { readonly rs2: number; readonly imm: number }): void =>
    op(b, { rs1: SP, rs2, imm });

/** Each compressed instruction is the one of the base it expands to. Source: Unprivileged ISA 20191213, ch. 16. */
export const translateRvc: Translators<Block, typeof rvc.insns> = {
  c_addi4spn: fromStack(i.addi),
  c_lw: i.lw,
  c_sw: i.sw,
  c_addi: ontoConstant(i.addi),
  c_li: (b, { rd, imm }) => i.addi(b, { rd, rs1: 0, imm }),
  c_addi16sp: (b, { imm }) => i.addi(b, { rd: SP, rs1: SP, imm }),
  c_lui: i.lui,
  c_andi: ontoConstant(i.andi),
  c_sub: onto(i.sub),
  c_xor: onto(i.xor),
  c_or: onto(i.or),
  c_and: onto(i.and),
  c_j: (b, { imm }) => i.jal(b, { rd: 0, imm }),
  c_beqz: (b, { rs1, imm }) => i.beq(b, { rs1, rs2: 0, imm }),
  c_bnez: (b, { rs1, imm }) => i.bne(b, { rs1, rs2: 0, imm }),
  c_lwsp: fromStack(i.lw),
  c_jr: (b, { rs1 }) => i.jalr(b, { rd: 0, rs1, imm: 0 }),
  c_mv: (b, { rd, rs2 }) => b.setX(rd, b.x(rs2)),
  c_ebreak: (b) => i.ebreak(b, {}),
  c_jalr: (b, { rs1 }) => i.jalr(b, { rd: 1, rs1, imm: 0 }),
  c_add: onto(i.add),
  c_swsp: toStack(i.sw),
};

/** RVC of RV32. */
export const translateRv32c: Translators<Block, typeof rv32c.insns> = {
  c_jal: (b, { imm }) => i.jal(b, { rd: 1, imm }),
  c_srli: ontoConstant(shifts.srli),
  c_srai: ontoConstant(shifts.srai),
  c_slli: ontoConstant(shifts.slli),
};

/** RVC of RV64. */
export const translateRv64c: Translators<Block, typeof rv64c.insns> = {
  c_ld: i64.ld,
  c_sd: i64.sd,
  c_addiw: ontoConstant(i64.addiw),
  c_srli: ontoConstant(i64.srli),
  c_srai: ontoConstant(i64.srai),
  c_subw: onto(i64.subw),
  c_addw: onto(i64.addw),
  c_slli: ontoConstant(i64.slli),
  c_ldsp: fromStack(i64.ld),
  c_sdsp: toStack(i64.sd),
};

/** RVC with F on RV32. */
export const translateRv32fc: Translators<Block, typeof rv32fc.insns> = {
  c_flw: f.flw,
  c_fsw: f.fsw,
  c_flwsp: fromStack(f.flw),
  c_fswsp: toStack(f.fsw),
};

/** RVC with D. */
export const translateRvdc: Translators<Block, typeof rvdc.insns> = {
  c_fld: d.fld,
  c_fsd: d.fsd,
  c_fldsp: fromStack(d.fld),
  c_fsdsp: toStack(d.fsd),
};
