/** Loads of segment registers. Source: Intel SDM volume 2 (2023), MOV, POP, LDS; volume 3A, 6.8.3, 20.1.1. */
import type { Value } from "@mimus/tcg";
import { HF, SEG, SEG_FIELD, SEG_NAMES, segOffset } from "../../state.ts";
import type { Tx } from "../tx.ts";

/** Segments whose bases are looked at once for all accesses. */
const COMMON: readonly number[] = [SEG.es, SEG.ss, SEG.ds];

/** Loads a segment register. `then` is what is done once it is loaded; the block goes on where it still fits, unless it ends. */
export function loadSegment(t: Tx, n: number, selector: Value, then: () => void = () => {}): void {
  if (t.protectedMode) loadProtected(t, n, selector);
  else loadReal(t, n, selector);
  then();
  if (n === SEG.ss) return endInShadow(t);
  // In 64-bit code nothing that code is translated for follows from these.
  if (t.code === 64) return;
  const { ir } = t;
  t.rarely("ne", ir.get("tbflags"), ir.const32(t.flags & ~HF.shadow), () => t.jumpTo(t.pcNext(), "barrier"));
}

function loadProtected(t: Tx, n: number, selector: Value): void {
  const { ir } = t;
  const name = SEG_NAMES[n]!;
  const done = t.call(`load_${name}_fast`, ir.const32(n), selector);
  const slow = ir.label();
  const on = ir.label();
  ir.brcond("eq", done, ir.const32(0), slow, true);
  ir.br(on);
  ir.place(slow);
  t.call(`load_${name}`, ir.const32(n), selector);
  ir.place(on);
}

/** In real and virtual-8086 mode the base follows from the selector; limit and attributes stay. */
function loadReal(t: Tx, n: number, selector: Value): void {
  const { ir } = t;
  const base = ir.shlI(selector, 4);
  ir.envSt("u32", segOffset(n) + SEG_FIELD.selector, selector);
  ir.set(`${SEG_NAMES[n]!}_base`, t.toWord(base));
  if (!COMMON.includes(n)) return;
  let all = base;
  for (const other of COMMON) if (other !== n) all = ir.or(all, t.low(ir.get(`${SEG_NAMES[other]!}_base`)));
  const add = ir.shlI(ir.setcondI("ne", all, 0), 31 - Math.clz32(HF.addSeg));
  ir.set("tbflags", ir.or(ir.andI(ir.get("tbflags"), ~HF.addSeg), add));
}

/** Neither an interrupt nor a debug exception comes before the next instruction is done. */
function endInShadow(t: Tx): void {
  const { ir } = t;
  t.lazy.store();
  ir.set("tbflags", ir.orI(ir.get("tbflags"), HF.shadow));
  ir.set("pc", t.pcNext());
  ir.gotoPtr("barrier");
  t.ctx.done = true;
}
