import type { Encoding } from "../insn.ts";
import { TRAITS } from "./notation.ts";
import type { Trait } from "./notation.ts";
import { IMMEDIATE, immediateOf, operandSpec, PLACE } from "./operand.ts";
import type { OperandSpec } from "./operand.ts";
import { RowError } from "./row-error.ts";

/** Opcode maps: one-byte, 0F, 0F 38, 0F 3A; the last three again for VEX. */
export const MAP = { one: 0, two: 1, three38: 2, three3a: 3, vex: 3 } as const;

/** What a ModRM byte must be like for a row. */
export interface ModrmRule {
  /** -1: any; 0..7. */
  readonly reg: number;
  /** "m" memory, "r" register, "" both, "a" register whatever mod says. */
  readonly form: "" | "m" | "r" | "a";
  /** The whole byte; -1: not given. */
  readonly exact: number;
}

/** A row, compiled. */
export interface Row {
  readonly encoding: Encoding;
  readonly index: number;
  readonly traits: number;
  readonly map: number;
  readonly opcodes: readonly number[];
  /** Bits 0..3: valid with no prefix, 66, F3, F2. */
  readonly prefixes: number;
  /** The prefix is part of the opcode: 66 is no operand size, F3 and F2 repeat nothing. */
  readonly mandatory66: boolean;
  readonly mandatoryRep: boolean;
  /** Bit 0: with W = 0; bit 1: with W = 1. Likewise VEX.L. */
  readonly w: number;
  readonly l: number;
  readonly modrm: ModrmRule | undefined;
  /** Values of IMMEDIATE; 0 none. */
  readonly imm1: number;
  readonly imm2: number;
  readonly operands: readonly OperandSpec[];
  /** VEX.vvvv names an operand. */
  readonly vvvv: boolean;
  /** Of rows that match one encoding the one with the greatest is meant. */
  readonly rank: number;
}

interface Draft {
  map: number;
  prefixes: number;
  mandatory66: boolean;
  mandatoryRep: boolean;
  w: number;
  l: number;
  vex: boolean;
  rank: number;
}

const PREFIXES: Readonly<Record<string, { bits: number; rank: number }>> = {
  NP: { bits: 0b0001, rank: 64 },
  "66": { bits: 0b0010, rank: 64 },
  F3: { bits: 0b0100, rank: 64 },
  F2: { bits: 0b1000, rank: 64 },
  NFx: { bits: 0b0011, rank: 32 },
};
const MAPS: Readonly<Record<string, number>> = { "0F": MAP.vex + 1, "0F38": MAP.vex + 2, "0F3A": MAP.vex + 3 };

/** Compiles a row. @throws RowError when it is not in the notation. */
export function compileRow(encoding: Encoding, index: number): Row {
  const tokens = encoding.enc.split(" ").filter((token) => token !== "");
  const draft: Draft = {
    map: MAP.one, prefixes: 0b1111, mandatory66: false, mandatoryRep: false, w: 0b11, l: 0b11, vex: false, rank: 0,
  }; // prettier-ignore
  const bytes = opcodeBytes(encoding, tokens, draft);
  const { opcodes, exact } = opcodesOf(encoding, bytes, draft);
  const modrm = modrmOf(encoding, tokens, exact);
  const names = encoding.operands.split(",").filter((text) => text !== "");
  const operands = names.map((text) => operandSpec(encoding, text));
  const [imm1 = 0, imm2 = 0, ...rest] = immediates(encoding, tokens, names);
  if (rest.length > 0) throw new RowError(encoding, "more than two immediates");
  if (tokens.length > 0) throw new RowError(encoding, `"${tokens.join(" ")}" is not understood`);
  if (modrm) draft.rank += modrm.exact >= 0 ? 16 : (modrm.reg >= 0 ? 8 : 0) + (modrm.form === "" ? 0 : 4);
  const needs = operands.some(({ place }) => place === PLACE.rm || place === PLACE.stRm);
  if (needs && !modrm) throw new RowError(encoding, "an operand is in ModRM, and there is none");
  return {
    encoding,
    index,
    traits: traitsOf(encoding, draft.vex),
    map: draft.map,
    opcodes,
    prefixes: draft.prefixes,
    mandatory66: draft.mandatory66,
    mandatoryRep: draft.mandatoryRep,
    w: draft.w,
    l: draft.l,
    modrm,
    imm1,
    imm2,
    operands,
    vvvv: operands.some(({ place }) => place === PLACE.regB || place === PLACE.vecH),
    rank: draft.rank,
  };
}

/** Takes prefixes and opcode bytes off the tokens. */
function opcodeBytes(row: Encoding, tokens: string[], draft: Draft): string[] {
  if (tokens[0]?.startsWith("VEX.")) vex(row, tokens.shift() as string, draft);
  const prefix = PREFIXES[tokens[0] ?? ""];
  if (prefix && !draft.vex && tokens.length > 1) {
    const token = tokens.shift();
    draft.prefixes = prefix.bits;
    draft.rank += prefix.rank;
    draft.mandatory66 = token === "66";
    draft.mandatoryRep = token === "F3" || token === "F2";
  }
  const w = tokens[0];
  if (w === "REX.W" || w === "W1" || w === "W0") {
    draft.w = w === "W0" ? 0b01 : 0b10;
    draft.rank += 2;
    tokens.shift();
  }
  const bytes: string[] = [];
  while (/^[0-9A-F]{2}(\+r|\+cc)?$/.test(tokens[0] ?? "")) bytes.push(tokens.shift() as string);
  return bytes;
}

function vex(row: Encoding, token: string, draft: Draft): void {
  draft.vex = true;
  draft.prefixes = 0b0001;
  for (const part of token.split(".").slice(1)) {
    const map = MAPS[part];
    if (map !== undefined) draft.map = map;
    else if (part in PREFIXES) draft.prefixes = (PREFIXES[part] as { bits: number }).bits;
    else if (part === "128" || part === "L0" || part === "LZ") draft.l = 0b01;
    else if (part === "256" || part === "L1") draft.l = 0b10;
    else if (part === "W0") draft.w = 0b01;
    else if (part === "W1") draft.w = 0b10;
    else if (!["LIG", "L?", "WIG", "NDS", "NDD", "DDS"].includes(part)) throw new RowError(row, `"${part}" in VEX`);
  }
  if (draft.map === MAP.one) throw new RowError(row, "VEX without a map");
}

function opcodesOf(row: Encoding, bytes: string[], draft: Draft): { opcodes: number[]; exact: number } {
  if (!draft.vex && bytes[0] === "0F" && bytes.length > 1) {
    bytes.shift();
    draft.map = MAP.two;
    const second = bytes[0] as string | undefined;
    if (second === "38" || second === "3A") {
      draft.map = second === "38" ? MAP.three38 : MAP.three3a;
      bytes.shift();
    }
  }
  const [opcode, modrm, ...more] = bytes;
  if (opcode === undefined || more.length > 0) throw new RowError(row, "one opcode byte was expected");
  const [base = "", suffix] = opcode.split("+");
  const count = suffix === "r" ? 8 : suffix === "cc" ? 16 : 1;
  if (suffix === "r") draft.rank -= 1;
  const opcodes = Array.from({ length: count }, (_, n) => Number.parseInt(base, 16) + n);
  return { opcodes, exact: modrm === undefined ? -1 : Number.parseInt(modrm, 16) };
}

function modrmOf(row: Encoding, tokens: string[], exact: number): ModrmRule | undefined {
  const [, what, form = ""] = /^\/([r0-7])(?::([mra]))?$/.exec(tokens[0] ?? "") ?? [];
  if (what === undefined) return exact < 0 ? undefined : { reg: -1, form: "", exact };
  if (exact >= 0) throw new RowError(row, "ModRM twice");
  tokens.shift();
  return { reg: what === "r" ? -1 : Number(what), form: form as ModrmRule["form"], exact: -1 };
}

function immediates(row: Encoding, tokens: string[], operands: readonly string[]): number[] {
  const needed = operands.map(immediateOf).filter((token) => token !== "");
  // The register of is4 and an immediate in the same byte (VPERMIL2PD) do not occur here
  const written: string[] = [];
  while (tokens.length > 0 && (tokens[0] as string) in IMMEDIATE) written.push(tokens.shift() as string);
  const all = written.length > 0 ? written : needed;
  if (written.length > 0 && needed.length > 0 && written.join() !== needed.join())
    throw new RowError(row, `immediates: the encoding has ${written.join(" ")}, operands need ${needed.join(" ")}`);
  return all.map((token) => {
    const kind = (IMMEDIATE as Readonly<Record<string, number>>)[token];
    if (kind === undefined) throw new RowError(row, `there is no immediate "${token}"`);
    return kind;
  });
}

function traitsOf(row: Encoding, vexRow: boolean): number {
  let traits = vexRow ? TRAITS.vex | TRAITS.prot : 0;
  for (const word of (row.flags ?? "").split(" ")) {
    if (word === "") continue;
    const bit = TRAITS[word as Trait];
    if (bit === undefined) throw new RowError(row, `flag "${word}"`);
    traits |= bit;
  }
  return traits;
}
