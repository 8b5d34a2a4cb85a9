/** Addresses of memory operands. Source: Intel SDM volume 1 (2023), 3.7.5; volume 3, 3.4 and 5.3. */
import type { Value } from "@mimus/tcg";
import type { Insn } from "../insn.ts";
import { HF, REG, SEG, SEG_FIELD, SEG_NAMES, segOffset } from "../state.ts";
import type { Tx } from "./tx.ts";

/** What an access does: it decides which segments allow it. */
export type SegmentAccess = "r" | "w" | "rw";

/** Bits of a segment's attributes. */
const ATTR = { present: 0x8000, code: 0x800, expandDown: 0x400, writable: 0x200, big: 0x400000 } as const;

/** #AC. */
const ALIGNMENT_CHECK = 17;

const low = (n: number): number => n | 0;

/** Offset of the memory operand, of the word type, zero-extended from `size` bytes. */
export function effective(t: Tx, i: Insn, size: number): Value {
  const { ir } = t;
  const { base, index, scale } = i.mem;
  const biased = base === REG.sp && t.spBias !== 0;
  const disp = biased ? low(i.mem.disp + t.spBias) : i.mem.disp;
  const dispHi = biased ? disp >> 31 : i.mem.dispHi;
  if (8 * size === t.word) {
    const constant = (): Value => (t.word === 64 ? ir.constBits("i64", low(disp), low(dispHi)) : ir.const32(disp));
    if (base === -2) return t.pcValueAt(i.length + disp);
    let sum: Value | undefined = base >= 0 ? t.wordReg(base) : undefined;
    if (index >= 0) {
      const scaled = ir.shlI(t.wordReg(index), scale);
      sum = sum === undefined ? scaled : ir.add(sum, scaled);
    }
    if (sum === undefined) return constant();
    return disp === 0 ? sum : ir.add(sum, constant());
  }
  // Narrower than a register: 32 bits suffice.
  if (base === -2) return t.cut(t.pcValueAt(i.length + disp), 4);
  let sum: Value | undefined = base >= 0 ? t.low(t.wordReg(base)) : undefined;
  if (index >= 0) {
    const scaled = ir.shlI(t.low(t.wordReg(index)), scale);
    sum = sum === undefined ? scaled : ir.add(sum, scaled);
  }
  if (sum === undefined) return t.toWord(ir.const32(size === 2 ? disp & 0xffff : disp));
  if (disp !== 0) sum = ir.addI(sum, low(disp));
  return t.toWord(size === 2 ? ir.ext16u(sum) : sum);
}

/** Linear address of `offset` in a segment, with the checks that tbFlags ask for. */
export function segmentAddress(t: Tx, seg: number, offset: Value, bytes: number, how: SegmentAccess): Value {
  const address = linear(t, seg, offset, bytes, how);
  if ((t.flags & HF.alignCheck) !== 0 && (bytes === 2 || bytes === 4 || bytes === 8))
    t.raiseIf("tstne", address, t.imm(bytes - 1), ALIGNMENT_CHECK, 0);
  return address;
}

function linear(t: Tx, seg: number, offset: Value, bytes: number, how: SegmentAccess): Value {
  const { ir, flags } = t;
  if (t.code === 64) return seg < SEG.fs ? offset : ir.add(offset, ir.get(`${SEG_NAMES[seg]!}_base`));
  if (bytes > 0 && toBeChecked(t, seg, how)) check(t, seg, offset, bytes, how);
  if (seg < SEG.fs && (flags & (seg === SEG.cs ? HF.csBase : HF.addSeg)) === 0) return offset;
  return t.cut(ir.add(offset, ir.get(`${SEG_NAMES[seg]!}_base`)), 4);
}

/** Nobody checks ahead that code is not written by an override. */
function toBeChecked({ flags, protectedMode }: Tx, seg: number, how: SegmentAccess): boolean {
  if (seg >= SEG.fs) return (flags & (seg === SEG.fs ? HF.fsWide : HF.gsWide)) === 0;
  return (flags & HF.checkSeg) !== 0 || (seg === SEG.cs && how !== "r" && protectedMode);
}

/**
 * Limit and type. What is no present expand-up data segment goes to a helper; for all others the offsets of the first
 * and last byte must not exceed the limit.
 */
function check(t: Tx, seg: number, offset: Value, bytes: number, how: SegmentAccess): void {
  const { ir } = t;
  const at = segOffset(seg);
  const first = t.low(offset);
  const slow = ir.label();
  const good = ir.label();
  if (t.protectedMode) {
    const writes = how !== "r";
    const attributes = ir.envLd("i32", "u32", at + SEG_FIELD.attr);
    const mask = ATTR.present | ATTR.code | ATTR.expandDown | (writes ? ATTR.writable : 0);
    const plain = ATTR.present | (writes ? ATTR.writable : 0);
    ir.brcond("ne", ir.andI(attributes, mask), ir.const32(plain), slow, true);
  }
  const limit = ir.envLd("i32", "u32", at + SEG_FIELD.limit);
  if (bytes === 1) ir.brcond("leu", first, limit, good);
  else {
    ir.brcond("gtu", first, limit, slow, true);
    ir.brcond("geu", ir.sub(limit, first), ir.const32(bytes - 1), good);
  }
  ir.place(slow);
  t.call("segment_check", ir.const32(seg), first, ir.const32(bytes), ir.const32(how === "r" ? 0 : 1));
  ir.place(good);
}
