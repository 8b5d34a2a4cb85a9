/** CMPXCHG8B and CMPXCHG16B. Source: Intel SDM volume 2 (2023), chapter 3. */
import type { Value } from "@mimus/tcg";
import { FLAG, REG } from "../state.ts";
import type { Translate, Tx } from "./tx.ts";

function setZero(t: Tx, flags: Value, same: Value): void {
  t.setFlagBits(t.ir.deposit(flags, same, 6, 1));
}

/** Memory is written in any case; EDX:EAX when they differ. */
const cmpxchg8b: Translate = (t) => {
  const { ir } = t;
  const flags = t.eflagsValue();
  const pair = (low: number, high: number): Value =>
    ir.or(ir.extuI32(t.reg(low, 4)), ir.shlI(ir.extuI32(t.reg(high, 4)), 32));
  const address = t.address(0, "rw");
  const expected = pair(REG.ax, REG.dx);
  const wanted = pair(REG.bx, REG.cx);
  const old = t.locked ? ir.cmpxchg("u64", address, expected, wanted, t.mmu) : t.load("u64", address);
  const same = ir.extrl(ir.setcond("eq", old, expected));
  if (!t.locked) t.store("u64", address, ir.movcond("eq", old, expected, wanted, old));
  const differ = (n: number, half: Value): void => {
    const before = t.wordReg(n);
    t.setReg(n, 4, half);
    t.setWordReg(n, ir.movcond("ne", t.toWord(same), t.imm(0), before, t.wordReg(n)));
  };
  differ(REG.ax, ir.extrl(old));
  differ(REG.dx, ir.extrl(ir.shrI(old, 32)));
  setZero(t, flags, same);
};

/** The operand must be aligned, or #GP(0). Both halves lie in one page, so that the second store cannot fault. */
const cmpxchg16b: Translate = (t) => {
  const { ir } = t;
  const flags = t.eflagsValue();
  const address = t.address(0, "rw");
  t.raiseIf("tstne", address, t.imm(15), 13, 0);
  if (t.locked) return exchange16(t, flags, address);
  const upper = ir.addI(address, 8);
  const low = t.load("u64", address);
  const high = t.load("u64", upper);
  const ax = t.wordReg(REG.ax);
  const dx = t.wordReg(REG.dx);
  const difference = ir.or(ir.xor(low, ax), ir.xor(high, dx));
  const zero = ir.constant("i64", 0);
  const choose = (yes: Value, no: Value): Value => ir.movcond("eq", difference, zero, yes, no);
  t.store("u64", address, choose(t.wordReg(REG.bx), low));
  t.store("u64", upper, choose(t.wordReg(REG.cx), high));
  t.setWordReg(REG.ax, choose(ax, low));
  t.setWordReg(REG.dx, choose(dx, high));
  setZero(t, ir.andI(flags, ~FLAG.zf), ir.extrl(ir.setcond("eq", difference, zero)));
};

/** Of the host's own exchanges none is as wide: it is one step with others of its kind, whose halves are. */
function exchange16(t: Tx, flags: Value, address: Value): void {
  const { ir } = t;
  const same = ir.call("exchange16", address, ir.const32(t.mmu));
  setZero(t, ir.andI(flags, ~FLAG.zf), same);
}

/** Translators of the wide exchanges of chapter "general". */
export const wideExchange = { cmpxchg8b, cmpxchg16b } satisfies Readonly<Record<string, Translate>>;
