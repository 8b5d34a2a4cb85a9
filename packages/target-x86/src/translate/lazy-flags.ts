/** Lazy flags while a block is translated: see flags.ts. */
import { INVERSE, NONE, type Cond, type Value } from "@mimus/tcg";
import { CC } from "../flags.ts";
import { FLAG } from "../state.ts";
import type { Tx } from "./tx.ts";

/** A kind of {@link CC}. */
export type FlagKind = keyof typeof CC;

/** What the flags are computed of, as values of the operand's size; `first`: the minuend of sub, when it is at hand. */
export interface FlagOperands {
  readonly dst?: Value;
  readonly src?: Value;
  readonly src2?: Value;
  readonly first?: Value;
  /** CF, i32 0 or 1, when it is at hand. */
  readonly carry?: Value;
}

/** A condition as one comparison. */
export interface Comparison {
  readonly cond: Cond;
  readonly a: Value;
  readonly b: Value;
}

const log2 = (size: number): number => 31 - Math.clz32(size);

/** What the flags are of is not known here. */
const DYNAMIC = -1;

/** What CF is of, after INC and DEC that left it: an addition or a subtraction. */
interface Base {
  readonly sub: boolean;
  readonly size: number;
  readonly dst: Value;
  readonly src: Value;
  readonly first: Value;
}

/** Where the flags come from, at this point of the block. */
export class LazyFlags {
  readonly #t: Tx;
  /** ccOp, or DYNAMIC: the field tells. */
  #op = DYNAMIC;
  /** What the field cc_op holds, DYNAMIC: not known. */
  #field = DYNAMIC;
  /** The kind of all flags but what `#base` and `#override` say of CF, and log2 of its size. */
  #kind: number = CC.eflags;
  #shift = 0;
  #dst: Value = NONE;
  #src: Value = NONE;
  #src2: Value = NONE;
  #first: Value = NONE;
  #carry: Value = NONE;
  /** All flags, once they were computed. */
  #bits: Value = NONE;
  #base: Base | undefined;
  /** CF is `#carry`, whatever the kind is. */
  #override = false;

  constructor(t: Tx) {
    this.#t = t;
  }

  /** The second word of `insn`: ccOp where the field does not hold it, else -1. */
  get word(): number {
    return this.#op === this.#field ? -1 : this.#op;
  }

  /** ccOp of a kind and size in bytes. */
  encode(kind: FlagKind, size: number): number {
    return CC[kind] < CC.add ? CC[kind] : CC[kind] + log2(size);
  }

  /** The flags come from this operation. */
  set(kind: FlagKind, size: number, v: FlagOperands): void {
    const { ir } = this.#t;
    this.#enter(this.encode(kind, size));
    this.#dst = v.dst ?? NONE;
    this.#src = v.src ?? NONE;
    this.#src2 = v.src2 ?? NONE;
    this.#first = v.first ?? NONE;
    this.#carry = v.carry ?? NONE;
    this.#bits = kind === "eflags" ? this.#src : NONE;
    if (this.#dst !== NONE) ir.set("cc_dst", this.#t.toWord(this.#dst));
    if (this.#src !== NONE) ir.set("cc_src", this.#t.toWord(this.#src));
    if (this.#src2 !== NONE) ir.set("cc_src2", this.#t.toWord(this.#src2));
  }

  /** The flags become those of INC or DEC, with CF as it is. Called before the registers and memory change. */
  step(kind: "inc" | "dec", size: number): (result: Value) => void {
    const t = this.#t;
    this.#resolve();
    const plain = (): ((dst: Value) => void) => {
      const carry = this.cf();
      return (dst) => this.set(kind, size, { dst, src: t.zext(carry, size), carry });
    };
    if (this.#op === DYNAMIC || this.#override) return plain();
    const base = this.#base ?? this.#asBase();
    if (base === undefined) return plain();
    const carry = this.#carry;
    const encoded = CC.step + log2(size) + (kind === "dec" ? 4 : 0) + 8 * log2(base.size) + (base.sub ? 32 : 0);
    return (result) => {
      this.#enter(encoded);
      this.#base = base;
      this.#dst = this.#src2 = result;
      this.#carry = carry;
      t.ir.set("cc_src2", t.toWord(result));
    };
  }
  #asBase(): Base | undefined {
    if (this.#kind !== CC.add && this.#kind !== CC.sub) return undefined;
    return { sub: this.#kind === CC.sub, size: this.#size, dst: this.#dst, src: this.#src, first: this.#first };
  }

  /** CF becomes `carry` (i32 0 or 1), the others stay. An instruction that may fault has called `keepOthers` before. */
  setCarry(carry: Value): void {
    const t = this.#t;
    this.keepOthers();
    if (this.#base !== undefined) {
      const dst = this.#d;
      this.#enter(this.#kind | this.#shift);
      this.#dst = dst;
      t.ir.set("cc_dst", t.toWord(dst));
    }
    this.#op |= CC.carry;
    this.#override = true;
    this.#carry = carry;
    this.#src2 = NONE;
    this.#bits = NONE;
    t.ir.set("cc_src2", t.toWord(carry));
  }
  /** Makes the flags something that CF can be set beside. */
  keepOthers(): void {
    this.#resolve();
    const usesSrc2 = this.#kind === CC.adc || this.#kind === CC.sbb || this.#kind === CC.adcx || this.#kind === CC.adox;
    if (this.#op === DYNAMIC || (usesSrc2 && !this.#override)) this.set("eflags", 1, { src: this.bits() });
  }

  /** Takes an encoded ccOp for what the flags are of; its operands are in the fields. */
  #enter(op: number): void {
    this.#op = op;
    this.#override = (op & CC.carry) !== 0;
    this.#base = undefined;
    const kept = op & ~CC.carry;
    this.#kind = kept < CC.add ? kept : kept & ~3;
    this.#shift = kept < CC.add ? 0 : kept & 3;
    this.#dst = this.#src = this.#src2 = this.#first = this.#carry = this.#bits = NONE;
    if (kept < CC.step) return;
    this.#kind = kept & 4 ? CC.dec : CC.inc;
    this.#base = { sub: (kept & 32) !== 0, size: 1 << ((kept >> 3) & 3), dst: NONE, src: NONE, first: NONE };
  }

  /** Stores cc_op; the knowledge stays. */
  flush(): void {
    if (this.#op === this.#field) return;
    this.#t.ir.set("cc_op", this.#t.ir.const32(this.#op));
    this.#field = this.#op;
  }

  /** Stores cc_op on a way out of the block: other ways still have it to do. */
  store(): void {
    if (this.#op !== this.#field) this.#t.ir.set("cc_op", this.#t.ir.const32(this.#op));
  }

  /** The field cc_op, and what it tells about, have been written behind our back. */
  forget(): void {
    this.#enter(CC.eflags);
    this.#op = this.#field = DYNAMIC;
  }

  /** cc_op, as a value. */
  opValue(): Value {
    return this.#op === DYNAMIC ? this.#t.ir.get("cc_op") : this.#t.ir.const32(this.#op);
  }

  /** Becomes dynamic: the caller sets the four fields. */
  setDynamic(op: Value): void {
    this.#t.ir.set("cc_op", op);
    this.forget();
  }

  get #size(): number {
    return 1 << this.#shift;
  }
  #read(cached: Value, global: string): Value {
    if (cached !== NONE) return cached;
    const v = this.#t.ir.get(global);
    return this.#size === 8 ? v : this.#t.low(v);
  }
  get #d(): Value {
    return (this.#dst = this.#read(this.#dst, this.#base === undefined ? "cc_dst" : "cc_src2"));
  }
  get #s(): Value {
    return (this.#src = this.#read(this.#src, "cc_src"));
  }
  get #s2(): Value {
    return (this.#src2 = this.#read(this.#src2, "cc_src2"));
  }
  /** The first operand. */
  get #a(): Value {
    if (this.#first !== NONE) return this.#first;
    const { ir } = this.#t;
    switch (this.#kind) {
      case CC.add:
        return (this.#first = ir.sub(this.#d, this.#s));
      case CC.sub:
        return (this.#first = ir.add(this.#d, this.#s));
      case CC.adc:
        return (this.#first = ir.sub(ir.sub(this.#d, this.#s), this.#s2));
      default:
        return (this.#first = ir.add(ir.add(this.#d, this.#s), this.#s2));
    }
  }
  #zx(v: Value): Value {
    return this.#t.zext(v, this.#size);
  }
  #sx(v: Value): Value {
    return this.#t.sext(v, this.#size);
  }
  #of(v: number): Value {
    return this.#t.sized(this.#size, v);
  }
  /** A comparison of this size as an i32. */
  #set(cond: Cond, a: Value, b: Value): Value {
    return this.#t.low(this.#t.ir.setcond(cond, a, b));
  }
  /** The sign bit of a value of this size at bit `to` of an i32, all others 0. */
  #sign(v: Value, to: number): Value {
    const { ir } = this.#t;
    const at = 8 * this.#size - 1;
    if (at === 63) return ir.andI(this.#t.low(ir.shrI(v, 63 - to)), 1 << to);
    return ir.andI(at > to ? ir.shrI(v, at - to) : ir.shlI(v, to - at), 1 << to);
  }

  /** CF as i32 0 or 1. */
  cf(): Value {
    if (this.#carry === NONE) this.#carry = this.#cf();
    return this.#carry;
  }
  #cf(): Value {
    const { ir } = this.#t;
    this.#resolve();
    if (this.#override) return this.#t.low(ir.get("cc_src2"));
    if (this.#base !== undefined) return this.#baseCarry(this.#base);
    switch (this.#op === DYNAMIC ? CC.eflags : this.#kind) {
      case CC.add:
        return this.#set("ltu", this.#zx(this.#d), this.#zx(this.#s));
      case CC.sub:
        return this.#set("ltu", this.#zx(this.#a), this.#zx(this.#s));
      case CC.adc:
        return this.#withCarry(this.#zx(this.#d));
      case CC.sbb:
        return this.#withCarry(this.#zx(this.#a));
      case CC.inc:
      case CC.dec:
        return this.#t.low(this.#s);
      case CC.adcx:
        return this.#t.low(this.#s2);
      case CC.shl:
        return this.#sign(this.#s, 0);
      case CC.sar:
        return ir.andI(this.#t.low(this.#s), 1);
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
    const t = this.#t;
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
    const { ir } = this.#t;
    const b = this.#zx(this.#s);
    const equal = ir.and(this.#set("eq", a, b), this.#t.low(this.#s2));
    return ir.or(this.#set("ltu", a, b), equal);
  }

  /** A value of this size whose sign bit is OF. Only kinds add, adc, sub, sbb, shl, sar. */
  #overflow(): Value {
    const { ir } = this.#t;
    switch (this.#kind) {
      case CC.add:
      case CC.adc:
        return ir.and(ir.xor(this.#a, this.#d), ir.xor(this.#s, this.#d));
      case CC.sub:
      case CC.sbb:
        return ir.and(ir.xor(this.#a, this.#s), ir.xor(this.#a, this.#d));
      default:
        return ir.xor(this.#s, this.#d);
    }
  }

  /** Computes all flags. */
  bits(): Value {
    if (this.#bits === NONE) this.#bits = this.#compute();
    return this.#bits;
  }
  #compute(): Value {
    const { ir } = this.#t;
    const t = this.#t;
    this.#resolve();
    if (this.#op === DYNAMIC)
      return ir.call("cc_flags", ir.get("cc_op"), ir.get("cc_dst"), ir.get("cc_src"), ir.get("cc_src2"));
    const kind = this.#kind;
    if (kind < CC.add && this.#override) {
      const others = kind === CC.clear ? ir.const32(FLAG.zf | FLAG.pf) : t.low(this.#s);
      return ir.deposit(others, this.cf(), 0, 1);
    }
    if (kind === CC.eflags) return t.low(this.#s);
    if (kind === CC.clear) return ir.const32(FLAG.zf | FLAG.pf);
    if (kind === CC.adcx) return ir.deposit(t.low(this.#s), t.low(this.#s2), 0, 1);
    if (kind === CC.adox) return ir.deposit(t.low(this.#s), t.low(this.#s2), 11, 1);
    const zf = ir.shlI(this.#set("eq", this.#zx(this.#d), this.#of(0)), 6);
    if (kind === CC.popcnt) return this.#override ? ir.or(zf, this.cf()) : zf;
    let v = ir.or(zf, this.cf());
    if (kind === CC.count) return v;
    v = ir.or(ir.or(v, this.#sign(this.#d, 7)), this.#parity());
    switch (kind) {
      case CC.logic:
      case CC.bmi:
        return v;
      case CC.mul:
        return ir.or(v, ir.shlI(this.#lost(), 11));
      case CC.inc:
        v = ir.or(v, ir.shlI(this.#set("eq", ir.andI(t.low(this.#d), 15), ir.const32(0)), 4));
        return ir.or(v, ir.shlI(this.#limit(-1), 11));
      case CC.dec:
        v = ir.or(v, ir.shlI(this.#set("eq", ir.andI(t.low(this.#d), 15), ir.const32(15)), 4));
        return ir.or(v, ir.shlI(this.#limit(1), 11));
      case CC.shl:
      case CC.sar:
        return ir.or(v, this.#sign(this.#overflow(), 11));
      default: {
        const auxiliary = ir.xor(t.low(this.#a), ir.xor(t.low(this.#s), t.low(this.#d)));
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
    const { ir } = this.#t;
    if (this.#size === 8) {
      const bound = which < 0 ? ir.constBits("i64", 0, 1 << 31) : ir.constBits("i64", -1, 0x7fffffff);
      return this.#set("eq", this.#d, bound);
    }
    const highest = 2 ** (8 * this.#size - 1) - 1;
    return this.#set("eq", this.#zx(this.#d), ir.const32(which < 0 ? highest + 1 : highest));
  }
  /** PF in its place. */
  #parity(): Value {
    const { ir } = this.#t;
    const odd = ir.andI(ir.ctpop(ir.ext8u(this.#t.low(this.#d))), 1);
    return ir.shlI(ir.xorI(odd, 1), 2);
  }

  /** Where what the flags are of is not known, an observation may tell it. */
  #resolve(): void {
    if (this.#op !== DYNAMIC) return;
    const { ir } = this.#t;
    const { ctx } = this.#t;
    const guess = this.#t.guess;
    if (guess < 0 || !ctx.guards) return;
    ir.guard("ne", ir.get("cc_op"), ir.const32(guess));
    const bits = this.#bits;
    this.#enter(guess);
    this.#bits = bits;
    this.#field = guess;
  }

  /** Condition `cc` as i32 0 or 1. */
  setcond(cc: number): Value {
    const { cond, a, b } = this.comparison(cc);
    const { ir } = this.#t;
    if (cond === "ne" && ir.isConst(b, 0) && this.#boolean === a) return this.#t.low(a);
    return this.#t.low(ir.setcond(cond, a, b));
  }
  /** A value that is known to be 0 or 1. */
  #boolean: Value = NONE;

  /** Condition `cc` (0..15) as one comparison. */
  comparison(cc: number): Comparison {
    this.#resolve();
    const { cond, a, b } = this.#condition(cc >> 1);
    return { cond: (cc & 1) === 0 ? cond : INVERSE[cond], a, b };
  }
  #flag(v: Value): Comparison {
    this.#boolean = v;
    return { cond: "ne", a: v, b: this.#t.ir.const32(0) };
  }
  #test(v: Value, mask: number): Comparison {
    return { cond: "tstne", a: v, b: this.#t.ir.const32(mask) };
  }
  #negative(v: Value): Comparison {
    if (this.#size < 4) return this.#test(v, this.#size === 1 ? 0x80 : 0x8000);
    return { cond: "lt", a: v, b: this.#of(0) };
  }

  /** O, B, Z, BE, S, P, L, LE. */
  #condition(n: number): Comparison {
    const { ir } = this.#t;
    if (n === 1 && (this.#override || this.#base !== undefined)) return this.#flag(this.cf());
    if (this.#op === DYNAMIC || this.#kind < CC.add) return this.#fromBits(n);
    const kind = this.#kind;
    if (kind === CC.count || kind === CC.popcnt) return n === 1 || n === 2 ? this.#simple(n) : this.#fromBits(n);
    if (kind === CC.sub) {
      const unsigned = n === 1 ? "ltu" : n === 2 ? "eq" : n === 3 && !this.#override ? "leu" : undefined;
      if (unsigned !== undefined) return { cond: unsigned, a: this.#zx(this.#a), b: this.#zx(this.#s) };
      if (n >= 6) return { cond: n === 6 ? "lt" : "le", a: this.#sx(this.#a), b: this.#sx(this.#s) };
    }
    if (kind === CC.dec && n >= 6) {
      // The subtraction of 1 from what was result + 1, which is compared with 1.
      const a = this.#sx(ir.addI(this.#d, 1));
      return { cond: n === 6 ? "lt" : "le", a, b: this.#of(1) };
    }
    if (kind === CC.inc && n >= 6) {
      const a = this.#sx(ir.addI(this.#d, -1));
      return { cond: n === 6 ? "lt" : "le", a, b: this.#of(-1) };
    }
    if (kind === CC.logic || kind === CC.bmi) {
      if (n === 0) return this.#flag(ir.const32(0));
      if (n === 6) return this.#simple(4);
      if (n === 7) return { cond: "le", a: this.#sx(this.#d), b: this.#of(0) };
      if (kind === CC.logic && n === 1) return this.#flag(ir.const32(0));
      if (kind === CC.logic && n === 3 && !this.#override) return this.#simple(2);
    }
    if (n === 1 || n === 2 || n === 4 || n === 5) return this.#simple(n);
    if (n === 3) return this.#flag(ir.or(this.cf(), this.#set("eq", this.#zx(this.#d), this.#of(0))));
    if (
      kind === CC.add ||
      kind === CC.adc ||
      kind === CC.sbb ||
      kind === CC.sub ||
      kind === CC.shl ||
      kind === CC.sar
    ) {
      if (n === 0) return this.#negative(this.#overflow());
      const less = ir.xor(this.#d, this.#overflow());
      if (n === 6) return this.#negative(less);
      const zero = this.#set("eq", this.#zx(this.#d), this.#of(0));
      return this.#flag(ir.or(zero, this.#sign(less, 0)));
    }
    if (kind === CC.inc && n === 0) return this.#flag(this.#limit(-1));
    if (kind === CC.dec && n === 0) return this.#flag(this.#limit(1));
    if (kind === CC.mul && n === 0) return this.#flag(this.#lost());
    return this.#fromBits(n);
  }
  /** B, Z, S, P. */
  #simple(n: number): Comparison {
    const { ir } = this.#t;
    switch (n) {
      case 1:
        return this.#flag(this.cf());
      case 2:
        return { cond: "eq", a: this.#zx(this.#d), b: this.#of(0) };
      case 4:
        return this.#negative(this.#d);
      default:
        return { cond: "tsteq", a: ir.ctpop(ir.ext8u(this.#t.low(this.#d))), b: ir.const32(1) };
    }
  }
  #fromBits(n: number): Comparison {
    const { ir } = this.#t;
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
