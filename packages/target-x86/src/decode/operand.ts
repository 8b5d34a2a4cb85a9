// Operands of rows, compiled: the letters and types of the notation as numbers.
import type { Encoding, Insn } from "../insn.ts";
import { RowError } from "./row-error.ts";

/** Where an operand is. */
export const PLACE = {
  /** General register by ModRM.reg, VEX.vvvv, the opcode. */
  regG: 0, regB: 1, regZ: 2,
  /** ModRM.rm: register or memory of this operand; which of the two forms it has is in `form`. */
  rm: 3,
  vecV: 4, vecH: 5, vecL: 6, mmP: 7,
  seg: 8, cr: 9, dr: 10,
  imm: 11, imms: 12, rel: 13, far: 14, moffs: 15,
  stringX: 16, stringY: 17,
  /** A register named outright: `n`. */
  fixedReg: 18, fixedHigh: 19, fixedSeg: 20, fixedVec: 21, fixedSt: 22,
  stRm: 23, one: 24,
} as const; // prettier-ignore

/** What ModRM.rm names where it is a register. */
export const BANK = { general: 0, vector: 1, mmx: 2, none: 3 } as const;

/** Sizes that depend on the instruction come after those that do not, which are their bytes. */
export const SIZE = { v: 64, z: 65, y: 66, x: 67, hx: 68, qx: 69, ex: 70 } as const;

const SIZES: Readonly<Record<string, number>> = {
  "": 0, b: 1, w: 2, d: 4, q: 8, t: 10, dq: 16, qq: 32, ps: SIZE.x, pd: SIZE.x, ss: 4, sd: 8, si: 4, pi: 8, p: 0, s: 0, a: 0,
  ...SIZE,
}; // prettier-ignore

/** One operand of a row. */
export interface OperandSpec {
  readonly place: number;
  /** Bytes, or a value of {@link SIZE}: of a register, and of memory. */
  readonly size: number;
  readonly memSize: number;
  /** For `rm`: a value of {@link BANK}. For fixed ones: the number. */
  readonly n: number;
}

/** Immediates in the order of their bytes. */
export const IMMEDIATE = { ib: 1, iw: 2, id: 3, iz: 4, iv: 5, cb: 6, cz: 7, cp: 8, mo: 9, is4: 10 } as const;

const FIXED: Readonly<Record<string, OperandSpec>> = {
  AL: fixed(PLACE.fixedReg, 1, 0),
  CL: fixed(PLACE.fixedReg, 1, 1),
  AH: fixed(PLACE.fixedHigh, 1, 0),
  AX: fixed(PLACE.fixedReg, 2, 0),
  DX: fixed(PLACE.fixedReg, 2, 2),
  eAX: fixed(PLACE.fixedReg, SIZE.z, 0),
  rAX: fixed(PLACE.fixedReg, SIZE.v, 0),
  ES: fixed(PLACE.fixedSeg, 2, 0),
  CS: fixed(PLACE.fixedSeg, 2, 1),
  SS: fixed(PLACE.fixedSeg, 2, 2),
  DS: fixed(PLACE.fixedSeg, 2, 3),
  FS: fixed(PLACE.fixedSeg, 2, 4),
  GS: fixed(PLACE.fixedSeg, 2, 5),
  XMM0: fixed(PLACE.fixedVec, 16, 0),
  ST: fixed(PLACE.fixedSt, 10, 0),
  ST0: fixed(PLACE.fixedSt, 10, 0),
  STi: fixed(PLACE.stRm, 10, 0),
  1: fixed(PLACE.one, 1, 1),
};

function fixed(place: number, size: number, n: number): OperandSpec {
  return { place, size, memSize: size, n };
}

const PLACES: Readonly<Record<string, number>> = {
  G: PLACE.regG, B: PLACE.regB, Z: PLACE.regZ, V: PLACE.vecV, H: PLACE.vecH, L: PLACE.vecL, P: PLACE.mmP,
  S: PLACE.seg, C: PLACE.cr, D: PLACE.dr, I: PLACE.imm, J: PLACE.rel, A: PLACE.far, O: PLACE.moffs,
  X: PLACE.stringX, Y: PLACE.stringY,
}; // prettier-ignore
const BANKS: Readonly<Record<string, number>> = {
  E: BANK.general, R: BANK.general, M: BANK.none, W: BANK.vector, U: BANK.vector, Q: BANK.mmx, N: BANK.mmx,
}; // prettier-ignore

/** Compiles one operand of `row`. @throws RowError */
export function operandSpec(row: Encoding, text: string): OperandSpec {
  const known = FIXED[text];
  if (known) return known;
  const [first = "", second] = text.split("/");
  const letter = first.charAt(0);
  const place = PLACES[letter];
  if (place === PLACE.imm && first === "Ibs") return { place: PLACE.imms, size: SIZE.v, memSize: SIZE.v, n: 0 };
  const size = typeSize(row, first.slice(1), text);
  if (place !== undefined && second === undefined) return { place, size, memSize: size, n: 0 };
  const bank = BANKS[letter];
  if (bank === undefined) throw new RowError(row, `operand "${text}": no such letter`);
  const memSize = second === undefined ? size : typeSize(row, second.slice(1), text);
  return { place: PLACE.rm, size, memSize, n: bank };
}

function typeSize(row: Encoding, type: string, text: string): number {
  const size = SIZES[type];
  if (size === undefined) throw new RowError(row, `operand "${text}": no such type`);
  return size;
}

/** Immediates that an operand needs, by the notation: the token that stands for it; "" none. */
export function immediateOf(text: string): string {
  if (FIXED[text]) return "";
  switch (text.charAt(0)) {
    case "I":
      return text === "Ibs" ? "ib" : `i${text.slice(1)}`;
    case "J":
      return `c${text.slice(1)}`;
    case "A":
      return "cp";
    case "O":
      return "mo";
    case "L":
      return "is4";
    default:
      return "";
  }
}

/** Bytes that a {@link SIZE} is in an instruction. */
export function sizeOf(size: number, insn: Insn): number {
  switch (size) {
    case SIZE.v:
      return insn.opSize;
    case SIZE.z:
      return insn.opSize === 8 ? 4 : insn.opSize;
    case SIZE.y:
      return insn.opSize === 2 ? 4 : insn.opSize;
    case SIZE.x:
      return insn.vex === 0 ? 16 : insn.vex;
    case SIZE.hx:
      return insn.vex === 32 ? 16 : 8;
    case SIZE.qx:
      return insn.vex === 32 ? 8 : 4;
    case SIZE.ex:
      return insn.vex === 32 ? 4 : 2;
    default:
      return size;
  }
}
