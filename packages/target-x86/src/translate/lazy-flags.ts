/** Lazy flags while a block is translated: see flags.ts. */
import { NONE, type Value } from "@mimus/tcg";
import { CC } from "../flags.ts";
import { DYNAMIC, FlagView, type Base, type Order } from "./flag-view.ts";

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
  /** Of eflags: what they are the result of. */
  readonly order?: Order;
}

const log2 = (size: number): number => 31 - Math.clz32(size);

/** Where the flags come from, at this point of the block. */
export class LazyFlags extends FlagView {
  /** What the field cc_op holds, DYNAMIC: not known. */
  #field = DYNAMIC;

  /** The second word of `insn`: ccOp where the field does not hold it, else -1. */
  get word(): number {
    return this.op === this.#field ? -1 : this.op;
  }

  /** ccOp of a kind and size in bytes. */
  encode(kind: FlagKind, size: number): number {
    return CC[kind] < CC.add ? CC[kind] : CC[kind] + log2(size);
  }

  /** The flags come from this operation. */
  set(kind: FlagKind, size: number, v: FlagOperands): void {
    const { ir } = this.t;
    this.#enter(this.encode(kind, size));
    this.dst = v.dst ?? NONE;
    this.src = v.src ?? NONE;
    this.src2 = v.src2 ?? NONE;
    this.first = v.first ?? NONE;
    this.carry = v.carry ?? NONE;
    this.allBits = kind === "eflags" ? this.src : NONE;
    this.order = v.order;
    if (this.dst !== NONE) ir.set("cc_dst", this.t.toWord(this.dst));
    if (this.src !== NONE) ir.set("cc_src", this.t.toWord(this.src));
    if (this.src2 !== NONE) ir.set("cc_src2", this.t.toWord(this.src2));
  }

  /** The flags become those of INC or DEC, with CF as it is. Called before the registers and memory change. */
  step(kind: "inc" | "dec", size: number): (result: Value) => void {
    const t = this.t;
    this.resolve();
    const plain = (): ((dst: Value) => void) => {
      const carry = this.cf();
      return (dst) => this.set(kind, size, { dst, src: t.zext(carry, size), carry });
    };
    if (this.op === DYNAMIC || this.override) return plain();
    const base = this.base ?? this.#asBase();
    if (base === undefined) return plain();
    const carry = this.carry;
    const encoded = CC.step + log2(size) + (kind === "dec" ? 4 : 0) + 8 * log2(base.size) + (base.sub ? 32 : 0);
    return (result) => {
      this.#enter(encoded);
      this.base = base;
      this.dst = this.src2 = result;
      this.carry = carry;
      t.ir.set("cc_src2", t.toWord(result));
    };
  }
  #asBase(): Base | undefined {
    if (this.kind !== CC.add && this.kind !== CC.sub) return undefined;
    return { sub: this.kind === CC.sub, size: this.size, dst: this.dst, src: this.src, first: this.first };
  }

  /** CF becomes `carry` (i32 0 or 1), the others stay: `others` is what {@link others} gave before anything changed. */
  setCarry(carry: Value, others: Value = this.others()): void {
    const t = this.t;
    if (others !== NONE) this.set("eflags", 1, { src: others });
    if (this.base !== undefined) {
      const dst = this.d;
      this.#enter(this.kind | this.shift);
      this.dst = dst;
      t.ir.set("cc_dst", t.toWord(dst));
    }
    this.op |= CC.carry;
    this.override = true;
    this.carry = carry;
    this.src2 = NONE;
    this.allBits = NONE;
    t.ir.set("cc_src2", t.toWord(carry));
  }
  /** All flags as a value, where they are of something that CF cannot be set beside; else NONE. */
  others(): Value {
    this.resolve();
    const usesSrc2 = this.kind === CC.adc || this.kind === CC.sbb || this.kind === CC.adcx || this.kind === CC.adox;
    return this.op === DYNAMIC || (usesSrc2 && !this.override) ? this.bits() : NONE;
  }

  /** Takes an encoded ccOp for what the flags are of; its operands are in the fields. */
  #enter(op: number): void {
    this.op = op;
    this.override = (op & CC.carry) !== 0;
    this.base = undefined;
    const kept = op & ~CC.carry;
    this.kind = kept < CC.add ? kept : kept & ~3;
    this.shift = kept < CC.add ? 0 : kept & 3;
    this.dst = this.src = this.src2 = this.first = this.carry = this.allBits = NONE;
    this.order = undefined;
    if (kept < CC.step) return;
    this.kind = kept & 4 ? CC.dec : CC.inc;
    this.base = { sub: (kept & 32) !== 0, size: 1 << ((kept >> 3) & 3), dst: NONE, src: NONE, first: NONE };
  }

  /** Stores cc_op; the knowledge stays. */
  flush(): void {
    if (this.op === this.#field) return;
    this.t.ir.set("cc_op", this.t.ir.const32(this.op));
    this.#field = this.op;
  }

  /** Stores cc_op on a way out of the block: other ways still have it to do. */
  store(): void {
    if (this.op !== this.#field) this.t.ir.set("cc_op", this.t.ir.const32(this.op));
  }

  /** The field cc_op, and what it tells about, have been written behind our back. */
  forget(): void {
    this.#enter(CC.eflags);
    this.op = this.#field = DYNAMIC;
  }

  /** cc_op, as a value. */
  opValue(): Value {
    return this.op === DYNAMIC ? this.t.ir.get("cc_op") : this.t.ir.const32(this.op);
  }

  /** The values at hand are those of another part of the block: they are in the state alone. */
  forgetValues(): void {
    this.dst = this.src = this.src2 = this.first = this.carry = this.allBits = NONE;
    this.order = undefined;
    this.boolean = NONE;
    if (this.base !== undefined) this.base = { ...this.base, dst: NONE, src: NONE, first: NONE };
  }

  /** What the flags are of, and what the field cc_op holds; {@link DYNAMIC} where that is not known. */
  get kindNow(): number {
    return this.op;
  }
  get kindInField(): number {
    return this.#field;
  }
  /** The same, told from outside; the values are in the state. */
  assume(op: number, field: number): void {
    this.#enter(op === DYNAMIC ? CC.eflags : op);
    this.op = op;
    this.#field = field;
  }

  /** Becomes dynamic: the caller sets the four fields. */
  setDynamic(op: Value): void {
    this.t.ir.set("cc_op", op);
    this.forget();
  }

  /** Where what the flags are of is not known, an observation may tell it. */
  protected override resolve(): void {
    if (this.op !== DYNAMIC) return;
    const { ir } = this.t;
    const { ctx } = this.t;
    const guess = this.t.guess;
    if (guess < 0 || !ctx.guards) return;
    ir.guard("ne", ir.get("cc_op"), ir.const32(guess));
    const bits = this.allBits;
    this.#enter(guess);
    this.allBits = bits;
    this.#field = guess;
  }
}
