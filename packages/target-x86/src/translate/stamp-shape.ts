/** Operands of instructions that are stamped: the values in their bytecode, and what else that depends on. */
import { OPERAND, type Insn } from "../insn.ts";
import { REG, SEG, regOffset } from "../state.ts";

/** Numbers of the values that a stamp's places are filled with: slots of registers, immediate and displacement, addresses. */
export const VALUE = {
  first: 1, second: 2, base: 3, index: 4, immLo: 5, immHi: 6, immCut: 7, dispLo: 8, dispHi: 9,
  memoryLo: 10, memoryHi: 11, nextLo: 12, nextHi: 13, targetLo: 14, targetHi: 15,
} as const; // prettier-ignore
/** How many values there are, with number 0. */
export const VALUES = 16;

/** Where an instruction is: address of its block in halves, its offset there; addresses have 64 bits. */
export interface Place {
  readonly pcLo: number;
  readonly pcHi: number;
  readonly at: number;
  readonly wide: boolean;
}

/** How a number is treated by translators and in bytecode, with a class of its own for each that is treated differently. */
export const CLASS = { zero: 0, one: 1, minusOne: 2, small: 3, large: 4, wide: 5 } as const;

/** {@link CLASS} of an integer in halves. */
function classOf(lo: number, hi: number): number {
  if (hi !== lo >> 31) return CLASS.wide;
  if (lo >= -1 && lo <= 1) return lo < 0 ? CLASS.minusOne : lo;
  return lo >= -0x8000 && lo <= 0x7fff ? CLASS.small : CLASS.large;
}

/** Where parts of a shape are that samples are made from: bits. */
export const SHAPE = {
  /** {@link CLASS} of the immediate, or 8 + the count of a shift: 7 bits. */
  immediate: 4,
  /** An instruction that uses the stack has its pointer as an operand, or as the base of its address. */
  pushed: 12,
  based: 24,
  memory: 13,
  /** Of the displacement: 0 none, 1 of 16 bits, 2 larger. */
  displacement: 14,
  /** Displacement and immediate are the same. */
  sameNumbers: 16,
} as const;

const bit = (holds: boolean, n: number): number => (holds ? 1 << n : 0);

const TWO_32 = 0x1_0000_0000;
const IMPLICIT_SP: ReadonlySet<string> = new Set(["push", "pop", "call", "call_ind", "ret"]);
const SHIFTS: ReadonlySet<string> = new Set(["shl", "shr", "sar"]);

/** Bytes of the immediate as it is used. */
export function immediateSize({ operands, opSize }: Insn): number {
  const [o] = operands;
  return o.kind === OPERAND.imm || o.kind === OPERAND.rel ? opSize : o.size;
}

/** The low half of the immediate as operands of 1 and 2 bytes have it: zero-extended. */
function cutImmediate(i: Insn): number {
  const size = immediateSize(i);
  return size === 1 ? i.immLo & 0xff : size === 2 ? i.immLo & 0xffff : i.immLo;
}

/**
 * Tells the values of an instruction but its addresses.
 * @returns what its translation depends on besides them, its row, the mode and the flags' state; -1 when it has operands that are not stamped
 */
export function shapeOf(i: Insn, values: Int32Array): number {
  const { operands, operandCount } = i;
  let first = -1;
  let second = -1;
  let memory = false;
  let high = 0;
  let immediate = 0;
  for (let k = 0; k < operandCount; k++) {
    const o = operands[k]!;
    switch (o.kind) {
      case OPERAND.reg:
        // A shift by CL may leave the flags as they were.
        if (k === 1 && SHIFTS.has(i.encoding.name)) return -1;
        if (first < 0) first = o.n;
        else if (second < 0) second = o.n;
        else return -1;
        if (o.high) high |= 1 << k;
        break;
      case OPERAND.mem:
        memory = true;
        break;
      case OPERAND.imm: {
        const cut = cutImmediate(i);
        immediate = SHIFTS.has(i.encoding.name)
          ? 8 + (i.immLo & 63)
          : classOf(cut, immediateSize(i) === 8 ? i.immHi : cut >> 31);
        break;
      }
      case OPERAND.rel:
        immediate = i.immLo === 0 ? CLASS.zero : CLASS.large;
        break;
      case OPERAND.one:
        break;
      default:
        return -1;
    }
  }
  values[VALUE.first] = regOffset(first);
  values[VALUE.second] = regOffset(second);
  values[VALUE.immLo] = i.immLo;
  values[VALUE.immHi] = i.immHi;
  values[VALUE.immCut] = cutImmediate(i);
  if (high > 3 || i.lock || i.rep !== 0 || i.vex !== 0) return -1;
  const stack = IMPLICIT_SP.has(i.encoding.name);
  const shape =
    (i.opSize >> 2) | (high << 2) | (immediate << SHAPE.immediate) | bit(first >= 0 && first === second, 11);
  const pushed = bit(stack && first === REG.sp, SHAPE.pushed);
  if (!memory) return shape | pushed;
  const at = memoryShape(i, first, second, stack, values);
  return at < 0 ? -1 : shape | pushed | at;
}

/** The part of {@link shapeOf} that is of the memory operand. */
function memoryShape(i: Insn, first: number, second: number, stack: boolean, values: Int32Array): number {
  const { base, index, scale, seg, disp, dispHi } = i.mem;
  const popped = i.encoding.name === "pop";
  if (i.adSize === 2 || popped || (seg === SEG.cs && i.mode !== 64) || dispHi !== disp >> 31) return -1;
  values[VALUE.base] = regOffset(base);
  values[VALUE.index] = regOffset(index);
  values[VALUE.dispLo] = disp;
  values[VALUE.dispHi] = dispHi;
  const size = disp === 0 ? 0 : disp >= -0x8000 && disp <= 0x7fff ? 1 : 2;
  const shape =
    (1 << SHAPE.memory) | (size << SHAPE.displacement) | bit(disp === i.immLo, SHAPE.sameNumbers) |
    bit(i.adSize === 8, 17) | ((seg < SEG.fs ? 0 : seg - 3) << 18) | ((base >= 0 ? 1 : base === -2 ? 2 : 0) << 20); // prettier-ignore
  const based = base < 0 ? 0 : bit(base === first, 22) | bit(base === second, 23) | bit(stack && base === REG.sp, SHAPE.based); // prettier-ignore
  if (index < 0) return shape | based;
  return shape | based | (1 << 25) | (scale << 26) | bit(index === first, 28) | bit(index === second, 29) | bit(index === base, 30); // prettier-ignore
}

const highOf = (n: number, place: Place): number => (place.wide ? place.pcHi + Math.floor(n / TWO_32) : 0);

/**
 * Tells the addresses: of a memory operand that is relative to the instruction, behind the instruction, and of its target.
 * @returns which of the last two lie in the page where the block begins, 1 and 2; -1 when they do not lie in one stretch with the block
 */
export function fillAddresses(values: Int32Array, i: Insn, place: Place): number {
  const next = (place.pcLo >>> 0) + place.at + i.length;
  const target = next + i.immLo;
  const memory = next + i.mem.disp;
  values[VALUE.memoryLo] = memory;
  values[VALUE.memoryHi] = highOf(memory, place);
  values[VALUE.nextLo] = next;
  values[VALUE.nextHi] = highOf(next, place);
  values[VALUE.targetLo] = target;
  values[VALUE.targetHi] = highOf(target, place);
  if (next >= TWO_32 || target >= TWO_32 || target < 0) return -1;
  const page = place.pcLo >>> 12;
  return (next >>> 12 === page ? 1 : 0) | (target >>> 12 === page ? 2 : 0);
}
