import { TRAITS } from "./notation.ts";
import { RowError } from "./row-error.ts";
import { MAP } from "./row.ts";
import type { ModrmRule, Row } from "./row.ts";

/** No row in a slot. */
export const NONE = -1;
const LEGACY = 4 * 4 * 2 * 256;
const VEX = 3 * 4 * 2 * 2 * 256;
/** Slots of one mode (64-bit or not): the legacy maps, then those of VEX. */
const SLOTS = LEGACY + VEX;

/** Index of a slot. `wide` 64-bit mode; `pp` 0..3: none, 66, F3, F2; `w` REX.W or VEX.W, `l` VEX.L. */
export function slotOf(wide: number, map: number, pp: number, w: number, l: number, opcode: number): number {
  return map <= MAP.vex
    ? wide * SLOTS + ((map * 4 + pp) * 2 + w) * 256 + opcode
    : wide * SLOTS + LEGACY + ((((map - MAP.vex - 1) * 4 + pp) * 2 + w) * 2 + l) * 256 + opcode;
}

/** Rows by encoding: a slot has the index of a row, {@link NONE}, or -2 - n: the n-th table by ModRM byte. */
export interface Table {
  readonly slots: Int16Array;
  readonly byModrm: readonly Int16Array[];
}

/** A row, and the {@link waysOf} to write its opcode. */
interface Candidate {
  readonly row: Row;
  readonly ways: number;
}

/** Compiles rows to a table. @throws RowError where two rows of one rank match one encoding. */
export function compileTable(rows: readonly Row[]): Table {
  const opcodes = new Map<number, Candidate[]>();
  for (const row of rows) {
    const candidate = { row, ways: waysOf(row) };
    for (const opcode of row.opcodes) {
      const key = (row.map << 8) | opcode;
      const list = opcodes.get(key);
      if (list) list.push(candidate);
      else opcodes.set(key, [candidate]);
    }
  }
  const slots = new Int16Array(2 * SLOTS).fill(NONE);
  const byModrm: Int16Array[] = [];
  for (const [key, list] of opcodes) fillOpcode(slots, byModrm, list, key);
  return { slots, byModrm };
}

/** Bits 16 wide + 4 pp + 2 w + l, as {@link slotOf} has them: with which prefixes a row's opcode means the row. */
function waysOf({ map, traits, prefixes, w, l }: Row): number {
  const lengths = map > MAP.vex ? l : 1;
  const widths = ((w & 1) === 0 ? 0 : lengths) | ((w & 2) === 0 ? 0 : lengths << 2);
  let ways = 0;
  for (let pp = 0; pp < 4; pp++) if (((prefixes >> pp) & 1) !== 0) ways |= widths << (4 * pp);
  return ((traits & TRAITS.o64) === 0 ? ways : 0) | ((traits & TRAITS.i64) === 0 ? ways << 16 : 0);
}

/** Fills the slots of one opcode: at once those to which the same rows come. `key`: map and opcode. */
function fillOpcode(slots: Int16Array, byModrm: Int16Array[], list: readonly Candidate[], key: number): void {
  let left = 0;
  for (const { ways } of list) left |= ways;
  while (left !== 0) {
    const first = 31 - Math.clz32(left);
    const here: Row[] = [];
    let same = left;
    for (const { row, ways } of list) {
      const comes = (ways >>> first) & 1;
      if (comes === 1) here.push(row);
      same &= comes === 1 ? ways : ~ways;
    }
    const value = valueOf(here, byModrm);
    for (let way = 0; way < 32; way++)
      if (((same >>> way) & 1) !== 0)
        slots[slotOf(way >> 4, key >> 8, (way >> 2) & 3, (way >> 1) & 1, way & 1, key & 0xff)] = value;
    left &= ~same;
  }
}

function valueOf(list: readonly Row[], byModrm: Int16Array[]): number {
  const withModrm = list.some(({ modrm }) => modrm);
  if (!withModrm) return best(list, 0);
  const [only] = list;
  if (list.length === 1 && only?.modrm?.reg === -1 && only.modrm.exact < 0 && /^a?$/.test(only.modrm.form))
    return only.index;
  if (list.some(({ modrm }) => !modrm)) throw new RowError((list[0] as Row).encoding, "ModRM or not: rows disagree");
  const table = new Int16Array(256);
  const exact = list.filter(({ modrm }) => (modrm as ModrmRule).exact >= 0);
  const others = list.filter(({ modrm }) => (modrm as ModrmRule).exact < 0);
  for (let group = 0; group < 16; group++) {
    const [reg, register] = [group & 7, group > 7];
    const first = (register ? 0xc0 : 0) | (reg << 3);
    const value = best(
      others.filter((row) => fits(row.modrm as ModrmRule, reg, register)),
      first,
    );
    for (let mod = register ? 3 : 0; mod < (register ? 4 : 3); mod++)
      table.fill(value, (mod << 6) | (reg << 3), ((mod << 6) | (reg << 3)) + 8);
  }
  for (const row of exact) {
    const byte = (row.modrm as ModrmRule).exact;
    table[byte] = best(
      exact.filter(({ modrm }) => modrm?.exact === byte),
      byte,
    );
  }
  byModrm.push(table);
  return -1 - byModrm.length;
}

function fits(rule: ModrmRule, reg: number, register: boolean): boolean {
  if (rule.reg >= 0 && reg !== rule.reg) return false;
  return rule.form === "m" ? !register : rule.form === "r" ? register : true;
}

function best(list: readonly Row[], modrm: number): number {
  const [first] = list;
  if (!first) return NONE;
  let found = first;
  let equal: Row | undefined;
  for (const row of list.slice(1)) {
    if (row.rank === found.rank) equal = row;
    else if (row.rank > found.rank) [found, equal] = [row, undefined];
  }
  if (equal) {
    const { name, enc } = equal.encoding;
    throw new RowError(found.encoding, `is ${name} "${enc}" too, with ModRM ${modrm.toString(16)}`);
  }
  return found.index;
}
