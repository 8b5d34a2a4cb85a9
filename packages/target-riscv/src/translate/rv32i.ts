import type { Translators } from "@mimus/decodetree";
import type { Cond, Value } from "@mimus/tcg";
import { EXC } from "../constants.ts";
import type { rv32i, rv32iShifts, zifencei } from "../decode/rv32i.ts";
import type { Block } from "./block.ts";
import { enterEcall } from "./trap.ts";

/** FENCE with predecessor W and no successor. */
const PAUSE = 0x0100000f;

/** rs1 op immediate. */
type Immediate = { readonly rd: number; readonly rs1: number; readonly imm: number };
/** rs1 op rs2. */
type Registers = { readonly rd: number; readonly rs1: number; readonly rs2: number };
type Branch = { readonly rs1: number; readonly rs2: number; readonly imm: number };

/** Condition-code branch: chain slot 0 is the fall-through, 1 the target. */
const branch =
  (cond: Cond) =>
  (b: Block, { rs1, rs2, imm }: Branch): void => {
    const taken = b.ir.label();
    b.ir.brcond(cond, b.x(rs1), b.x(rs2), taken);
    b.jump(0, b.length);
    b.ir.place(taken);
    if (!b.misalignedTarget(imm)) b.jump(1, imm);
    b.ctx.done = true;
  };

const load =
  (mem: "u8" | "s8" | "u16" | "s16" | "u32" | "s32" | "u64") =>
  (b: Block, { rd, rs1, imm }: Immediate): void =>
    b.setX(rd, b.load(mem, b.addressOf(rs1, imm)));

const store =
  (mem: "u8" | "u16" | "u32" | "u64") =>
  (b: Block, { rs1, rs2, imm }: Branch): void =>
    b.store(mem, b.addressOf(rs1, imm), b.x(rs2));

/** Loads, stores and branches by width, shared with RV64I. */
export const memory = { load, store };

type Binary = "add" | "sub" | "and" | "or" | "xor" | "shl" | "shr" | "sar";
/** An operation on two registers that the IR has as such. Shift counts are taken modulo the width by both. */
const binary =
  (op: Binary) =>
  (b: Block, { rd, rs1, rs2 }: Registers): void =>
    b.setX(rd, b.ir[op](b.x(rs1), b.x(rs2)));
/** The same with a constant. */
export const immediate =
  (op: Binary) =>
  (b: Block, { rd, rs1, imm }: Immediate): void =>
    b.setX(rd, b.ir[op](b.x(rs1), b.imm(imm)));
const compare =
  (cond: Cond) =>
  (b: Block, { rd, rs1, rs2 }: Registers): void =>
    b.setX(rd, b.ir.setcond(cond, b.x(rs1), b.x(rs2)));
const compareImmediate =
  (cond: Cond) =>
  (b: Block, { rd, rs1, imm }: Immediate): void =>
    b.setX(rd, b.ir.setcond(cond, b.x(rs1), b.imm(imm)));

const LINK: ReadonlySet<number> = new Set([1, 5]);

function jalr(b: Block, { rd, rs1, imm }: Immediate): void {
  const { ir } = b;
  let target: Value = b.addressOf(rs1, imm);
  target = ir.and(target, b.imm(-2));
  if (!b.hart.ext.c) {
    b.when("tstne", target, b.imm(2), () => b.raise(EXC.FETCH_MISALIGNED, target));
  }
  b.setX(rd, b.address(b.length));
  ir.set("pc", target);
  ir.gotoPtr(LINK.has(rd) ? "call" : LINK.has(rs1) && rd === 0 ? "return" : "indirect");
  b.ctx.done = true;
}

/** Semantics of RV32I. Source: Unprivileged ISA 20191213, ch. 2. */
export const translateRv32i: Translators<Block, typeof rv32i.insns> = {
  lui: (b, { rd, imm }) => b.setX(rd, b.imm(imm)),
  auipc: (b, { rd, imm }) => b.setX(rd, b.address(imm)),
  jal: (b, { rd, imm }) => {
    b.ctx.done = true;
    if (b.misalignedTarget(imm)) return;
    b.setX(rd, b.address(b.length));
    if (!LINK.has(rd)) return b.jump(0, imm);
    b.ir.set("pc", b.address(imm));
    b.ir.gotoPtr("call");
  },
  jalr,
  beq: branch("eq"),
  bne: branch("ne"),
  blt: branch("lt"),
  bge: branch("ge"),
  bltu: branch("ltu"),
  bgeu: branch("geu"),
  lb: load("s8"),
  lh: load("s16"),
  lw: load("s32"),
  lbu: load("u8"),
  lhu: load("u16"),
  sb: store("u8"),
  sh: store("u16"),
  sw: store("u32"),
  addi: (b, { rd, rs1, imm }) => b.setX(rd, rs1 === 0 ? b.imm(imm) : b.addressOf(rs1, imm)),
  slti: compareImmediate("lt"),
  sltiu: compareImmediate("ltu"),
  xori: immediate("xor"),
  ori: immediate("or"),
  andi: immediate("and"),
  add: binary("add"),
  sub: binary("sub"),
  sll: binary("shl"),
  slt: compare("lt"),
  sltu: compare("ltu"),
  xor: binary("xor"),
  srl: binary("shr"),
  sra: binary("sar"),
  or: binary("or"),
  and: binary("and"),
  // PAUSE is a fence hint: another hart gets its turn. Source: Zihintpause 2.0.
  fence: (b) => (b.bits === PAUSE && b.hart.ext.zihintpause ? b.endToLoop("yield") : b.ir.mb(15)),
  ecall: (b) => {
    if (b.hart.inlineTraps === true) return enterEcall(b);
    b.raise(EXC.ECALL_U + b.priv);
    b.ctx.done = true;
  },
  ebreak: (b) => {
    b.raise(EXC.BREAKPOINT, b.address(0));
    b.ctx.done = true;
  },
};

/** Shifts by a constant of RV32I. */
export const translateRv32iShifts: Translators<Block, typeof rv32iShifts.insns> = {
  slli: immediate("shl"),
  srli: immediate("shr"),
  srai: immediate("sar"),
};

/** FENCE.I: stores drop translated code at once, so ending the block is all that is needed. */
export const translateZifencei: Translators<Block, typeof zifencei.insns> = {
  fence_i: (b) => {
    b.ir.set("pc", b.address(b.length));
    b.ir.gotoPtr("barrier");
    b.ctx.done = true;
  },
};
