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

/** Compiles rows to a table. @throws RowError where two rows of one rank match one encoding. */
export function compileTable(rows: readonly Row[]): Table {
  const candidates = new Map<number, Row[]>();
  for (const row of rows) {
    for (const slot of slotsOf(row)) {
      const list = candidates.get(slot);
      if (list) list.push(row);
      else candidates.set(slot, [row]);
    }
  }
  const slots = new Int16Array(2 * SLOTS).fill(NONE);
  const byModrm: Int16Array[] = [];
  const made = new Map<string, number>();
  for (const [slot, list] of candidates) {
    const key = list.map(({ index }) => index).join();
    let value = made.get(key);
    if (value === undefined) {
      value = valueOf(list, byModrm);
      made.set(key, value);
    }
    slots[slot] = value;
  }
  return { slots, byModrm };
}

function* slotsOf(row: Row): Generator<number> {
  const isVex = row.map > MAP.vex;
  for (let wide = 0; wide < 2; wide++) {
    if ((row.traits & (wide === 1 ? TRAITS.i64 : TRAITS.o64)) !== 0) continue;
    for (let pp = 0; pp < 4; pp++) {
      if (((row.prefixes >> pp) & 1) === 0) continue;
      for (let w = 0; w < 2; w++) {
        if (((row.w >> w) & 1) === 0) continue;
        for (let l = 0; l < (isVex ? 2 : 1); l++) {
          if (((row.l >> l) & 1) === 0) continue;
          for (const opcode of row.opcodes) yield slotOf(wide, row.map, pp, w, l, opcode);
        }
      }
    }
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
