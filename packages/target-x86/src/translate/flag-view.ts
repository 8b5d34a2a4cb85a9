/** The flags of an operation, computed in intermediate code: what src/flags.ts says. */
import { INVERSE, NONE, ops, type Cond, type Value } from "@mimus/tcg";
import { CC } from "../flags.ts";
import { FLAG } from "../state.ts";
import type { Tx } from "./tx.ts";

/** A condition as one comparison. */
export interface Comparison {
  readonly cond: Cond;
  readonly a: Value;
  readonly b: Value;
}

/** What the flags are of is not known here: the field cc_op tells. */
export const DYNAMIC = -1;

/** What CF is of, after INC and DEC that left it: an addition or a subtraction. */
export interface Base {
  readonly sub: boolean;
  readonly size: number;
  readonly dst: Value;
  readonly src: Value;
  readonly first: Value;
}

/** Two numbers, neither of them NaN, whose order is all that the flags tell: COMISD. */
export interface Order {
  readonly x: Value;
  readonly y: Value;
}
/** What of two numbers B, Z and BE say. */
const ORDERS = [undefined, ops.flt, ops.feq, ops.fle];

/** What the flags are of, and the values that they are computed from. */
export abstract class FlagView {
  protected readonly t: Tx;
  /** ccOp, or DYNAMIC: the field tells. */
  protected op = DYNAMIC;
  /** The kind of all flags but what `base` and `override` say of CF, and log2 of its size. */
  protected kind: number = CC.eflags;
  protected shift = 0;
  protected dst: Value = NONE;
  protected src: Value = NONE;
  protected src2: Value = NONE;
  protected first: Value = NONE;
  protected carry: Value = NONE;
  /** All flags, once they were computed. */
  protected allBits: Value = NONE;
  protected base: Base | undefined;
  protected order: Order | undefined;
  /** CF is `carry`, whatever the kind is. */
  protected override = false;

  constructor(t: Tx) {
    this.t = t;
  }

  /** Where what the flags are of is not known, an observation may tell it. */
  protected abstract resolve(): void;

  protected get size(): number {
    return 1 << this.shift;
  }
  #read(cached: Value, global: string): Value {
    if (cached !== NONE) return cached;
    const v = this.t.ir.get(global);
    return this.size === 8 ? v : this.t.low(v);
  }
  protected get d(): Value {
    return (this.dst = this.#read(this.dst, this.base === undefined ? "cc_dst" : "cc_src2"));
  }
  get #s(): Value {
    return (this.src = this.#read(this.src, "cc_src"));
  }
  get #s2(): Value {
    return (this.src2 = this.#read(this.src2, "cc_src2"));
  }
  /** The first operand. */
  get #a(): Value {
    if (this.first !== NONE) return this.first;
    const { ir } = this.t;
    switch (this.kind) {
      case CC.add:
        return (this.first = ir.sub(this.d, this.#s));
      case CC.sub:
        return (this.first = ir.add(this.d, this.#s));
      case CC.adc:
        return (this.first = ir.sub(ir.sub(this.d, this.#s), this.#s2));
      default:
        return (this.first = ir.add(ir.add(this.d, this.#s), this.#s2));
    }
  }
  #zx(v: Value): Value {
    return this.t.zext(v, this.size);
  }
  #sx(v: Value): Value {
    return this.t.sext(v, this.size);
  }
  #of(v: number): Value {
    return this.t.sized(this.size, v);
  }
  /** A comparison of this size as an i32. */
  #set(cond: Cond, a: Value, b: Value): Value {
    return this.t.low(this.t.ir.setcond(cond, a, b));
  }
  /** The sign bit of a value of this size at bit `to` of an i32, all others 0. */
  #sign(v: Value, to: number): Value {
    const { ir } = this.t;
    const at = 8 * this.size - 1;
    if (at === 63) return ir.andI(this.t.low(ir.shrI(v, 63 - to)), 1 << to);
    return ir.andI(at > to ? ir.shrI(v, at - to) : ir.shlI(v, to - at), 1 << to);
  }

  /** CF as i32 0 or 1. */
  cf(): Value {
    if (this.carry === NONE) this.carry = this.#cf();
    return this.carry;
  }
  #cf(): Value {
    const { ir } = this.t;
    this.resolve();
    if (this.override) return this.t.low(ir.get("cc_src2"));
    if (this.base !== undefined) return this.#baseCarry(this.base);
    switch (this.op === DYNAMIC ? CC.eflags : this.kind) {
      case CC.add:
        return this.#set("ltu", this.#zx(this.d), this.#zx(this.#s));
      case CC.sub:
        return this.#set("ltu", this.#zx(this.#a), this.#zx(this.#s));
      case CC.adc:
        return this.#withCarry(this.#zx(this.d));
      case CC.sbb:
        return this.#withCarry(this.#zx(this.#a));
      case CC.inc:
      case CC.dec:
        return this.t.low(this.#s);
      case CC.adcx:
        return this.t.low(this.#s2);
      case CC.shl:
        return this.#sign(this.#s, 0);
      case CC.sar:
        return ir.andI(this.t.low(this.#s), 1);
      case CC.mul:
        return this.#lost();
      case CC.bmi:
      case CC.count:
        return this.#set("eq", this.#zx(this.#s), this.#of(0));
      case CC.eflags:
      case CC.adox:
        return ir.andI(this.bits(), 1);
      default:
        return ir.const32(0);
    }
  }
  /** CF of an addition or subtraction that came before. */
  #baseCarry({ sub, size, dst, src, first }: Base): Value {
    const t = this.t;
    const { ir } = t;
    const read = (v: Value, global: string): Value => {
      if (v !== NONE) return v;
      const g = ir.get(global);
      return size === 8 ? g : t.low(g);
    };
    const b = read(src, "cc_src");
    const d = (): Value => read(dst, "cc_dst");
    const a = !sub ? d() : first !== NONE ? first : ir.add(d(), b);
    return t.low(ir.setcond("ltu", t.zext(a, size), t.zext(b, size)));
  }
  /** Carry out of a + b + carry in: `a` below b, or equal to it and there was a carry. */
  #withCarry(a: Value): Value {
    const { ir } = this.t;
    const b = this.#zx(this.#s);
    const equal = ir.and(this.#set("eq", a, b), this.t.low(this.#s2));
    return ir.or(this.#set("ltu", a, b), equal);
  }

  /** A value of this size whose sign bit is OF. Only kinds add, adc, sub, sbb, shl, sar. */
  #overflow(): Value {
    const { ir } = this.t;
    switch (this.kind) {
      case CC.add:
      case CC.adc:
        return ir.and(ir.xor(this.#a, this.d), ir.xor(this.#s, this.d));
      case CC.sub:
      case CC.sbb:
        return ir.and(ir.xor(this.#a, this.#s), ir.xor(this.#a, this.d));
      case CC.shl:
        return ir.xor(this.#s, this.d);
      default:
        return ir.xor(ir.shlI(this.d, 1), this.d);
    }
  }

  /** Computes all flags. */
  bits(): Value {
    if (this.allBits === NONE) this.allBits = this.#compute();
    return this.allBits;
  }
  #compute(): Value {
    const { ir } = this.t;
    const t = this.t;
    this.resolve();
    const kind = this.kind;
    const byHelper = this.op === DYNAMIC || (t.ctx.interpreted && kind >= CC.add);
    if (byHelper) {
      const op = this.op === DYNAMIC ? ir.get("cc_op") : ir.const32(this.op);
      return ir.call("cc_flags", op, ir.get("cc_dst"), ir.get("cc_src"), ir.get("cc_src2"));
    }
    if (kind < CC.add && this.override) {
      const others = kind === CC.clear ? ir.const32(FLAG.zf | FLAG.pf) : t.low(this.#s);
      return ir.deposit(others, this.cf(), 0, 1);
    }
    if (kind === CC.eflags) return t.low(this.#s);
    if (kind === CC.clear) return ir.const32(FLAG.zf | FLAG.pf);
    if (kind === CC.adcx) return ir.deposit(t.low(this.#s), t.low(this.#s2), 0, 1);
    if (kind === CC.adox) return ir.deposit(t.low(this.#s), t.low(this.#s2), 11, 1);
    const zf = ir.shlI(this.#set("eq", this.#zx(this.d), this.#of(0)), 6);
    if (kind === CC.popcnt) return this.override ? ir.or(zf, this.cf()) : zf;
    let v = ir.or(zf, this.cf());
    if (kind === CC.count) return v;
    v = ir.or(ir.or(v, this.#sign(this.d, 7)), this.#parity());
    switch (kind) {
      case CC.logic:
      case CC.bmi:
        return v;
      case CC.mul:
        return ir.or(v, ir.shlI(this.#lost(), 11));
      case CC.inc:
        v = ir.or(v, ir.shlI(this.#set("eq", ir.andI(t.low(this.d), 15), ir.const32(0)), 4));
        return ir.or(v, ir.shlI(this.#limit(-1), 11));
      case CC.dec:
        v = ir.or(v, ir.shlI(this.#set("eq", ir.andI(t.low(this.d), 15), ir.const32(15)), 4));
        return ir.or(v, ir.shlI(this.#limit(1), 11));
      case CC.shl:
      case CC.sar:
        return ir.orI(ir.or(v, this.#sign(this.#overflow(), 11)), FLAG.af);
      default: {
        const auxiliary = ir.xor(t.low(this.#a), ir.xor(t.low(this.#s), t.low(this.d)));
        v = ir.or(v, ir.andI(auxiliary, FLAG.af));
        return ir.or(v, this.#sign(this.#overflow(), 11));
      }
    }
  }
  /** Of a product: something is in the upper half. */
  #lost(): Value {
    return this.#set("ne", this.#zx(this.#s), this.#of(0));
  }
  /** The result is the lowest (-1) or the highest (1) integer of the size: i32 0 or 1. */
  #limit(which: -1 | 1): Value {
    const { ir } = this.t;
    if (this.size === 8) {
      const bound = which < 0 ? ir.constBits("i64", 0, 1 << 31) : ir.constBits("i64", -1, 0x7fffffff);
      return this.#set("eq", this.d, bound);
    }
    const highest = 2 ** (8 * this.size - 1) - 1;
    return this.#set("eq", this.#zx(this.d), ir.const32(which < 0 ? highest + 1 : highest));
  }
  /** PF in its place. */
  #parity(): Value {
    const { ir } = this.t;
    const odd = ir.andI(ir.ctpop(ir.ext8u(this.t.low(this.d))), 1);
    return ir.shlI(ir.xorI(odd, 1), 2);
  }

  /** Condition `cc` as i32 0 or 1. */
  setcond(cc: number): Value {
    const { cond, a, b } = this.comparison(cc);
    const { ir } = this.t;
    if (cond === "ne" && ir.isConst(b, 0) && this.boolean === a) return this.t.low(a);
    return this.t.low(ir.setcond(cond, a, b));
  }
  /** A value that is known to be 0 or 1. */
  protected boolean: Value = NONE;

  /** Condition `cc` (0..15) as one comparison. */
  comparison(cc: number): Comparison {
    this.resolve();
    const { cond, a, b } = this.#condition(cc >> 1);
    return { cond: (cc & 1) === 0 ? cond : INVERSE[cond], a, b };
  }
  #flag(v: Value): Comparison {
    this.boolean = v;
    return { cond: "ne", a: v, b: this.t.ir.const32(0) };
  }
  #test(v: Value, mask: number): Comparison {
    return { cond: "tstne", a: v, b: this.t.ir.const32(mask) };
  }
  #negative(v: Value): Comparison {
    if (this.size < 4) return this.#test(v, this.size === 1 ? 0x80 : 0x8000);
    return { cond: "lt", a: v, b: this.#of(0) };
  }

  /** O, B, Z, BE, S, P, L, LE. */
  #condition(n: number): Comparison {
    const { ir } = this.t;
    if (n === 1 && (this.override || this.base !== undefined)) return this.#flag(this.cf());
    const order = this.override ? undefined : ORDERS[n];
    if (this.order !== undefined && order !== undefined) return this.#flag(ir.float(order, this.order.x, this.order.y));
    if (this.op === DYNAMIC || this.kind < CC.add) return this.#fromBits(n);
    const kind = this.kind;
    if (kind === CC.count || kind === CC.popcnt) return n === 1 || n === 2 ? this.#simple(n) : this.#fromBits(n);
    if (kind === CC.sub) {
      // The result is at hand where the minuend would have to be computed.
      if (n === 2 && this.first === NONE) return this.#simple(2);
      const unsigned = n === 1 ? "ltu" : n === 2 ? "eq" : n === 3 && !this.override ? "leu" : undefined;
      if (unsigned !== undefined) return { cond: unsigned, a: this.#zx(this.#a), b: this.#zx(this.#s) };
      if (n >= 6) return { cond: n === 6 ? "lt" : "le", a: this.#sx(this.#a), b: this.#sx(this.#s) };
    }
    if (kind === CC.dec && n >= 6) {
      // The subtraction of 1 from what was result + 1, which is compared with 1.
      const a = this.#sx(ir.addI(this.d, 1));
      return { cond: n === 6 ? "lt" : "le", a, b: this.#of(1) };
    }
    if (kind === CC.inc && n >= 6) {
      const a = this.#sx(ir.addI(this.d, -1));
      return { cond: n === 6 ? "lt" : "le", a, b: this.#of(-1) };
    }
    if (kind === CC.logic || kind === CC.bmi) {
      if (n === 0) return this.#flag(ir.const32(0));
      if (n === 6) return this.#simple(4);
      if (n === 7) return { cond: "le", a: this.#sx(this.d), b: this.#of(0) };
      if (kind === CC.logic && n === 1) return this.#flag(ir.const32(0));
      if (kind === CC.logic && n === 3 && !this.override) return this.#simple(2);
    }
    if (n === 1 || n === 2 || n === 4 || n === 5) return this.#simple(n);
    if (n === 3) return this.#flag(ir.or(this.cf(), this.#set("eq", this.#zx(this.d), this.#of(0))));
    if (
      kind === CC.add ||
      kind === CC.adc ||
      kind === CC.sbb ||
      kind === CC.sub ||
      kind === CC.shl ||
      kind === CC.sar
    ) {
      if (n === 0) return this.#negative(this.#overflow());
      const less = ir.xor(this.d, this.#overflow());
      if (n === 6) return this.#negative(less);
      const zero = this.#set("eq", this.#zx(this.d), this.#of(0));
      return this.#flag(ir.or(zero, this.#sign(less, 0)));
    }
    if (kind === CC.inc && n === 0) return this.#flag(this.#limit(-1));
    if (kind === CC.dec && n === 0) return this.#flag(this.#limit(1));
    if (kind === CC.mul && n === 0) return this.#flag(this.#lost());
    return this.#fromBits(n);
  }
  /** B, Z, S, P. */
  #simple(n: number): Comparison {
    const { ir } = this.t;
    switch (n) {
      case 1:
        return this.#flag(this.cf());
      case 2:
        return { cond: "eq", a: this.#zx(this.d), b: this.#of(0) };
      case 4:
        return this.#negative(this.d);
      default:
        return { cond: "tsteq", a: ir.ctpop(ir.ext8u(this.t.low(this.d))), b: ir.const32(1) };
    }
  }
  #fromBits(n: number): Comparison {
    const { ir } = this.t;
    const v = this.bits();
    switch (n) {
      case 0:
        return this.#test(v, FLAG.of);
      case 1:
        return this.#test(v, FLAG.cf);
      case 2:
        return this.#test(v, FLAG.zf);
      case 3:
        return this.#test(v, FLAG.cf | FLAG.zf);
      case 4:
        return this.#test(v, FLAG.sf);
      case 5:
        return this.#test(v, FLAG.pf);
      case 6:
        return this.#test(ir.xor(v, ir.shrI(v, 4)), FLAG.sf);
      default: {
        const less = ir.andI(ir.xor(v, ir.shrI(v, 4)), FLAG.sf);
        return { cond: "ne", a: ir.or(less, ir.andI(v, FLAG.zf)), b: ir.const32(0) };
      }
    }
  }
}
