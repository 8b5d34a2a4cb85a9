/** Operands of instructions that are stamped: the values in their bytecode, and what else that depends on. */
import type { Field, Way } from "@mimus/decodetree";
import { xOffset } from "../state.ts";
import type { Block } from "./block.ts";

/** Numbers of the values that a stamp's places are filled with: slots of registers, the immediate, addresses, the mmu index. */
export const VALUE = {
  rd: 1, rs1: 2, rs2: 3, imm: 4, targetLo: 5, targetHi: 6, nextLo: 7, nextHi: 8, mmu: 9,
} as const; // prettier-ignore
/** How many values there are, with number 0. */
export const VALUES = 10;

/** The operands of an instruction; those it does not have are negative and differ, but for the immediate, which is 1. */
export interface Operands {
  rd: number;
  rs1: number;
  rs2: number;
  imm: number;
}

/** Where an instruction's operands are in its word. */
export interface OperandFields {
  readonly rd: Field | undefined;
  readonly rs1: Field | undefined;
  readonly rs2: Field | undefined;
  readonly imm: Field | undefined;
  /** Its translation depends on where it is. */
  readonly usesPc: boolean;
}

/** Where an instruction is: address of its block in halves, its offset there, its length. */
export interface Place {
  readonly pcLo: number;
  readonly pcHi: number;
  readonly at: number;
  readonly length: number;
}

/** Instructions that read their address, besides those with an operand that is relative to it. */
const USES_PC = new Set(["auipc", "jalr", "c_jr", "c_jalr"]);
const IMMEDIATES = new Set(["imm", "uimm", "shamt", "upper", "pcrel"]);

/** The operands of an instruction that has no others than integer registers and an immediate; else undefined. */
export function operandFields({ entry }: Way<Block>): OperandFields | undefined {
  const fields = new Map(entry.fields);
  for (const [name, { kind }] of fields)
    if (name === "imm" ? !IMMEDIATES.has(kind) : kind !== "x" || !/^(rd|rs1|rs2)$/.test(name)) return undefined;
  const imm = fields.get("imm");
  const usesPc = USES_PC.has(entry.name) || imm?.kind === "pcrel";
  return { rd: fields.get("rd"), rs1: fields.get("rs1"), rs2: fields.get("rs2"), imm, usesPc };
}

/** Takes the operands out of a word. */
export function extractOperands(o: Operands, { rd, rs1, rs2, imm }: OperandFields, word: number): void {
  o.rd = rd === undefined ? -1 : rd.extract(word);
  o.rs1 = rs1 === undefined ? -2 : rs1.extract(word);
  o.rs2 = rs2 === undefined ? -3 : rs2.extract(word);
  o.imm = imm === undefined ? 1 : imm.extract(word);
}

/** Tells the values of operands. */
export function fill(values: Int32Array, { rd, rs1, rs2, imm }: Operands, mmu: number): void {
  values[VALUE.rd] = xOffset(rd);
  values[VALUE.rs1] = xOffset(rs1);
  values[VALUE.rs2] = xOffset(rs2);
  values[VALUE.imm] = imm;
  values[VALUE.mmu] = mmu;
}

/** Tells the addresses: behind the instruction, and at its immediate's distance from it. */
export function fillAddresses(values: Int32Array, { pcLo, pcHi, at, length }: Place): void {
  const pc = (pcLo >>> 0) + at;
  const next = pc + length;
  const target = pc + values[VALUE.imm]!;
  values[VALUE.targetLo] = target;
  values[VALUE.targetHi] = pcHi + Math.floor(target / 0x1_0000_0000);
  values[VALUE.nextLo] = next;
  values[VALUE.nextHi] = pcHi + Math.floor(next / 0x1_0000_0000);
}

/** What the translation of an instruction depends on besides the values: what is zero, and what is written that was read. */
export function shapeOf({ rd, rs1, rs2, imm }: Operands): number {
  const zero = (rd === 0 ? 1 : 0) | (rs1 === 0 ? 2 : 0) | (rs2 === 0 ? 4 : 0) | (imm === 0 ? 8 : 0);
  return zero | (rd === rs1 ? 16 : 0) | (rd === rs2 ? 32 : 0);
}

const isLink = (register: number): boolean => register === 1 || register === 5;

/** The same for one that uses its address: which addresses lie in the page where the block begins, and link registers. */
export function jumpShape({ rd, rs1 }: Operands, pcLo: number, values: Int32Array): number {
  const page = pcLo >>> 12;
  const near = (values[VALUE.nextLo]! >>> 12 === page ? 64 : 0) | (values[VALUE.targetLo]! >>> 12 === page ? 128 : 0);
  return near | (isLink(rd) ? 256 : 0) | (isLink(rs1) ? 512 : 0);
}
