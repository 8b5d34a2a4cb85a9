/** POPCNT, LZCNT, BMI1, BMI2, ADX, CRC32. Source: Intel SDM volume 2 (2023), chapters 3 to 5. */
import type { Value } from "@mimus/tcg";
import { REG } from "../state.ts";
import { addWithCarry } from "./carry.ts";
import type { Translate, Tx } from "./tx.ts";

const sizeOf = (t: Tx): number => t.i.operands[0]!.size;

const popcnt: Translate = (t) => {
  const dst = t.ir.ctpop(t.read(1));
  t.write(0, dst);
  t.setFlags("popcnt", sizeOf(t), { dst });
};

const tzcnt: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const src = t.read(1);
  const dst = ir.ctz(size === 2 ? ir.orI(src, 0x10000) : src);
  t.write(0, dst);
  t.setFlags("count", size, { dst, src });
};

const lzcnt: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const src = t.read(1);
  const dst = size === 2 ? ir.addI(ir.clz(src), -16) : ir.clz(src);
  t.write(0, dst);
  t.setFlags("count", size, { dst, src });
};

const andn: Translate = (t) => {
  const dst = t.ir.andc(t.read(2), t.read(1));
  t.write(0, dst);
  t.setFlags("logic", sizeOf(t), { dst });
};

/** BLSR, BLSMSK, BLSI; `carry` makes what is 0 exactly when CF is set. */
const lowest =
  (value: (t: Tx, x: Value) => Value, inverted: boolean): Translate =>
  (t) => {
    const size = sizeOf(t);
    const x = t.read(1);
    const dst = value(t, x);
    t.write(0, dst);
    t.setFlags("bmi", size, { dst, src: inverted ? t.ir.setcondI("eq", x, 0) : x });
  };

const bextr: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const bits = 8 * size;
  const src = t.read(1);
  const control = t.low(t.read(2));
  const start = ir.ext8u(control);
  const length = ir.extract(control, 8, 8);
  const zero = t.sized(size, 0);
  const n = (v: Value): Value => t.zext(v, size);
  const limit = t.sized(size, bits);
  const shifted = ir.movcond("ltu", n(start), limit, ir.shr(src, n(start)), zero);
  const mask = ir.not(ir.shl(t.sized(size, -1), n(length)));
  const dst = ir.movcond("ltu", n(length), limit, ir.and(shifted, mask), shifted);
  t.write(0, dst);
  t.setFlags("logic", size, { dst });
};

const bzhi: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const src = t.read(1);
  const n = t.zext(ir.ext8u(t.low(t.read(2))), size);
  const limit = t.sized(size, 8 * size);
  const mask = ir.not(ir.shl(t.sized(size, -1), n));
  const dst = ir.movcond("ltu", n, limit, ir.and(src, mask), src);
  t.write(0, dst);
  t.setFlags("bmi", size, { dst, src: ir.setcond("ltu", n, limit) });
};

const bitField =
  (name: "pext" | "pdep"): Translate =>
  (t) => {
    const size = sizeOf(t);
    const wide = (v: Value): Value => (size === 8 ? v : t.ir.extuI32(v));
    const v = t.call(name, wide(t.read(1)), wide(t.read(2)));
    t.write(0, size === 8 ? v : t.ir.extrl(v));
  };

/** The upper half is written last: it wins where both go to one register. */
const mulx: Translate = (t) => {
  const { ir } = t;
  const size = sizeOf(t);
  const a = t.reg(REG.dx, size);
  const b = t.read(2);
  if (size === 8) {
    const high = ir.muluh(a, b);
    t.write(1, ir.mul(a, b));
    return t.write(0, high);
  }
  const product = ir.mul(ir.extuI32(a), ir.extuI32(b));
  t.write(1, ir.extrl(product));
  t.write(0, ir.extrl(ir.shrI(product, 32)));
};

const shiftX =
  (op: "shl" | "shr" | "sar"): Translate =>
  (t) =>
    t.write(0, t.ir[op](t.read(1), t.read(2)));

const rorx: Translate = (t, i) => t.write(0, t.ir.rotrI(t.read(1), i.immLo & (8 * sizeOf(t) - 1)));

/** The carry goes in and out of CF alone. */
const adcx: Translate = (t) => {
  const { value, carry } = addWithCarry(t, sizeOf(t), t.read(0), t.read(1), t.lazy.cf());
  t.write(0, value);
  t.lazy.setCarry(carry);
};

/** The carry goes in and out of OF alone. */
const adox: Translate = (t) => {
  const src = t.read(1);
  const flags = t.eflagsValue();
  const { value, carry } = addWithCarry(t, sizeOf(t), t.read(0), src, t.ir.extract(flags, 11, 1));
  t.write(0, value);
  t.setFlags("adox", 4, { src: flags, src2: carry });
};

const crc32: Translate = (t, i) => {
  const { ir } = t;
  const bytes = i.operands[1].size;
  const data = t.read(1);
  const wide = bytes === 8 ? data : ir.extuI32(data);
  const v = t.call("crc32c", t.reg(i.operands[0].n, 4), wide, ir.const32(bytes));
  t.setReg(i.operands[0].n, 4, v);
};

/** Translators of chapter "bmi". */
export const bmi = {
  popcnt, tzcnt, lzcnt, andn, bextr, bzhi, mulx, rorx, crc32,
  blsr: lowest((t, x) => t.ir.and(x, t.ir.addI(x, -1)), false),
  blsmsk: lowest((t, x) => t.ir.xor(x, t.ir.addI(x, -1)), false),
  blsi: lowest((t, x) => t.ir.and(x, t.ir.neg(x)), true),
  pext: bitField("pext"),
  pdep: bitField("pdep"),
  shlx: shiftX("shl"),
  shrx: shiftX("shr"),
  sarx: shiftX("sar"),
  adcx, adox,
} satisfies Readonly<Record<string, Translate>>; // prettier-ignore
