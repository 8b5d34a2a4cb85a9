// Operands in AT&T syntax: source first.
import { OPERAND, type Insn, type MemoryOperand, type Operand } from "../insn.ts";
import { SEG_NAMES } from "../state.ts";

const BYTES = ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"];
const HIGH = ["ah", "ch", "dh", "bh"];
const WORDS = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];

/** Name of general register `n`. */
function registerName(n: number, size: number, high = false): string {
  if (high) return HIGH[n] ?? "?";
  if (n >= 8) return `r${n}${size === 8 ? "" : size === 4 ? "d" : size === 2 ? "w" : "b"}`;
  if (size === 1) return BYTES[n] ?? "?";
  return `${size === 8 ? "r" : size === 4 ? "e" : ""}${WORDS[n] ?? "?"}`;
}

function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function joined(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Texts of the operands, in AT&T's order; the last `hidden` ones of the SDM's order are left out. */
export function operandTexts(insn: Insn, pc: bigint, hidden: number): string[] {
  const out: string[] = [];
  for (let k = insn.operandCount - 1 - hidden; k >= 0; k--) {
    const text = operandText(insn, insn.operands[k] as Operand, pc, k);
    if (text !== "") out.push(text);
  }
  const { name } = insn.encoding;
  // Two immediates, and the operands of BOUND, stay as the SDM has them
  if (/^(enter|bound)$/.test(name)) out.reverse();
  if (/^(jmp_ind|call_ind)$/.test(name) || (/^(jmpf|callf)$/.test(name) && insn.operands[0].kind === OPERAND.mem))
    return out.map((text) => `*${text}`);
  if (name === "xlat") return [`%${SEG_NAMES[insn.mem.seg] ?? ""}:(%${registerName(3, insn.adSize)})`];
  return out;
}

function operandText(insn: Insn, operand: Operand, pc: bigint, k: number): string {
  switch (operand.kind) {
    case OPERAND.reg:
      if (operand.n === 2 && /(^|,)DX(,|$)/.test(insn.encoding.operands)) return "(%dx)";
      if (insn.encoding.name === "movseg") return `%${registerName(operand.n, insn.opSize)}`;
      return `%${registerName(operand.n, operand.size, operand.high)}`;
    case OPERAND.mem:
      return memoryText(insn, k);
    case OPERAND.imm:
      return `$${hex(BigInt.asUintN(8 * immediateSize(insn, operand), joined(insn.immLo, insn.immHi)))}`;
    case OPERAND.imm2:
      return `$${hex(BigInt(insn.imm2 >>> 0))}`;
    case OPERAND.rel: {
      const target = pc + BigInt(insn.length) + joined(insn.immLo, insn.immHi);
      // A 16-bit target lies in the 64 KiB of the instruction, whatever the base of CS is
      if (insn.mode === 16 && insn.opSize === 2) return hex((pc & 0xffff_0000n) | (target & 0xffffn));
      return hex(BigInt.asUintN(8 * insn.opSize, target));
    }
    case OPERAND.far:
      return `$${hex(BigInt(insn.imm2))},$${hex(BigInt(insn.immLo >>> 0))}`;
    case OPERAND.seg:
      return `%${SEG_NAMES[operand.n] ?? "?"}`;
    case OPERAND.cr:
      return `%cr${operand.n}`;
    case OPERAND.dr:
      return `%db${operand.n}`;
    case OPERAND.st:
      return operand.n === 0 && !/STi/.test(insn.encoding.operands.split(",")[k] ?? "") ? "%st" : `%st(${operand.n})`;
    case OPERAND.mm:
      return `%mm${operand.n}`;
    case OPERAND.vec:
      return `%${operand.size === 32 ? "y" : "x"}mm${operand.n}`;
    case OPERAND.one:
      return "$1";
    default:
      return "";
  }
}

/** Width that an immediate is shown in: that of what it is added to. */
function immediateSize(insn: Insn, operand: Operand): number {
  if (operand.size === 1 || operand.size === 2) return operand.size;
  if (/^push$/.test(insn.encoding.name)) return insn.opSize;
  return operand.size === 0 ? 8 : operand.size;
}

function memoryText(insn: Insn, k: number): string {
  const { mem, encoding } = insn;
  const string = encoding.operands.split(",")[k] ?? "";
  if (string.startsWith("X")) return `%${SEG_NAMES[mem.seg] ?? ""}:(%${registerName(6, insn.adSize)})`;
  if (string.startsWith("Y")) return `%es:(%${registerName(7, insn.adSize)})`;
  return segmentText(insn) + addressText(insn, mem);
}

/** An override that the instruction has. */
function segmentText(insn: Insn): string {
  if (insn.segment < 0 || (insn.mode === 64 && insn.segment < 4)) return "";
  return `%${SEG_NAMES[insn.segment] ?? ""}:`;
}

function addressText(insn: Insn, mem: MemoryOperand): string {
  const vector = /\bvsib\b/.test(insn.encoding.flags ?? "");
  const name = (n: number): string => `%${registerName(n, insn.adSize)}`;
  const wide = insn.adSize === 8;
  if (mem.base === -2) return `${hex(BigInt(mem.disp))}(%${wide ? "rip" : "eip"})`;
  const sib = insn.modrm >= 0 && insn.adSize !== 2 && (insn.modrm & 7) === 4;
  if (mem.base === -1 && mem.index === -1 && !(sib && (mem.scale !== 0 || !wide))) {
    if (insn.adSize === 2 && insn.modrm >= 0) return hex(BigInt(mem.disp));
    return hex(BigInt.asUintN(8 * insn.adSize, joined(mem.disp, mem.dispHi)));
  }
  // A SIB without index is shown but where nothing else addresses by SP
  const none = sib && ((mem.base !== 4 && mem.base !== 12) || mem.scale !== 0);
  const index =
    mem.index < 0
      ? none
        ? `,%${wide ? "riz" : "eiz"},${1 << mem.scale}`
        : ""
      : `,${vector ? `%${insn.vex === 32 ? "y" : "x"}mm${mem.index}` : name(mem.index)}${insn.adSize === 2 ? "" : `,${1 << mem.scale}`}`;
  const mod = insn.modrm >> 6;
  const shown = mod !== 0 || mem.base < 0 ? hex(BigInt(mem.disp)) : "";
  return `${shown}(${mem.base < 0 ? "" : name(mem.base)}${index})`;
}
