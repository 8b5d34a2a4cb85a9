// Mnemonics of AT&T syntax, where they are not those of the SDM.
import { OPERAND, type Insn, type Operand } from "../insn.ts";

const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];

/** Suffix of a condition, 0..15: "ae". */
function conditionName(cc: number): string {
  return CONDITIONS[cc & 15] ?? "";
}

const SUFFIX: Readonly<Record<number, string>> = { 1: "b", 2: "w", 4: "l", 8: "q" };
/** The size is told by a suffix where no register tells it. */
const SIZED =
  /^(add|or|adc|sbb|and|sub|xor|cmp|inc|dec|test|not|neg|mul|imul1?|div|idiv|mov|rol|ror|rcl|rcr|shl|shr|sar|bts?|btr|btc|nop)$/;
/** The stack's and branches' size is told only where it is not the mode's own. */
const STACK = /^(push|pop|pushf|popf|pusha|popa|enter|leave|call|call_ind|jmp_ind|ret|pushseg|popseg)$/;
const BY_SIZE: Readonly<Record<string, readonly [string, string, string]>> = {
  cbw: ["cbtw", "cwtl", "cltq"],
  cwd: ["cwtd", "cltd", "cqto"],
  jcxz: ["jcxz", "jecxz", "jrcxz"],
};
const FAR: Readonly<Record<string, string>> = { callf: "lcall", jmpf: "ljmp", retf: "lret", iret: "iret" };
const RENAMED: Readonly<Record<string, string>> = {
  imul1: "imul", setcc: "set%c", cmovcc: "cmov%c", jcc: "j%c", loopnz: "loopne", int1: "int1", readcr: "mov", writecr: "mov",
  readdr: "mov", writedr: "mov", readseg: "mov", movseg: "mov", pushseg: "push", popseg: "pop", call_ind: "call", jmp_ind: "jmp",
}; // prettier-ignore

/** What the default operand size is, in bytes, for stack and branches (`stack`) or the rest. */
function usual(insn: Insn, stack: boolean): number {
  return insn.mode === 64 ? (stack ? 8 : 4) : insn.mode / 8;
}

function bySize(size: number, [w, l, q]: readonly [string, string, string]): string {
  return size === 8 ? q : size === 4 ? l : w;
}

/** The mnemonic, and how many leading operands it says by itself. */
export function att(insn: Insn): { name: string; hidden: number } {
  const { name, text = name } = insn.encoding;
  const [first, second] = insn.operands;
  const special = BY_SIZE[name];
  if (special) return { name: bySize(name === "jcxz" ? insn.adSize : insn.opSize, special), hidden: 0 };
  if (name === "nop" && insn.opcode === 0x90)
    return { name: insn.opSize === 2 && insn.mode !== 16 ? "xchg %ax,%ax" : "nop", hidden: 0 };
  const far = FAR[name];
  if (far !== undefined)
    return { name: insn.opSize === usual(insn, false) ? far : far + sized(insn.opSize), hidden: 0 };
  if (name === "movzx" || name === "movsx")
    return { name: `${name.slice(0, 4)}${sized(second.size)}${sized(first.size)}`, hidden: 0 };
  if (name === "movsxd") return { name: first.size === 8 ? "movslq" : "movsxd", hidden: 0 };
  if (name === "mov" && first.kind === OPERAND.reg && second.kind === OPERAND.imm && insn.encoding.enc.startsWith("B"))
    return { name: first.size === 8 ? "movabs" : "mov", hidden: 0 };
  if (name === "mov" && insn.mode === 64 && insn.encoding.enc.endsWith(" mo") && insn.adSize === 8)
    return { name: "movabs", hidden: 0 };
  if (/^(movs|cmps|ins|outs)$/.test(name)) return { name: name + stringSuffix(insn), hidden: 0 };
  const shift = /^(ro|rc|sh|sa)[lr]$/.test(name) && second.kind === OPERAND.one;
  if (shift) return { name: needsSuffix(insn) ? name + sized(first.size) : name, hidden: 1 };
  const float = name.startsWith("f") ? x87(insn) : undefined;
  if (float !== undefined) return { name: float, hidden: 0 };
  let out = (RENAMED[name] ?? text).replace("%c", conditionName(insn.opcode));
  if (out.includes("%x")) return { name: out.replace("%x", insn.rexW ? "64" : ""), hidden: 0 };
  if (name === "crc32") return { name: `crc32${second.kind === OPERAND.mem ? sized(second.size) : ""}`, hidden: 0 };
  out = out.replace("%s", "");
  if (STACK.test(name)) {
    const plain = insn.operandCount > 0 && (first.kind === OPERAND.reg || first.kind === OPERAND.rel);
    if (insn.opSize !== usual(insn, true) && !plain) out += sized(insn.opSize);
    return { name: out, hidden: 0 };
  }
  if (SIZED.test(name) && !(name === "nop" && !text.includes("%s")) && needsSuffix(insn))
    out += sized(memorySize(insn));
  return { name: out, hidden: 0 };
}

const FLOAT = /^f(add|mul|comp?|subr?|divr?|ld|stp?)$/;
const INTEGER = /^fi(add|mul|comp?|subr?|divr?|ld|stp?|sttp)$/;
const FLOAT_SUFFIX: Readonly<Record<number, string>> = { 4: "s", 8: "l", 10: "t" };
const INTEGER_SUFFIX: Readonly<Record<number, string>> = { 2: "s", 4: "l", 8: "ll" };

/** x87: sizes of memory; and where ST(i) is the destination AT&T means by FSUB and FDIV what others mean by FSUBR and FDIVR. */
function x87(insn: Insn): string | undefined {
  const { name, operands } = insn.encoding;
  const size = memorySize(insn);
  if (size > 0 && FLOAT.test(name)) return name + (FLOAT_SUFFIX[size] ?? "");
  if (size > 0 && INTEGER.test(name)) return name + (INTEGER_SUFFIX[size] ?? "");
  const [, operation, reverse, pop] = /^(fsub|fdiv)(r?)(p?)$/.exec(name) ?? [];
  if (operation === undefined || !operands.startsWith("STi")) return undefined;
  return `${operation}${reverse === "" ? "r" : ""}${pop ?? ""}`;
}

function stringSuffix(insn: Insn): string {
  const size = insn.operands[0].kind === OPERAND.mem ? insn.operands[0].size : insn.operands[1].size;
  return sized(size);
}

function sized(size: number): string {
  return SUFFIX[size] ?? "";
}

function memorySize(insn: Insn): number {
  for (let k = 0; k < insn.operandCount; k++) {
    const operand = insn.operands[k] as Operand;
    if (operand.kind === OPERAND.mem) return operand.size;
  }
  return 0;
}

/** Memory, and no register but a shift count. */
function needsSuffix(insn: Insn): boolean {
  if (memorySize(insn) === 0) return false;
  for (let k = 0; k < insn.operandCount; k++) {
    const operand = insn.operands[k] as Operand;
    const count = k === 1 && insn.encoding.operands.endsWith(",CL");
    if (operand.kind === OPERAND.reg && !count) return false;
  }
  return true;
}
