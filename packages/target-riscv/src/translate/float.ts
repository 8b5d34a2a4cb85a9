// Source: RISC-V Unprivileged ISA 20191213, ch. 11 and 12: what F and D have in common.
import { ops, type Label, type Value } from "@mimus/tcg";
import { FLAGS, OFF } from "../state.ts";
import type { Block } from "./block.ts";
import * as host from "./float-inline.ts";

/** A floating-point format, as its instructions handle it in 64-bit registers. */
export interface Format {
  /** Prefix of the soft-float functions. */
  readonly name: "f32" | "f64";
  readonly shape: host.Shape;
  /** The number in a register; to `slow` if it holds none of the format. */
  read(b: Block, n: number, slow: Label): Value;
  /** Write a number. */
  write(b: Block, n: number, value: Value): void;
  /** A register as operand of a soft-float function: a value that is not NaN-boxed is the canonical NaN. Source: 12.2. */
  readBits(b: Block, n: number): Value;
  /** Write a soft-float function's result. */
  writeBits(b: Block, n: number, value: Value): void;
  /** The sign bit. */
  readonly sign: bigint;
}

const BOX = 0xffffffff_00000000n;
const CANONICAL = 0x7fc00000n;

export const single: Format = {
  name: "f32",
  shape: host.F32,
  read: (b, n, slow) => {
    host.needBoxed(b, n, slow);
    return b.ir.float(ops.funbox, b.f(n));
  },
  write: (b, n, value) => b.setBoxed(n, value),
  readBits: (b, n) => {
    const { ir } = b;
    const v = ir.bitcast(b.f(n));
    return b.isBoxed(n) ? ir.ext32u(v) : ir.movcond("geu", v, ir.const64(BOX), ir.ext32u(v), ir.const64(CANONICAL));
  },
  writeBits: (b, n, value) => {
    b.setF(n, b.ir.bitcast(b.ir.or(value, b.ir.const64(BOX))));
    b.boxed |= 1 << n;
  },
  sign: 0x80000000n,
};

export const double: Format = {
  name: "f64",
  shape: host.F64,
  read: (b, n) => b.f(n),
  write: (b, n, value) => b.setF(n, value),
  readBits: (b, n) => b.ir.bitcast(b.f(n)),
  writeBits: (b, n, value) => b.setF(n, b.ir.bitcast(value)),
  sign: 1n << 63n,
};

/** Run `emit` unless FS is Off; afterwards the floating-point state is dirty. Flags count as state, too. */
export function withFp(b: Block, emit: () => void): void {
  if (!b.fpEnabled()) return;
  b.fpDirty();
  emit();
}

/**
 * As {@link withFp}; `emit` is told the rounding mode `rm` in force. Reserved modes are illegal.
 * Source: 11.2, table 11.1.
 */
function rounding(b: Block, rm: number, emit: (mode: number) => void): void {
  const mode = rm === 7 ? (b.ctx.flags >>> FLAGS.frmShift) & 7 : rm;
  if (mode > 4) return b.illegal();
  withFp(b, () => emit(mode));
}

/** Call a soft-float function that does not round: 64-bit operands and result. */
function soft(b: Block, name: string, ...operands: Value[]): Value {
  return b.ir.call(name, b.ir.envAddr(OFF.fpRm), ...operands);
}

/** Call a soft-float function that rounds by `mode`. */
function softRounded(b: Block, mode: number, name: string, ...operands: Value[]): Value {
  b.ir.envSt("u32", OFF.fpRm, b.ir.const32(mode));
  return soft(b, name, ...operands);
}

type Arith = { readonly rd: number; readonly rs1: number; readonly rs2: number; readonly rm: number };
type Binary = { readonly rd: number; readonly rs1: number; readonly rs2: number };
type Unary = { readonly rd: number; readonly rs1: number; readonly rm: number };
type Fused = Arith & { readonly rs3: number };

/** An operand of a rounded operation: a register, perhaps with its sign inverted, which is exact. */
interface Operand {
  readonly n: number;
  readonly negated: boolean;
}
const plain = (n: number): Operand => ({ n, negated: false });

/** A rounded operation. */
function rounded(b: Block, f: Format, op: string, mode: number, rd: number, operands: readonly Operand[]): void {
  const { ir } = b;
  const bitsOf = ({ n, negated }: Operand): Value => {
    const v = f.readBits(b, n);
    return negated ? ir.xor(v, ir.const64(f.sign)) : v;
  };
  const row = host.ROUNDED[op];
  const exact = (): void => {
    // Read before a path writes rd, which may be one of them.
    const bits = operands.map(bitsOf);
    const call = (): void => f.writeBits(b, rd, softRounded(b, mode, `${f.name}_${op}`, ...bits));
    if (mode !== host.RNE || row?.zeros === undefined) return call();
    // A zero that comes of a zero is exact, and frequent.
    const [x, y, z] = bits.map((v) => host.toFloat(b, f.shape, v));
    const result = ir.float(row.op, x as Value, y, z);
    const other = ir.label();
    host.needZeros(b, f.shape, result, row.zeros === 1 ? [x as Value] : [x as Value, y as Value], other);
    const done = ir.label();
    f.write(b, rd, result);
    ir.br(done);
    ir.place(other);
    call();
    ir.place(done);
  };
  if (mode !== host.RNE || row === undefined) return exact();
  host.either(
    b,
    (slow) => {
      host.needInexact(b, slow);
      const [x, y, z] = operands.map(({ n, negated }) => {
        const v = f.read(b, n, slow);
        return negated ? ir.float(ops.fneg, v) : v;
      });
      const result = ir.float(row.op, x as Value, y, z);
      (row.underflows ? host.needOrdinary : host.needFinite)(b, f.shape, result, slow);
      f.write(b, rd, result);
    },
    exact,
  );
}

export const arithmetic =
  (f: Format, op: string) =>
  (b: Block, { rd, rs1, rs2, rm }: Arith): void =>
    rounding(b, rm, (mode) => rounded(b, f, op, mode, rd, [plain(rs1), plain(rs2)]));

export const squareRoot =
  (f: Format) =>
  (b: Block, { rd, rs1, rm }: Unary): void =>
    rounding(b, rm, (mode) => rounded(b, f, "sqrt", mode, rd, [plain(rs1)]));

/** ±(rs1 × rs2) ± rs3, rounded once. Negating an operand is exact, and a NaN result is canonical anyway. */
export const fused =
  (f: Format, negateProduct: boolean, negateAddend: boolean) =>
  (b: Block, { rd, rs1, rs2, rs3, rm }: Fused): void =>
    rounding(b, rm, (mode) =>
      rounded(b, f, "mulAdd", mode, rd, [
        { n: rs1, negated: negateProduct },
        plain(rs2),
        { n: rs3, negated: negateAddend },
      ]),
    );

/** min, max: the host's, unless an operand is NaN. */
export const select =
  (f: Format, op: "min" | "max") =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () =>
      host.either(
        b,
        (slow) => {
          const result = b.ir.float(host.EXTREMUM[op]!, f.read(b, rs1, slow), f.read(b, rs2, slow));
          host.needNumbers(b, result, result, slow);
          f.write(b, rd, result);
        },
        () => f.writeBits(b, rd, soft(b, `${f.name}_${op}`, f.readBits(b, rs1), f.readBits(b, rs2))),
      ),
    );

/** For what branches nowhere. */
const NEVER = -1 as Label;

/** Sign injection: the sign of rs2, its inverse, or the exclusive or of both. */
export const signInject =
  (f: Format, kind: "copy" | "invert" | "xor") =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () => {
      const { ir } = b;
      const inBits = (): void => {
        const sign = ir.const64(f.sign);
        const x = f.readBits(b, rs1);
        const y = f.readBits(b, rs2);
        const from = kind === "invert" ? ir.not(y) : y;
        const injected = ir.and(from, sign);
        f.writeBits(b, rd, kind === "xor" ? ir.xor(x, injected) : ir.or(ir.andc(x, sign), injected));
      };
      if (kind === "xor" && rs1 !== rs2) return inBits();
      const inNumbers = (slow: Label): void => {
        const x = f.read(b, rs1, slow);
        if (rs1 === rs2) return f.write(b, rd, kind === "copy" ? x : ir.float(kind === "xor" ? ops.fabs : ops.fneg, x));
        const y = f.read(b, rs2, slow);
        f.write(b, rd, ir.float(ops.fcopysign, x, kind === "copy" ? y : ir.float(ops.fneg, y)));
      };
      // Doubles, and singles known to be boxed, need no other path.
      if (f.name === "f64" || (b.isBoxed(rs1) && b.isBoxed(rs2))) inNumbers(NEVER);
      else host.either(b, inNumbers, inBits);
    });

/** Write the low bits of a 64-bit integer result to x[rd]. */
function setInteger(b: Block, rd: number, value: Value): void {
  b.setX(rd, b.rv64 ? value : b.ir.extrl(value));
}

export const compare =
  (f: Format, op: "eq" | "lt" | "le") =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () =>
      host.either(
        b,
        (slow) => {
          const x = f.read(b, rs1, slow);
          const y = f.read(b, rs2, slow);
          host.needNumbers(b, x, y, slow);
          const holds = b.ir.float(host.COMPARED[op]!, x, y);
          b.setX(rd, b.rv64 ? b.ir.extuI32(holds) : holds);
        },
        () => setInteger(b, rd, soft(b, `${f.name}_${op}`, f.readBits(b, rs1), f.readBits(b, rs2))),
      ),
    );

/** The classes of negative and positive normal numbers. Source: 11.9, table 11.5. */
const NEGATIVE_NORMAL = 1n << 1n;
const POSITIVE_NORMAL = 1n << 6n;

export const classify =
  (f: Format) =>
  (b: Block, { rd, rs1 }: { readonly rd: number; readonly rs1: number }): void =>
    withFp(b, () =>
      host.either(
        b,
        (slow) => {
          const { ir } = b;
          const x = f.read(b, rs1, slow);
          host.needNormal(b, f.shape, x, slow);
          const bits = ir.bitcast(x);
          const wide = f.name === "f64" ? bits : ir.extI32(bits);
          const negative = ir.const64(NEGATIVE_NORMAL);
          setInteger(b, rd, ir.movcond("lt", wide, ir.const64(0n), negative, ir.const64(POSITIVE_NORMAL)));
        },
        () => setInteger(b, rd, soft(b, `${f.name}_classify`, f.readBits(b, rs1))),
      ),
    );

type Integer = keyof typeof host.INTEGER;

/** Convert to an integer; 32-bit results are sign-extended, unsigned ones too. */
export const toInteger =
  (f: Format, to: Integer) =>
  (b: Block, { rd, rs1, rm }: Unary): void =>
    rounding(b, rm, (mode) => {
      const { ir } = b;
      const { to: convert, wide } = host.INTEGER[to];
      const exact = (): void => {
        const value = softRounded(b, mode, `${f.name}_to_${to}`, f.readBits(b, rs1));
        setInteger(b, rd, b.rv64 && !wide ? ir.ext32s(value) : value);
      };
      const integral = host.TO_INTEGRAL[mode];
      if (integral === undefined) return exact();
      host.either(
        b,
        (slow) => {
          host.needInexact(b, slow);
          const number = f.read(b, rs1, slow);
          const x = integral === "conversion" ? number : ir.float(integral, number);
          host.needInRange(b, f.shape, to, x, slow);
          const value = ir.float(convert, x);
          b.setX(rd, b.rv64 && !wide ? ir.extI32(value) : value);
        },
        exact,
      );
    });

export const fromInteger =
  (f: Format, from: Integer) =>
  (b: Block, { rd, rs1, rm }: Unary): void =>
    rounding(b, rm, (mode) => {
      const { ir } = b;
      const { from: convert, wide } = host.INTEGER[from];
      const narrow = (): Value => (b.rv64 && !wide ? ir.extrl(b.x(rs1)) : b.x(rs1));
      const fast = (): void => f.write(b, rd, ir.fromInt(convert, f.shape.type, narrow()));
      // Every 32-bit integer is a double.
      if (f.name === "f64" && !wide) return fast();
      const exact = (): void => {
        const value = wide ? b.x(rs1) : from === "i32" ? ir.extI32(narrow()) : ir.extuI32(narrow());
        f.writeBits(b, rd, softRounded(b, mode, `${from}_to_${f.name}`, value));
      };
      if (mode !== host.RNE) return exact();
      host.either(
        b,
        (slow) => {
          host.needInexact(b, slow);
          fast();
        },
        exact,
      );
    });

/** Double to single. */
export const narrow = (b: Block, { rd, rs1, rm }: Unary): void =>
  rounding(b, rm, (mode) => {
    const exact = (): void => single.writeBits(b, rd, softRounded(b, mode, "f64_to_f32", double.readBits(b, rs1)));
    if (mode !== host.RNE) return exact();
    host.either(
      b,
      (slow) => {
        host.needInexact(b, slow);
        const result = b.ir.float(ops.demote, double.read(b, rs1, slow));
        host.needOrdinary(b, host.F32, result, slow);
        single.write(b, rd, result);
      },
      exact,
    );
  });

/** Single to double: exact, but for NaN. */
export const widen = (b: Block, { rd, rs1, rm }: Unary): void =>
  rounding(b, rm, () =>
    host.either(
      b,
      (slow) => {
        const x = single.read(b, rs1, slow);
        host.needNumbers(b, x, x, slow);
        double.write(b, rd, b.ir.float(ops.promote, x));
      },
      () => double.writeBits(b, rd, soft(b, "f32_to_f64", single.readBits(b, rs1))),
    ),
  );

type Load = { readonly rd: number; readonly rs1: number; readonly imm: number };
type Store = { readonly rs1: number; readonly rs2: number; readonly imm: number };

/** Loads move bits: the value is boxed and not looked at. */
export const load =
  (f: Format) =>
  (b: Block, { rd, rs1, imm }: Load): void => {
    if (!b.fpEnabled()) return;
    const value = b.ir.ld(f.name, f.name === "f32" ? "u32" : "u64", b.addressOf(rs1, imm), b.mmu);
    b.fpDirty();
    f.write(b, rd, value);
  };

/** Stores, too: of a single the low half, boxed or not. */
export const store =
  (f: Format) =>
  (b: Block, { rs1, rs2, imm }: Store): void => {
    if (!b.fpEnabled()) return;
    const { ir } = b;
    const value = f.name === "f32" ? ir.float(ops.funbox, b.f(rs2)) : b.f(rs2);
    ir.st(f.name === "f32" ? "u32" : "u64", b.addressOf(rs1, imm), value, b.mmu);
  };
