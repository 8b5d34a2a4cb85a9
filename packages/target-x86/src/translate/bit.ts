/** Bit tests and bit scans. Source: Intel SDM volume 2 (2023), chapters 3 and 4. */
import type { Value } from "@mimus/tcg";
import { OPERAND } from "../insn.ts";
import type { Translate, Tx } from "./tx.ts";
import { memOf } from "./width.ts";

type BitOp = "none" | "set" | "reset" | "complement";

function changed(t: Tx, op: BitOp, old: Value, mask: Value): Value {
  const { ir } = t;
  return op === "set" ? ir.or(old, mask) : op === "reset" ? ir.andc(old, mask) : ir.xor(old, mask);
}

/** CF is the bit; the other flags stay. */
const bitTest =
  (op: BitOp): Translate =>
  (t, i) => {
    const { ir } = t;
    const size = i.opSize;
    const index = t.read(1, size);
    const number = ir.andI(index, 8 * size - 1);
    const others = t.lazy.others();
    const one = t.sized(size, 1);
    let old: Value;
    if (i.operands[0].kind === OPERAND.reg) {
      old = t.read(0);
      if (op !== "none") t.write(0, changed(t, op, old, ir.shl(one, number)));
    } else {
      const address = bitAddress(t, size, index, op === "none" ? "r" : "rw");
      old = t.load(memOf(size), address);
      if (op !== "none") {
        const v = changed(t, op, old, ir.shl(one, number));
        if (t.locked) t.exchangeOrRetry(memOf(size), address, old, v);
        else t.store(memOf(size), address, v);
      }
    }
    const carry = ir.andI(t.low(ir.shr(old, number)), 1);
    t.lazy.setCarry(carry, others);
  };

/** A register as index reaches beyond the operand: it is signed, and counts in operands. */
function bitAddress(t: Tx, size: number, index: Value, how: "r" | "rw"): Value {
  const { ir, i } = t;
  if (i.operands[1].kind !== OPERAND.reg) return t.address(0, how);
  const shift = size === 2 ? 4 : size === 4 ? 5 : 6;
  const units = ir.sarI(t.sext(index, size), shift);
  const bytes = ir.shlI(t.word === 64 ? t.toWordSigned(units) : t.low(units), shift - 3);
  const offset = t.cut(ir.add(t.effective(), bytes), i.adSize);
  return t.segAddress(i.mem.seg, offset, size, how);
}

/** With nothing to find the destination stays as it is. */
const scan =
  (forward: boolean): Translate =>
  (t, i) => {
    const { ir } = t;
    const size = i.opSize;
    const src = t.read(1);
    const top = t.sized(size, size === 8 ? 63 : 31);
    const found = forward ? ir.ctz(src) : ir.xor(ir.clz(src), top);
    const { n } = i.operands[0];
    const before = t.wordReg(n);
    t.setReg(n, size, found);
    const zero = t.toWord(src);
    t.setWordReg(n, ir.movcond("ne", zero, t.imm(0), t.wordReg(n), before));
    t.setFlags("logic", size, { dst: src });
  };

/** Translators of chapter "bit" but for shifts. */
export const bit = {
  bt: bitTest("none"),
  bts: bitTest("set"),
  btr: bitTest("reset"),
  btc: bitTest("complement"),
  bsf: scan(true),
  bsr: scan(false),
} satisfies Readonly<Record<string, Translate>>;
