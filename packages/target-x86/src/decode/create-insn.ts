import { OPERAND } from "../insn.ts";
import type { Encoding, Insn, Operand } from "../insn.ts";

const NOTHING: Encoding = { name: "", enc: "", operands: "" };

function operand(): Operand {
  return { kind: OPERAND.none, size: 0, n: 0, high: false };
}

/** An instruction for the decoder to fill. */
export function createInsn(): Insn {
  return {
    encoding: NOTHING,
    row: -1,
    traits: 0,
    length: 0,
    mode: 32,
    opSize: 4,
    adSize: 4,
    lock: false,
    rep: 0,
    rexW: false,
    segment: -1,
    opcode: 0,
    modrm: -1,
    vex: 0,
    operands: [operand(), operand(), operand(), operand()],
    operandCount: 0,
    mem: { seg: 3, base: -1, index: -1, scale: 0, disp: 0, dispHi: 0 },
    immLo: 0,
    immHi: 0,
    imm2: 0,
  };
}
