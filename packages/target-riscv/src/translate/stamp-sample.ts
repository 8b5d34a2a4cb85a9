/** Instructions that stand for all of one shape. */
import type { Field } from "@mimus/decodetree";
import { fill, fillAddresses, jumpShape, shapeOf, VALUES, type OperandFields, type Operands } from "./stamp-shape.ts";

/** An instruction `at` bytes behind the beginning of its block, which is that of a page. */
export interface Sample {
  readonly operands: Operands;
  readonly at: number;
}

const PAGE = 4096;

/** Registers of the two samples: they differ where the shape lets them. */
const REGISTERS = [
  [29, 30, 31, 0, 1],
  [19, 21, 24, 0, 5],
] as const;

/** Number 0 or 1 of two samples, of an instruction of `length` bytes; undefined when none is found. */
export function sampleOf(fields: OperandFields, shape: number, length: number, number: 0 | 1): Sample | undefined {
  const values = new Int32Array(VALUES);
  for (const at of offsets(length, number))
    for (const operands of candidates(fields, number)) {
      let got = shapeOf(operands);
      if (fields.usesPc) {
        fill(values, operands, 0);
        fillAddresses(values, { pcLo: 0, pcHi: 0, at, length });
        got |= jumpShape(operands, 0, values);
      }
      if (got === shape) return { operands, at };
    }
  return undefined;
}

/** In the middle of a page, at its end, near that, and at the beginning. */
function offsets(length: number, number: 0 | 1): number[] {
  const last = PAGE - length;
  return [PAGE / 2 + 16 * number, last, last - 4 * number - 4, 4 * number];
}

function* candidates({ rd, rs1, rs2, imm }: OperandFields, number: 0 | 1): Generator<Operands> {
  const registers = (field: Field | undefined, none: number): readonly number[] =>
    field === undefined ? [none] : REGISTERS[number];
  for (const i of immediates(imm, number))
    for (const d of registers(rd, -1))
      for (const s1 of registers(rs1, -2))
        for (const s2 of registers(rs2, -3)) if (s1 !== s2 || s1 === 0) yield { rd: d, rs1: s1, rs2: s2, imm: i };
}

/** Immediates as far from those of the other sample as may be, of the other sign if there are signs. */
function immediates(field: Field | undefined, number: 0 | 1): number[] {
  if (field === undefined) return [1];
  const step = 2 ** field.shift;
  const all = number === 0 ? [field.max, 5 * step, 12 * step] : [field.min, -7 * step, 3 * step, 9 * step, -17 * step];
  return [...all, 0].filter((imm) => field.accepts(imm));
}
