/** Decimal adjustments. Source: Intel SDM volume 2 (2023), chapter 3; flags that it leaves undefined are as CPUs give them. */
import { FLAG, REG } from "../state.ts";
import type { Translate, Tx } from "./tx.ts";

/** DAA, DAS, AAA, AAS: a helper does what nobody does in a loop any more. */
const adjust =
  (kind: number): Translate =>
  (t) => {
    const { ir } = t;
    const both = t.call("bcd", ir.const32(kind), t.reg(REG.ax, 2), t.eflagsValue());
    t.setReg(REG.ax, 2, both);
    t.setFlagBits(ir.shrI(both, 16));
  };

/** The divisor is the immediate; 0 is #DE. */
const aam: Translate = (t, i) => {
  const { ir } = t;
  const base = i.immLo & 0xff;
  if (base === 0) {
    t.raise(0);
    t.ctx.done = true;
    return;
  }
  const al = t.reg(REG.ax, 1);
  const d = ir.const32(base);
  const low = ir.remu(al, d);
  t.setReg(REG.ax, 2, ir.or(low, ir.shlI(ir.divu(al, d), 8)));
  t.setFlags("logic", 1, { dst: low });
};

/** The flags are those of the addition. */
const aad: Translate = (t: Tx, i) => {
  const { ir } = t;
  const product = ir.ext8u(ir.mulI(t.reg(REG.ax, 1, true), i.immLo & 0xff));
  const low = ir.ext8u(ir.add(t.reg(REG.ax, 1), product));
  t.setReg(REG.ax, 2, low);
  t.setFlags("add", 1, { dst: low, src: product });
};

/** What {@link adjust} is told. */
const BCD = { daa: 0, das: 1, aaa: 2, aas: 3 } as const;

/** AX and, in bits 16..31, the arithmetic flags, after an adjustment. */
export function adjustDecimal(kind: number, ax: number, flags: number): number {
  let al = ax & 0xff;
  const half = (al & 15) > 9 || (flags & FLAG.af) !== 0;
  let out = 0;
  if (kind === BCD.daa || kind === BCD.das) {
    const high = al > 0x99 || (flags & FLAG.cf) !== 0;
    const sign = kind === BCD.daa ? 1 : -1;
    const before = al;
    if (half) {
      al += sign * 6;
      out |= FLAG.af;
      if (kind === BCD.das && before < 6) out |= FLAG.cf;
    }
    if (high) {
      al += sign * 0x60;
      out |= FLAG.cf;
    }
    al &= 0xff;
    if (((before ^ al) & (kind === BCD.daa ? ~before & al : before & ~al) & 0x80) !== 0) out |= FLAG.of;
    ax = (ax & 0xff00) | al;
  } else {
    const before = ax & 0xff;
    if (half) {
      ax = kind === BCD.aaa ? ax + 0x106 : ax - 0x106;
      out |= FLAG.af | FLAG.cf;
    }
    al = ax & 0xff;
    if ((kind === BCD.aaa ? ~before & al : before & ~al) & 0x80) out |= FLAG.of;
    ax &= 0xff0f;
    al &= 15;
  }
  let parity = al ^ (al >> 4);
  parity = (0x9669 >> (parity & 15)) & 1;
  if (parity !== 0) out |= FLAG.pf;
  if (al === 0) out |= FLAG.zf;
  if (al & 0x80) out |= FLAG.sf;
  return (ax & 0xffff) | (out << 16);
}

/** Translators of the decimal adjustments of chapter "general". */
export const bcd = {
  daa: adjust(BCD.daa), das: adjust(BCD.das), aaa: adjust(BCD.aaa), aas: adjust(BCD.aas), aam, aad,
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
