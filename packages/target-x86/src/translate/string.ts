/** String instructions. Source: Intel SDM volume 1 (2023), 7.3.9; volume 2, REP. */
import type { Label, Value } from "@mimus/tcg";
import type { Insn } from "../insn.ts";
import { HF, REG, SEG } from "../state.ts";
import type { Translate, Tx } from "./tx.ts";
import { memOf } from "./width.ts";

/** Moves SI or DI by the size of an element, up or down. */
function advance(t: Tx, i: Insn, n: number, size: number): void {
  const { ir } = t;
  const shift = 31 - Math.clz32(size);
  const delta = t.toWordSigned(ir.shlI(ir.get("df"), shift));
  t.setAddressReg(n, i.adSize, ir.add(t.addressReg(n, i.adSize), delta));
}

const source = (t: Tx, i: Insn, size: number): Value =>
  t.segAddress(i.mem.seg, t.addressReg(REG.si, i.adSize), size, "r");
const destination = (t: Tx, i: Insn, size: number, how: "r" | "w"): Value =>
  t.segAddress(SEG.es, t.addressReg(REG.di, i.adSize), size, how);

/** What an instruction does for one element, and for many of plain memory at once. */
interface Repeated {
  element(): void;
  /** The condition (0..15) under which CMPS and SCAS go on. */
  readonly again?: number;
  /** Emits the transfer of up to `count` elements. @returns how many were moved, as i32; 0: none could be */
  bulk?(count: Value): Value;
  /** Registers that bulk transfers advance. */
  readonly pointers?: readonly number[];
  readonly size: number;
}

/** Fewer elements are not worth a call. */
const FEW = 8;

/**
 * One turn per run of the block: a jump to the instruction's own start follows each turn but the last, so that interrupts
 * and faults find the registers as far as the instruction has come.
 */
function repeat(t: Tx, i: Insn, r: Repeated): void {
  if (i.rep === 0) return r.element();
  const { ir } = t;
  const { again } = r;
  if (again !== undefined) t.flushFlags();
  const out = ir.label();
  const last = ir.label();
  const self = ir.label();
  const count = t.addressReg(REG.cx, i.adSize);
  ir.brcondI("eq", count, 0, out);
  if (r.bulk !== undefined && bulkAllowed(t, i)) emitBulk(t, i, r, count, self, out);
  r.element();
  const left = t.cut(ir.addI(count, -1), i.adSize);
  t.setAddressReg(REG.cx, i.adSize, left);
  ir.brcondI("eq", left, 0, last);
  if (again !== undefined) {
    const c = t.comparison(again ^ 1);
    ir.brcond(c.cond, c.a, c.b, last);
  }
  ir.place(self);
  t.jumpBy(0, 0);
  ir.place(last);
  if (again !== undefined) t.lazy.store();
  ir.place(out);
  if (again !== undefined) t.lazy.forget();
  t.jumpBy(1, i.length);
  t.ctx.done = true;
}

/** Nothing has to be looked at for each element. */
function bulkAllowed(t: Tx, i: Insn): boolean {
  return i.adSize > 2 && (t.flags & (HF.checkSeg | HF.breakpoints | HF.tf | HF.shadow)) === 0 && i.mem.seg < SEG.fs;
}

function emitBulk(t: Tx, i: Insn, r: Repeated, count: Value, self: Label, out: Label): void {
  const { ir } = t;
  const slow = ir.label();
  ir.brcondI("ltu", count, FEW, slow);
  ir.brcondI("ne", ir.get("df"), 1, slow);
  const n = r.bulk!(count);
  ir.brcondI("eq", n, 0, slow);
  const done = t.toWord(n);
  const bytes = ir.shlI(done, 31 - Math.clz32(r.size));
  for (const p of r.pointers!) t.setAddressReg(p, i.adSize, ir.add(t.addressReg(p, i.adSize), bytes));
  const left = ir.sub(count, done);
  t.setAddressReg(REG.cx, i.adSize, left);
  ir.brcondI("eq", left, 0, out);
  ir.br(self);
  ir.place(slow);
}

/** A value of the word type as i64. */
const wide = (t: Tx, v: Value): Value => (t.word === 64 ? v : t.ir.extuI32(v));

const movs: Translate = (t, i) => {
  const { size } = i.operands[0];
  repeat(t, i, {
    size,
    pointers: [REG.si, REG.di],
    element() {
      const from = source(t, i, size);
      const to = destination(t, i, size, "w");
      t.store(memOf(size), to, t.load(memOf(size), from));
      advance(t, i, REG.si, size);
      advance(t, i, REG.di, size);
    },
    bulk(count) {
      const { ir } = t;
      const from = wide(t, source(t, i, size));
      const to = wide(t, destination(t, i, size, "w"));
      const shift = ir.const32(31 - Math.clz32(size));
      return t.call("rep_movs", ir.const32(t.mmu), shift, to, from, wide(t, count));
    },
  });
};

const stos: Translate = (t, i) => {
  const { size } = i.operands[0];
  repeat(t, i, {
    size,
    pointers: [REG.di],
    element() {
      t.store(memOf(size), destination(t, i, size, "w"), t.reg(REG.ax, size));
      advance(t, i, REG.di, size);
    },
    bulk(count) {
      const { ir } = t;
      const to = wide(t, destination(t, i, size, "w"));
      const shift = ir.const32(31 - Math.clz32(size));
      const value = t.reg(REG.ax, size);
      return t.call("rep_stos", ir.const32(t.mmu), shift, to, t.zext(value, 8), wide(t, count));
    },
  });
};

const lods: Translate = (t, i) => {
  const { size } = i.operands[0];
  repeat(t, i, {
    size,
    element() {
      t.setReg(REG.ax, size, t.load(memOf(size), source(t, i, size)));
      advance(t, i, REG.si, size);
    },
  });
};

function compare(t: Tx, size: number, first: Value, src: Value): void {
  t.setFlags("sub", size, { dst: t.ir.sub(first, src), src, first });
}

/** REPE goes on while ZF is set, REPNE while it is clear. */
const condition = (i: Insn): number => (i.rep === 0xf3 ? 4 : 5);

const cmps: Translate = (t, i) => {
  const { size } = i.operands[0];
  repeat(t, i, {
    size,
    again: condition(i),
    element() {
      const a = t.load(memOf(size), source(t, i, size));
      const b = t.load(memOf(size), destination(t, i, size, "r"));
      advance(t, i, REG.si, size);
      advance(t, i, REG.di, size);
      compare(t, size, a, b);
    },
  });
};

const scas: Translate = (t, i) => {
  const { size } = i.operands[0];
  repeat(t, i, {
    size,
    again: condition(i),
    element() {
      const b = t.load(memOf(size), destination(t, i, size, "r"));
      advance(t, i, REG.di, size);
      compare(t, size, t.reg(REG.ax, size), b);
    },
  });
};

/** Translators of chapter "string". */
export const string = { movs, stos, lods, cmps, scas } satisfies Readonly<Record<string, Translate>>;
