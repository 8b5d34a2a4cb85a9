/** Instructions that stand for all of one shape. */
import { createInsn } from "../decode/create-insn.ts";
import { OPERAND, type Insn } from "../insn.ts";
import { REG } from "../state.ts";
import { CLASS, immediateSize, SHAPE, shapeOf, VALUES } from "./stamp-shape.ts";

const PAGE = 4096;

/** Registers of the two samples, none of them special; the first four may be AH, CH, DH, BH. */
const REGISTERS = [
  [2, 3, 6, 7],
  [1, 0, 5, 3],
] as const;

/** By {@link CLASS}, halves of the immediates of the two samples: as far from each other as may be, of both signs. */
const IMMEDIATES: Readonly<Record<number, readonly [readonly [number, number], readonly [number, number]]>> = {
  [CLASS.small]: [[0x1234, 0], [-0x2345, -1]],
  [CLASS.large]: [[0x1234_5678, 0], [-0x2abb_ccdd, -1]],
  [CLASS.wide]: [[0x1234_5678, 0x2345_6789], [-0x2bcd_ef01, 0x3abc_def1]],
}; // prettier-ignore
/** Those of operands of 1 and of 2 bytes, which are zero-extended. */
const BYTES = [0x35, 0x62] as const;
const SHORTS: Readonly<Record<number, readonly [number, number]>> = {
  [CLASS.small]: [0x1234, 0x2345],
  [CLASS.large]: [0x9234, 0xa345],
};
const DISPLACEMENTS = [
  [0, 0],
  [0x1238, -0x2350],
  [0x1234_5670, -0x2abb_ccd0],
] as const;
/** Distances within a page, and out of it. */
const NEAR = [0x64, -0x75] as const;
const FAR = [0x12_3456, -0x23_4567] as const;

/** Number 0 or 1 of two samples of the shape of `like`, which is `shape`; undefined when it is not of that shape. */
export function sampleOf(like: Insn, shape: number, near: number, n: 0 | 1): Insn | undefined {
  const i = createInsn();
  const { operands, mem, ...rest } = like;
  Object.assign(i, rest);
  Object.assign(i.mem, mem);
  const names = new Map<number, number>([[REG.sp, REG.sp]]);
  const implicit = (shape & ((1 << SHAPE.pushed) | (1 << SHAPE.based))) !== 0;
  if (!implicit) names.clear();
  let used = 0;
  const rename = (register: number): number => {
    if (register < 0) return register;
    let name = names.get(register);
    if (name === undefined) names.set(register, (name = REGISTERS[n][used++] ?? -1));
    return name;
  };
  let relative = false;
  for (const [k, o] of operands.entries()) {
    Object.assign(i.operands[k]!, o);
    if (k >= like.operandCount) continue;
    if (o.kind === OPERAND.reg) i.operands[k]!.n = rename(o.n);
    if (o.kind === OPERAND.rel) relative = true;
    if (o.kind === OPERAND.imm) immediate(i, like, (shape >> SHAPE.immediate) & 0x7f, n);
  }
  i.mem.base = rename(mem.base);
  i.mem.index = rename(mem.index);
  const size = (shape >> SHAPE.displacement) & 3;
  if (((shape >> SHAPE.memory) & 1) !== 0) {
    i.mem.disp = (shape & (1 << SHAPE.sameNumbers)) !== 0 ? i.immLo : DISPLACEMENTS[size]![n];
    i.mem.dispHi = i.mem.disp >> 31;
  }
  if (relative && like.immLo !== 0) {
    i.immLo = ((near & 2) !== 0 ? NEAR : FAR)[n];
    i.immHi = i.immLo >> 31;
  }
  if (used > REGISTERS[n].length) return undefined;
  return shapeOf(i, new Int32Array(VALUES)) === shape ? i : undefined;
}

/** Chooses an immediate of a class; 0, 1, -1, and counts of shifts, are what they are. */
function immediate(i: Insn, like: Insn, kind: number, n: 0 | 1): void {
  if (kind < CLASS.small || kind > CLASS.wide) return;
  const size = immediateSize(like);
  const short = size === 1 ? BYTES[n] : size === 2 ? SHORTS[kind]?.[n] : undefined;
  [i.immLo, i.immHi] = short === undefined ? IMMEDIATES[kind]![n] : [short, 0];
}

/** Offset of a sample from the beginning of its page, where the block begins. */
export function sampleOffset(length: number, near: number, n: 0 | 1): number {
  if ((near & 1) !== 0) return PAGE / 2 + 16 * n;
  return n === 0 ? PAGE - length : PAGE - Math.max(length - 1, 1);
}
