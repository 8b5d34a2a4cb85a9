/** Bytecode that instructions have in common which differ in their operands only. */
import type { Block } from "../ir/block.ts";
import { ops } from "../ir/ops.ts";
import type { OpSpec } from "../ir/ops.ts";
import type { BlockExit } from "../region/exits.ts";

/** The bytecode of one instruction, and what in it follows from its operands. */
export interface Stamp {
  readonly units: Uint16Array;
  /** For each unit to fill in: its number, that of a value, and by how much the value is shifted right. */
  readonly places: readonly number[];
  /** @internal Where the instruction leads to, if it ends the block; the target is the number of a value, or -1. */
  readonly exits: readonly BlockExit[];
  readonly ends: boolean;
}

/** What a stamp is made from: an instruction's IR and bytecode, and the values of its operands. */
export interface Sample {
  readonly units: Uint16Array;
  readonly values: Int32Array;
  readonly exits: readonly BlockExit[];
  readonly ends: boolean;
}

/** Parts of a value that a unit may hold: its low half, its high half, its sign. */
const SHIFTS = [0, 16, 31];

/** Besides pure ones. */
const STAMPED: ReadonlySet<OpSpec> = new Set([
  ops.insn, ops.get, ops.set, ops.ld, ops.st, ops.label, ops.brcond, ops.goto_tb, ops.goto_ptr,
]); // prettier-ignore

/** And where what a helper is told follows from the operands, too. */
const WITH_CALLS: ReadonlySet<OpSpec> = new Set([ops.br, ops.call]);

/** The IR is of a kind that follows from the instruction's operands alone. */
export function mayBeStamped(block: Block, calls: boolean): boolean {
  return block.ops.every(({ spec }) => spec.pure || STAMPED.has(spec) || (calls && WITH_CALLS.has(spec)));
}

/** The value, and the shift, that tell what is in a unit of both samples; rather `likely` than another value. */
function sourceOf(unit: number, a: Sample, b: Sample, likely: number): [number, number] | undefined {
  const is = ({ units, values }: Sample, n: number, shift: number): boolean =>
    ((values[n]! >> shift) & 0xffff) === units[unit];
  for (const n of [likely, ...a.values.keys()])
    for (const shift of SHIFTS) if (is(a, n, shift) && is(b, n, shift)) return [n, shift];
  return undefined;
}

/** What two samples of a shape have in common; undefined when what differs are not their values. */
export function stampOf(a: Sample, b: Sample): Stamp | undefined {
  if (a.units.length !== b.units.length || a.exits.length !== b.exits.length) return undefined;
  const places: number[] = [];
  for (let i = 0; i < a.units.length; i++) {
    if (a.units[i] === b.units[i]) continue;
    // The high half of an address is its low half's neighbour, though that of another one may look the same.
    const source = sourceOf(i, a, b, places.at(-2) ?? 0);
    if (source === undefined) return undefined;
    places.push(i, ...source);
  }
  const exits: BlockExit[] = [];
  for (const [i, { kind, target }] of a.exits.entries()) {
    const other = b.exits[i]!;
    const n = a.values.findIndex((value, at) => value === target && b.values[at] === other.target);
    const known = kind === "jump" || kind === "call";
    if (other.kind !== kind || (known && n < 0)) return undefined;
    exits.push({ at: 0, kind, target: known ? n : -1 });
  }
  return { units: a.units, places, exits, ends: a.ends };
}
