// Source: RISC-V Unprivileged ISA 20191213, ch. 11 and 12: what F and D have in common.
import { ops, type Value } from "@mimus/tcg";
import { FLAGS, OFF } from "../state.ts";
import type { Block } from "./block.ts";
import * as host from "./float-inline.ts";

/** A floating-point format, as its instructions handle it in 64-bit registers. */
export interface Format {
  /** Prefix of the soft-float functions. */
  readonly name: "f32" | "f64";
  /** Bits of a register as an operand: a value that is not NaN-boxed is the canonical NaN. Source: 12.2. */
  read(b: Block, n: number): Value;
  /** Write a result. */
  write(b: Block, n: number, value: Value): void;
  readonly sign: bigint;
  readonly shape: host.Shape;
}

const BOX = 0xffffffff_00000000n;
const CANONICAL = 0x7fc00000n;

export const single: Format = {
  name: "f32",
  read: (b, n) => {
    const { ir } = b;
    const v = b.f(n);
    return ir.movcond("geu", v, ir.const64(BOX), ir.ext32u(v), ir.const64(CANONICAL));
  },
  write: (b, n, value) => b.setF(n, b.ir.or(value, b.ir.const64(BOX))),
  sign: 0x80000000n,
  shape: host.F32,
};

export const double: Format = {
  name: "f64",
  read: (b, n) => b.f(n),
  write: (b, n, value) => b.setF(n, value),
  sign: 1n << 63n,
  shape: host.F64,
};

/** Run `emit` unless FS is Off; afterwards the floating-point state is dirty. Flags count as state, too. */
export function withFp(b: Block, emit: () => void): void {
  if (!b.fpEnabled()) return;
  b.fpDirty();
  emit();
}

/**
 * As {@link withFp}, with rounding mode `rm` in force, which `emit` is told; reserved modes are illegal.
 * Source: 11.2, table 11.1.
 */
export function rounding(b: Block, rm: number, emit: (mode: number) => void): void {
  const mode = rm === 7 ? (b.ctx.flags >>> FLAGS.frmShift) & 7 : rm;
  if (mode > 4) return b.illegal();
  withFp(b, () => {
    b.setRounding(mode);
    emit(mode);
  });
}

/** Call a soft-float function: 64-bit operands and result. */
export function soft(b: Block, name: string, ...operands: Value[]): Value {
  return b.ir.call(name, b.ir.envAddr(OFF.fpRm), ...operands);
}

type Arith = { readonly rd: number; readonly rs1: number; readonly rs2: number; readonly rm: number };
type Binary = { readonly rd: number; readonly rs1: number; readonly rs2: number };
type Unary = { readonly rd: number; readonly rs1: number; readonly rm: number };
type Fused = Arith & { readonly rs3: number };

/** A rounded operation of one or two operands. */
function rounded(b: Block, f: Format, op: string, mode: number, rd: number, operands: readonly Value[]): void {
  const exact = (): void => f.write(b, rd, soft(b, `${f.name}_${op}`, ...operands));
  const row = host.ROUNDED[op];
  if (mode !== host.RNE || row === undefined) return exact();
  host.either(
    b,
    (slow) => {
      host.needInexact(b, slow);
      const [x, y] = operands.map((v) => host.toFloat(b, f.shape, v));
      const bits = host.toBits(b, f.shape, b.ir.float(row.op, x as Value, y));
      (row.underflows ? host.needOrdinary : host.needFinite)(b, f.shape, bits, slow);
      f.write(b, rd, bits);
    },
    exact,
  );
}

export const arithmetic =
  (f: Format, op: string) =>
  (b: Block, { rd, rs1, rs2, rm }: Arith): void =>
    rounding(b, rm, (mode) => rounded(b, f, op, mode, rd, [f.read(b, rs1), f.read(b, rs2)]));

export const squareRoot =
  (f: Format) =>
  (b: Block, { rd, rs1, rm }: Unary): void =>
    rounding(b, rm, (mode) => rounded(b, f, "sqrt", mode, rd, [f.read(b, rs1)]));

/** ±(rs1 × rs2) ± rs3, rounded once. Negating an operand is exact, and a NaN result is canonical anyway. */
export const fused =
  (f: Format, negateProduct: boolean, negateAddend: boolean) =>
  (b: Block, { rd, rs1, rs2, rs3, rm }: Fused): void =>
    rounding(b, rm, () => {
      const negated = (v: Value, on: boolean): Value => (on ? b.ir.xor(v, b.ir.const64(f.sign)) : v);
      const product = negated(f.read(b, rs1), negateProduct);
      const addend = negated(f.read(b, rs3), negateAddend);
      f.write(b, rd, soft(b, `${f.name}_mulAdd`, product, f.read(b, rs2), addend));
    });

/** An operation on two operands that does not round: min, max. */
export const select =
  (f: Format, op: string) =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () => f.write(b, rd, soft(b, `${f.name}_${op}`, f.read(b, rs1), f.read(b, rs2))));

/** Sign injection: the sign of rs2, its inverse, or the exclusive or of both. */
export const signInject =
  (f: Format, kind: "copy" | "invert" | "xor") =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () => {
      const { ir } = b;
      const sign = ir.const64(f.sign);
      const x = f.read(b, rs1);
      const y = f.read(b, rs2);
      if (kind === "xor") f.write(b, rd, ir.xor(x, ir.and(y, sign)));
      else {
        const from = kind === "copy" ? y : ir.not(y);
        f.write(b, rd, ir.or(ir.andc(x, sign), ir.and(from, sign)));
      }
    });

/** Write the low bits of a 64-bit integer result to x[rd]. */
function setInteger(b: Block, rd: number, value: Value): void {
  b.setX(rd, b.rv64 ? value : b.ir.extrl(value));
}

export const compare =
  (f: Format, op: "eq" | "lt" | "le") =>
  (b: Block, { rd, rs1, rs2 }: Binary): void =>
    withFp(b, () => {
      const left = f.read(b, rs1);
      const right = f.read(b, rs2);
      host.either(
        b,
        (slow) => {
          const x = host.toFloat(b, f.shape, left);
          const y = host.toFloat(b, f.shape, right);
          host.needNumbers(b, x, y, slow);
          const holds = b.ir.float(host.COMPARED[op] ?? ops.feq, x, y);
          b.setX(rd, b.rv64 ? b.ir.extuI32(holds) : holds);
        },
        () => setInteger(b, rd, soft(b, `${f.name}_${op}`, left, right)),
      );
    });

export const classify =
  (f: Format) =>
  (b: Block, { rd, rs1 }: { readonly rd: number; readonly rs1: number }): void =>
    withFp(b, () => setInteger(b, rd, soft(b, `${f.name}_classify`, f.read(b, rs1))));

type Integer = keyof typeof host.INTEGER;

/** Convert to an integer; 32-bit results are sign-extended, unsigned ones too. */
export const toInteger =
  (f: Format, to: Integer) =>
  (b: Block, { rd, rs1, rm }: Unary): void =>
    rounding(b, rm, (mode) => {
      const { ir } = b;
      const bits = f.read(b, rs1);
      const { to: convert, wide } = host.INTEGER[to];
      const exact = (): void => {
        const value = soft(b, `${f.name}_to_${to}`, bits);
        setInteger(b, rd, b.rv64 && !wide ? ir.ext32s(value) : value);
      };
      if (mode !== host.RTZ) return exact();
      host.either(
        b,
        (slow) => {
          host.needInexact(b, slow);
          const x = host.toFloat(b, f.shape, bits);
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
      const x = b.x(rs1);
      const { from: convert, wide } = host.INTEGER[from];
      const narrow = b.rv64 && !wide ? ir.extrl(x) : x;
      const fast = (): void => f.write(b, rd, host.toBits(b, f.shape, ir.fromInt(convert, f.shape.type, narrow)));
      // Every 32-bit integer is a double.
      if (f.name === "f64" && !wide) return fast();
      const exact = (): void => {
        const value = wide ? x : from === "i32" ? ir.extI32(narrow) : ir.extuI32(narrow);
        f.write(b, rd, soft(b, `${from}_to_${f.name}`, value));
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
    const bits = double.read(b, rs1);
    const exact = (): void => single.write(b, rd, soft(b, "f64_to_f32", bits));
    if (mode !== host.RNE) return exact();
    host.either(
      b,
      (slow) => {
        host.needInexact(b, slow);
        const result = host.toBits(b, host.F32, b.ir.float(ops.demote, host.toFloat(b, host.F64, bits)));
        host.needOrdinary(b, host.F32, result, slow);
        single.write(b, rd, result);
      },
      exact,
    );
  });

/** Single to double: exact, but for NaN. */
export const widen = (b: Block, { rd, rs1, rm }: Unary): void =>
  rounding(b, rm, () => {
    const bits = single.read(b, rs1);
    host.either(
      b,
      (slow) => {
        host.needFinite(b, host.F32, bits, slow);
        double.write(b, rd, host.toBits(b, host.F64, b.ir.float(ops.promote, host.toFloat(b, host.F32, bits))));
      },
      () => double.write(b, rd, soft(b, "f32_to_f64", bits)),
    );
  });

type Load = { readonly rd: number; readonly rs1: number; readonly imm: number };
type Store = { readonly rs1: number; readonly rs2: number; readonly imm: number };

/** Loads move bits: the value is boxed and not looked at. */
export const load =
  (f: Format) =>
  (b: Block, { rd, rs1, imm }: Load): void => {
    if (!b.fpEnabled()) return;
    const value = b.ir.ld("i64", f.name === "f32" ? "u32" : "u64", b.addressOf(rs1, imm), b.mmu);
    b.fpDirty();
    f.write(b, rd, value);
  };

export const store =
  (f: Format) =>
  (b: Block, { rs1, rs2, imm }: Store): void => {
    if (!b.fpEnabled()) return;
    b.ir.st(f.name === "f32" ? "u32" : "u64", b.addressOf(rs1, imm), b.f(rs2), b.mmu);
  };
