/** Short names of common encodings, for the disassembler. Source: RISC-V Assembly Programmer's Manual, pseudoinstructions. */
import { OPERANDS, X_ABI, F_ABI, type TextContext } from "../operands.ts";

type Operands = Readonly<Record<string, number>>;
type Alias = (o: Operands, ctx: TextContext) => string | undefined;

const x = (n: number | undefined): string => X_ABI[n ?? 0] ?? "";
const f = (n: number | undefined): string => F_ABI[n ?? 0] ?? "";
const target = (o: Operands, ctx: TextContext): string => OPERANDS["pcrel"]?.print(o["imm"] ?? 0, ctx) ?? "";
const csr = (o: Operands, ctx: TextContext): string => OPERANDS["csr"]?.print(o["csr"] ?? 0, ctx) ?? "";

const zeroBranch =
  (plain: string, reversed: string | undefined): Alias =>
  (o, ctx) => {
    if (o["rs2"] === 0) return `${plain} ${x(o["rs1"])}, ${target(o, ctx)}`;
    if (o["rs1"] === 0 && reversed) return `${reversed} ${x(o["rs2"])}, ${target(o, ctx)}`;
    return undefined;
  };
const sameSign =
  (name: string): Alias =>
  (o) =>
    o["rs1"] === o["rs2"] ? `${name} ${f(o["rd"])}, ${f(o["rs1"])}` : undefined;
const unary = (name: string, o: Operands, from = "rs1"): string => `${name} ${x(o["rd"])}, ${x(o[from])}`;

const ALIASES: Readonly<Record<string, Alias>> = {
  addi: (o) => {
    if (o["rd"] === 0 && o["rs1"] === 0 && o["imm"] === 0) return "nop";
    if (o["rs1"] === 0) return `li ${x(o["rd"])}, ${o["imm"]}`;
    return o["imm"] === 0 ? unary("mv", o) : undefined;
  },
  xori: (o) => (o["imm"] === -1 ? unary("not", o) : undefined),
  sub: (o) => (o["rs1"] === 0 ? unary("neg", o, "rs2") : undefined),
  subw: (o) => (o["rs1"] === 0 ? unary("negw", o, "rs2") : undefined),
  addiw: (o) => (o["imm"] === 0 ? unary("sext.w", o) : undefined),
  sltiu: (o) => (o["imm"] === 1 ? unary("seqz", o) : undefined),
  sltu: (o) => (o["rs1"] === 0 ? unary("snez", o, "rs2") : undefined),
  slt: (o) => (o["rs2"] === 0 ? unary("sltz", o) : o["rs1"] === 0 ? unary("sgtz", o, "rs2") : undefined),
  beq: zeroBranch("beqz", undefined),
  bne: zeroBranch("bnez", undefined),
  blt: zeroBranch("bltz", "bgtz"),
  bge: zeroBranch("bgez", "blez"),
  jal: (o, ctx) => (o["rd"] === 0 ? `j ${target(o, ctx)}` : o["rd"] === 1 ? `jal ${target(o, ctx)}` : undefined),
  jalr: (o) => {
    if (o["imm"] !== 0) return o["rd"] === 0 ? `jr ${o["imm"]}(${x(o["rs1"])})` : undefined;
    if (o["rd"] === 0) return o["rs1"] === 1 ? "ret" : `jr ${x(o["rs1"])}`;
    return o["rd"] === 1 ? `jalr ${x(o["rs1"])}` : undefined;
  },
  fence: (o) => (o["pred"] === 15 && o["succ"] === 15 ? "fence" : undefined),
  csrrs: (o, ctx) => {
    if (o["rs1"] === 0) return `csrr ${x(o["rd"])}, ${csr(o, ctx)}`;
    return o["rd"] === 0 ? `csrs ${csr(o, ctx)}, ${x(o["rs1"])}` : undefined;
  },
  csrrw: (o, ctx) => (o["rd"] === 0 ? `csrw ${csr(o, ctx)}, ${x(o["rs1"])}` : undefined),
  csrrc: (o, ctx) => (o["rd"] === 0 ? `csrc ${csr(o, ctx)}, ${x(o["rs1"])}` : undefined),
  csrrwi: (o, ctx) => (o["rd"] === 0 ? `csrwi ${csr(o, ctx)}, ${o["imm"]}` : undefined),
  csrrsi: (o, ctx) => (o["rd"] === 0 ? `csrsi ${csr(o, ctx)}, ${o["imm"]}` : undefined),
  csrrci: (o, ctx) => (o["rd"] === 0 ? `csrci ${csr(o, ctx)}, ${o["imm"]}` : undefined),
  fsgnj_s: sameSign("fmv.s"),
  fsgnjn_s: sameSign("fneg.s"),
  fsgnjx_s: sameSign("fabs.s"),
  fsgnj_d: sameSign("fmv.d"),
  fsgnjn_d: sameSign("fneg.d"),
  fsgnjx_d: sameSign("fabs.d"),
};

/** The short form of instruction `name` with these operands, if it has one. */
export function alias(name: string, operands: Operands, ctx: TextContext): string | undefined {
  return ALIASES[name]?.(operands, ctx);
}
