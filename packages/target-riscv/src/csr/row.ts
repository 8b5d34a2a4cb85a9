/** Shape of a CSR, and the constructors that most of them need no more than. */
import type { HartConfig } from "../config.ts";
import type { Hart } from "../hart.ts";

/** Puts a value into `out`, low half first. On RV32 the high half is not looked at. */
export type CsrRead = (hart: Hart, out: Int32Array) => void;
/** Takes a whole new value and keeps of it what is legal. On RV32 `hi` is 0. */
export type CsrWrite = (hart: Hart, lo: number, hi: number) => void;

/** One control and status register. Its number says who may access it: bits 11:10 = 3 read-only, bits 9:8 privilege. */
export interface Csr {
  readonly number: number;
  readonly name: string;
  readonly read: CsrRead;
  /** Absent: writes are ignored. */
  readonly write?: CsrWrite;
  /** What CSRRS and CSRRC combine with their operand, when that is not what they return. */
  readonly readForUpdate?: CsrRead;
  /** Which harts have it; default all. */
  readonly on?: (config: HartConfig) => boolean;
  /** May the current mode access it? Asked after the privilege level. */
  readonly access?: (hart: Hart) => boolean;
  /** A global with exactly this value, which translated code may read and write instead. */
  readonly inline?: string;
}

/** What a constructor's caller adds. */
export type CsrOptions = Pick<Csr, "on" | "access" | "inline">;

/** Reads as a constant; writes are ignored. */
export function constant(number: number, name: string, value: CsrRead | 0, options: CsrOptions = {}): Csr {
  return { number, name, read: value === 0 ? readZero : value, ...options };
}

/** A 64-bit slot that keeps the bits of the masks. */
export function slot(
  number: number,
  name: string,
  offset: number,
  maskLo = -1,
  maskHi = -1,
  options: CsrOptions = {},
): Csr {
  return {
    number,
    name,
    read(hart, out) {
      out[0] = hart.lo(offset);
      out[1] = hart.hi(offset);
    },
    write: (hart, lo, hi) => hart.set(offset, lo & maskLo, hi & maskHi),
    ...options,
  };
}

/** A 32-bit word that keeps the bits of `mask`; zero-extended. */
export function word(number: number, name: string, offset: number, mask = -1, options: CsrOptions = {}): Csr {
  return {
    number,
    name,
    read(hart, out) {
      out[0] = hart.lo(offset);
      out[1] = 0;
    },
    write: (hart, lo) => hart.setLo(offset, lo & mask),
    ...options,
  };
}

/**
 * A 64-bit register that RV32 splits in two: `number` is the whole on RV64 and the low half on RV32, `high` the
 * upper half on RV32. `write` always gets all 64 bits.
 */
export function split(
  numbers: readonly [number, number],
  name: string,
  read: CsrRead,
  write?: CsrWrite,
  options: CsrOptions = {},
): Csr[] {
  const on = options.on ?? (() => true);
  const old = new Int32Array(2);
  const whole: Csr = { ...options, number: numbers[0], name, read, on: (c) => c.xlen === 64 && on(c) };
  const low: Csr = { ...options, number: numbers[0], name, read, on: (c) => c.xlen === 32 && on(c) };
  const high: Csr = {
    ...options,
    number: numbers[1],
    name: `${name}h`,
    read(hart, out) {
      read(hart, out);
      out[0] = out[1]!;
    },
    on: (c) => c.xlen === 32 && on(c),
  };
  if (!write) return [whole, low, high];
  return [
    { ...whole, write },
    {
      ...low,
      write(hart, lo) {
        read(hart, old);
        write(hart, lo, old[1]!);
      },
    },
    {
      ...high,
      write(hart, lo) {
        read(hart, old);
        write(hart, old[0]!, lo);
      },
    },
  ];
}

function readZero(_hart: Hart, out: Int32Array): void {
  out[0] = out[1] = 0;
}

/** Presence predicates. */
export const hasS = (c: HartConfig): boolean => c.ext.s;
export const hasU = (c: HartConfig): boolean => c.ext.u;
export const hasF = (c: HartConfig): boolean => c.ext.f;
export const rv32 = (c: HartConfig): boolean => c.xlen === 32;
/** Since privileged specification 1.`minor`. */
export const since =
  (minor: 11 | 12) =>
  (c: HartConfig): boolean =>
    c.priv >= minor;
